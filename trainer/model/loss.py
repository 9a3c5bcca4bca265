"""Cross-entropy over a large vocabulary without all of its logits in memory.

The logits of 16,384 tokens over 128,256 entries take 8.4 GB in float32, and a plain loss holds them three times.
Here the tokens go through the output embedding in chunks, and the gradient of a chunk is taken while its logits are
there, as Liger Kernel does (Hsu et al. 2024, arXiv:2410.10989, section 3.2): the same operations, none of them twice.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.data.batches import IGNORE

LOGITS = 1 << 26  # that a chunk has where the recipe names no size (ours): 256 MiB in float32


def summed_loss(hidden: Tensor, weight: Tensor, labels: Tensor, tokens: int = 0) -> Tensor:
    """Return the sum of the cross-entropy in nats, in float32, over the labels that are not IGNORE.

    `hidden` [n, dim] goes through `weight` [vocabulary, dim]; `labels` [n]. `tokens` of them at once;
    0: as many as have `LOGITS` logits.
    """
    keeps = torch.is_grad_enabled() and (hidden.requires_grad or weight.requires_grad)
    return _SummedLoss.apply(hidden, weight, labels, chunk_tokens(tokens, len(weight)), keeps)  # type: ignore[no-any-return, no-untyped-call]


def token_losses(hidden: Tensor, weight: Tensor, labels: Tensor, tokens: int = 0) -> Tensor:
    """Return the cross-entropy of each label [n] in nats, 0 for one that is IGNORE.

    Any loss on the log-probabilities of tokens can be made of it. The factor of each token is known only in the
    backward pass, so that computes the logits anew, chunk by chunk: one product more than `summed_loss` takes.
    """
    return _TokenLosses.apply(hidden, weight, labels, chunk_tokens(tokens, len(weight)))  # type: ignore[no-any-return, no-untyped-call]


def chunk_tokens(tokens: int, vocabulary: int) -> int:
    """Return how many tokens go through the output embedding at once; `tokens` 0: as many as have `LOGITS` logits."""
    return tokens or max(1, LOGITS // max(1, vocabulary))


def _losses(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss of each label, the logits in float32 and the logarithm of the sum of their exponentials."""
    logits = logits.float()
    log_sum = logits.logsumexp(-1)
    picked = logits.gather(1, labels.clamp(min=0)[:, None])[:, 0]
    return (log_sum - picked).masked_fill_(labels == IGNORE, 0.0), logits, log_sum


class _TokenLosses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, labels: Tensor, size: int) -> Tensor:
        ctx.save_for_backward(hidden, weight, labels)
        ctx.size = size
        starts = range(0, len(hidden), size)
        return torch.cat([_losses(hidden[at : at + size] @ weight.T, labels[at : at + size])[0] for at in starts])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, factors: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, labels = ctx.saved_tensors
        by_hidden, by_weight = torch.empty_like(hidden), torch.zeros_like(weight, dtype=torch.float32)
        for at in range(0, len(hidden), ctx.size):
            some, wanted = hidden[at : at + ctx.size], labels[at : at + ctx.size]
            _, logits, log_sum = _losses(some @ weight.T, wanted)
            by_logits = _by_logits(logits, log_sum, wanted).mul_(factors[at : at + ctx.size, None]).to(hidden.dtype)
            torch.mm(by_logits, weight, out=by_hidden[at : at + ctx.size])
            by_weight += by_logits.T @ some
        return by_hidden, by_weight.to(weight.dtype), None, None


def _by_logits(logits: Tensor, log_sum: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient of each loss by its logits, in their memory; zeros where a label is IGNORE."""
    found = logits.sub_(log_sum[:, None]).exp_()
    found.scatter_add_(1, labels.clamp(min=0)[:, None], -torch.ones_like(log_sum)[:, None])
    return found.masked_fill_((labels == IGNORE)[:, None], 0.0)


class _SummedLoss(torch.autograd.Function):
    """The gradient is known after the forward pass, up to the factor that the backward pass brings."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, labels: Tensor, size: int, keeps: bool) -> Tensor:
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        by_hidden = torch.empty_like(hidden) if keeps else None
        # In float32 also where computing is in bfloat16: hundreds of chunks add up.
        by_weight = torch.zeros_like(weight, dtype=torch.float32) if keeps else None
        for at in range(0, len(hidden), size):
            some, wanted = hidden[at : at + size], labels[at : at + size]
            losses, logits, log_sum = _losses(some @ weight.T, wanted)
            total += losses.sum()
            if by_hidden is not None and by_weight is not None:
                by_logits = _by_logits(logits, log_sum, wanted).to(hidden.dtype)
                torch.mm(by_logits, weight, out=by_hidden[at : at + size])
                if weight.dtype == torch.float32:
                    by_weight.addmm_(by_logits.T, some)
                else:
                    by_weight += by_logits.T @ some
        ctx.by_hidden, ctx.by_weight, ctx.dtype = by_hidden, by_weight, weight.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        by_hidden, by_weight = ctx.by_hidden, ctx.by_weight
        ctx.by_hidden = ctx.by_weight = None  # scaled in place: a second backward pass would scale them again
        return by_hidden.mul_(factor), by_weight.mul_(factor).to(ctx.dtype), None, None, None
