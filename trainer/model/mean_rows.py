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
from torch.distributed.tensor import DTensor, Shard

EMBEDDINGS = frozenset({"model.embed_tokens.weight", "lm_head.weight"})
_STEPS = (
    2**32
)  # in a unit: a sum of whole numbers is the same for any order of ranks; 2^31 / rows is the largest weight


@torch.no_grad()
def rows_to_mean(parameter: Tensor, ids: Sequence[int]) -> None:
    """Set rows `ids` of a matrix [rows, dim], sharded by rows or whole, to the mean of its other rows."""
    local = parameter.to_local() if isinstance(parameter, DTensor) else parameter
    first = _first_row(parameter, len(local))
    mine = torch.zeros(len(local), dtype=torch.bool, device=local.device)
    for n in ids:
        if first <= n < first + len(local):
            mine[n - first] = True
    steps = (local[~mine].double() * _STEPS).round().long().sum(0)
    if isinstance(parameter, DTensor):
        dist.all_reduce(steps, group=parameter.device_mesh.get_group())
    mean = steps.double() / _STEPS / (len(parameter) - len(set(ids)))
    local[mine] = mean.to(local.dtype)


def with_mean_rows(matrix: Tensor, rows: int) -> Tensor:
    """Return a matrix with its mean row behind it, up to so many rows; the matrix itself where it has as many."""
    lacking = rows - len(matrix)
    if lacking <= 0:
        return matrix
    return torch.cat([matrix, matrix.double().mean(0, keepdim=True).to(matrix.dtype).expand(lacking, -1)])


def _first_row(parameter: Tensor, rows: int) -> int:
    """Return the number of the first row that this rank has."""
    if not isinstance(parameter, DTensor):
        return 0
    if parameter.placements != (Shard(0),):
        raise ValueError(f"placements {parameter.placements}: rows are set of matrices that are sharded by rows alone")
    chunk = -(-len(parameter) // parameter.device_mesh.size())
    return min(len(parameter), chunk * parameter.device_mesh.get_local_rank()) if rows else len(parameter)
