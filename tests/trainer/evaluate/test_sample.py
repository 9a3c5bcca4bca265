"""Texts that a model goes on with: the same with keys and values kept as without."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from schemas.identity import keyed_hash
from tests.trainer.model.test_llama import make_model
from trainer.evaluate.sample import sample

PROMPT, STOP = [0, 5, 9], 1


def _uncached(model: nn.Module, tokens: int, temperature: float, max_len: int, seed: str) -> list[int]:
    generator = torch.Generator().manual_seed(keyed_hash("trainer.sample", seed) >> 1)
    drawn: list[int] = []
    while len(drawn) < tokens:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[*PROMPT, *drawn][-max_len:]]), use_cache=False).logits[0, -1]
        shares = torch.softmax(logits / temperature, -1) if temperature else None
        token = int(logits.argmax()) if shares is None else int(torch.multinomial(shares, 1, generator=generator))
        if token == STOP:
            break
        drawn.append(token)
    return drawn


class Seen:
    """Counts the tokens that go through a model."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.lengths = model, list[int]()

    def __call__(self, input_ids: torch.Tensor, **fields: Any) -> Any:
        self.lengths.append(input_ids.shape[1])
        return self.model(input_ids=input_ids, **fields)


@pytest.mark.parametrize("temperature", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("max_len", [64, 12])
def test_the_same_tokens_as_without_a_cache(temperature: float, max_len: int) -> None:
    model = make_model()
    for parameter in model.parameters():
        parameter.data.mul_(4)  # so that the choices are not all alike
    texts = []
    for seed in ("0", "1", "2"):
        seen = Seen(model)
        found = sample(seen, PROMPT, 30, temperature, STOP, max_len, seed)  # type: ignore[arg-type]
        assert found == _uncached(model, 30, temperature, max_len, seed)
        assert seen.lengths[:2] == [3, 1]
        assert max(seen.lengths) <= max_len
        texts.append(tuple(found))
    assert len(set(texts)) == (1 if not temperature else 3)
    assert max(map(len, texts)) > 12
