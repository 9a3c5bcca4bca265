"""AdamW, set up as Llama 2 says."""

from __future__ import annotations

import torch
from torch import nn

from trainer.recipe import AdamWConfig


def make_optimiser(model: nn.Module, config: AdamWConfig) -> torch.optim.AdamW:
    """Return AdamW with weight decay on matrices alone."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(config.beta1, config.beta2), eps=config.eps, fused=True)
