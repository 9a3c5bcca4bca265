"""Samples from a model: to be read, not measured."""

from __future__ import annotations

import torch
from torch import nn

from schemas.identity import keyed_hash


def sample(
    model: nn.Module, prompt: list[int], tokens: int, temperature: float, stop: int, max_len: int, seed: str
) -> list[int]:
    """Return the tokens that a model goes on with after `prompt`, up to `stop`, drawn as a function of `seed`.

    Temperature 0 takes the likeliest. The model sees at most the last `max_len` tokens; nothing is cached: samples are
    short.
    """
    generator = torch.Generator().manual_seed(keyed_hash("trainer.sample", seed) >> 1)
    drawn: list[int] = []
    with torch.no_grad():
        while len(drawn) < tokens:
            seen = torch.tensor([[*prompt, *drawn][-max_len:]])
            logits = model(input_ids=seen, use_cache=False).logits[0, -1].float()
            if temperature:
                shares = torch.softmax(logits / temperature, -1)
                token = int(torch.multinomial(shares, 1, generator=generator))
            else:
                token = int(logits.argmax())
            if token == stop:
                break
            drawn.append(token)
    return drawn
