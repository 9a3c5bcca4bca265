"""Rows of an embedding for tokens that training has not seen: the mean of the others (Hewitt 2021, "Initializing New
Word Embeddings for Pretrained Language Models").

A random row can be a token that the model, before it has learned anything of it, finds likelier than all others; the
mean row is never that.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor

from trainer.loop.placement import local, own_rows

EMBEDDINGS = frozenset({"model.embed_tokens.weight", "lm_head.weight"})
# In a unit: a sum of whole numbers is the same for any order of ranks. The largest weight is 2^31 / rows.
_STEPS = 2**32


@torch.no_grad()
def rows_to_mean(parameter: Tensor, ids: Sequence[int]) -> None:
    """Set rows `ids` of a matrix [rows, dim] to the mean of its other rows.

    The matrix is whole or sharded by rows, in one replica or several; every rank calls it.
    """
    (first, last), share = own_rows(parameter), local(parameter)
    mine = torch.zeros(len(share), dtype=torch.bool, device=share.device)
    mine[[n - first for n in ids if first <= n < last]] = True
    steps = (share[~mine].double() * _STEPS).round().long().sum(0)
    if isinstance(parameter, DTensor):  # replicas hold the same rows: the sum is over one of them
        dist.all_reduce(steps, group=parameter.device_mesh.get_group(-1))
    mean = steps.double() / _STEPS / (len(parameter) - len(set(ids)))
    share[mine] = mean.to(share.dtype)


def with_mean_rows(matrix: Tensor, rows: int) -> Tensor:
    """Return a matrix with its mean row behind it, up to so many rows; the matrix itself where it has as many."""
    lacking = rows - len(matrix)
    if lacking <= 0:
        return matrix
    return torch.cat([matrix, matrix.double().mean(0, keepdim=True).to(matrix.dtype).expand(lacking, -1)])
