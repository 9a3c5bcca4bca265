"""Samples from a model: to be read, not measured."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from schemas.identity import keyed_hash


def sample(
    model: nn.Module, prompt: list[int], tokens: int, temperature: float, stop: int, max_len: int, seed: str
) -> list[int]:
    """Return the tokens that a model goes on with after `prompt`, up to `stop`, drawn as a function of `seed`.

    Temperature 0 takes the likeliest. The model sees at most the last `max_len` tokens. Keys and values are kept from
    token to token; beyond `max_len` each token makes every position another one, and they are computed anew.
    """
    generator = torch.Generator().manual_seed(keyed_hash("trainer.sample", seed) >> 1)
    drawn: list[int] = []
    cache: Any = None
    new = prompt
    with torch.no_grad():
        while len(drawn) < tokens:
            if len(prompt) + len(drawn) > max_len:
                cache, new = None, [*prompt, *drawn][-max_len:]
            found = model(input_ids=torch.tensor([new]), past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache, logits = found.past_key_values, found.logits[0, -1].float()
            if temperature:
                shares = torch.softmax(logits / temperature, -1)
                token = int(torch.multinomial(shares, 1, generator=generator))
            else:
                token = int(logits.argmax())
            if token == stop:
                break
            drawn.append(token)
            new = [token]
    return drawn
