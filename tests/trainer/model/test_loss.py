"""The loss in chunks: the figures of the plain one, and never the logits of all tokens."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.trainer.model.test_llama import make_model, packed, tensors
from tests.trainer.small import MODEL
from trainer.data.batches import IGNORE
from trainer.model.loss import summed_loss, token_losses
from trainer.objectives.next_token import next_token_loss

TOKENS, DIM, VOCABULARY = 50, 12, 40


def _inputs(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(TOKENS, DIM, generator=draw).to(dtype).requires_grad_()
    weight = torch.randn(VOCABULARY, DIM, generator=draw).to(dtype).requires_grad_()
    labels = torch.randint(0, VOCABULARY, (TOKENS,), generator=draw)
    labels[::7] = IGNORE
    return hidden, weight, labels


def _plain(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, reduction: str = "sum") -> torch.Tensor:
    return F.cross_entropy((hidden @ weight.T).float(), labels, ignore_index=IGNORE, reduction=reduction)


class Largest(TorchDispatchMode):
    """Notes the numbers of the largest tensor that any operation returns."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.numbers = max([self.numbers, *(x.numel() for x in tree_leaves(out) if isinstance(x, torch.Tensor))])
        return out


@pytest.mark.parametrize("chunk", [1, 7, 16, 50, 1000, 0])
def test_loss_and_gradient_are_those_of_the_plain_one(chunk: int) -> None:
    hidden, weight, labels = _inputs()
    expected = _plain(hidden, weight, labels)
    wanted = torch.autograd.grad(expected * 0.25, (hidden, weight))
    loss = summed_loss(hidden, weight, labels, chunk)
    found = torch.autograd.grad(loss * 0.25, (hidden, weight))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)
    each = token_losses(hidden, weight, labels, chunk)
    assert torch.allclose(each, _plain(hidden, weight, labels, "none"), atol=1e-5)


def test_in_bfloat16_the_sums_are_in_float32() -> None:
    hidden, weight, labels = _inputs(torch.bfloat16)
    exact = [x.detach().float().requires_grad_() for x in (hidden, weight)]
    wanted = torch.autograd.grad(_plain(exact[0], exact[1], labels), exact)
    loss = summed_loss(hidden, weight, labels, 1)
    found = torch.autograd.grad(loss, (hidden, weight))
    assert loss.dtype == torch.float32
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == torch.bfloat16
        assert float((one.float() - other).norm() / other.norm()) < 0.01


def test_a_batch_without_labels_costs_nothing() -> None:
    hidden, weight, labels = _inputs()
    loss = summed_loss(hidden, weight, torch.full_like(labels, IGNORE), 7)
    assert loss.item() == 0.0
    assert not any(gradient.any() for gradient in torch.autograd.grad(loss, (hidden, weight)))


@pytest.mark.parametrize("each", [False, True])
def test_the_logits_of_all_tokens_are_never_in_memory(each: bool) -> None:
    hidden, weight, labels = _inputs()
    with Largest() as largest:
        if each:
            token_losses(hidden, weight, labels, 5)
        else:
            summed_loss(hidden, weight, labels, 5).backward()
    assert largest.numbers <= max(TOKENS * DIM, VOCABULARY * DIM)
    with Largest() as plain:
        _plain(hidden, weight, labels)
    assert plain.numbers == TOKENS * VOCABULARY


@pytest.mark.parametrize("tied", [False, True])
def test_a_model_has_the_gradient_of_its_logits(tied: bool) -> None:
    model = make_model(dataclasses.replace(MODEL, tied_embeddings=tied))
    model.loss_tokens = 5
    batch = tensors(packed())
    loss = next_token_loss(model, batch)
    found = torch.autograd.grad(loss, list(model.parameters()))
    logits = model(input_ids=batch.tokens, position_ids=batch.positions).logits
    expected = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), reduction="sum")
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    for one, other in zip(found, torch.autograd.grad(expected, list(model.parameters())), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)
