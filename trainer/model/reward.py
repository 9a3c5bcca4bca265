"""The model with one number for a row in place of logits: a reward model, or what estimates a value."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import LlamaForSequenceClassification

HEAD = "score.weight"  # [1, dim], the only weight that a causal model does not have


class Reward(LlamaForSequenceClassification):  # type: ignore[no-untyped-call]  # its parents' hook for subclasses
    """transformers' Llama with a head of one output, no bias."""

    def forward(self, *args: Any, ends: Tensor | None = None, **fields: Any) -> Any:
        """Return what transformers does; given `ends` [b], the score of each row, read there, [b] in float32."""
        if ends is None:
            return super().forward(*args, **fields)
        hidden = self.model(*args, **fields).last_hidden_state
        picked = hidden[torch.arange(len(ends), device=ends.device), ends]
        return self.score(picked)[:, 0].float()
