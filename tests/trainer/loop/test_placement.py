"""Weights of a rank: it draws and reads its own rows, and they are those of the whole model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Shard
from torch.testing._internal.distributed.fake_pg import FakeStore

from trainer.loop import placement
from trainer.loop.placement import fill, local, own_rows

WORLD, ROWS, COLUMNS = 4, 26, 8  # the last rank holds fewer rows than the others


@pytest.fixture(params=range(WORLD))
def share(request: pytest.FixtureRequest) -> Iterator[DTensor]:
    """One rank's share of a matrix, as FSDP cuts it; the other ranks are not there."""
    dist.init_process_group("fake", store=FakeStore(), rank=request.param, world_size=WORLD)
    try:
        mesh = init_device_mesh("cpu", (WORLD,))
        rows = torch.arange(ROWS).chunk(WORLD)[request.param]
        mine = torch.zeros(len(rows), COLUMNS)
        yield DTensor.from_local(mine, mesh, [Shard(0)], shape=torch.Size((ROWS, COLUMNS)), stride=(COLUMNS, 1))
    finally:
        dist.destroy_process_group()


@pytest.mark.parametrize("at_once", [1, 3 * COLUMNS, 10**6])
def test_a_rank_draws_its_rows_of_the_weights_of_a_run_by_one(
    share: DTensor, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(placement, "DRAWN_AT_ONCE", at_once)
    whole = nn.Parameter(torch.zeros(ROWS, COLUMNS))
    fill(whole, "name", 3, mean=0.0, std=0.5)
    drawn = []
    hashed = placement.keyed_hash
    monkeypatch.setattr(placement, "keyed_hash", lambda *words: drawn.append(words) or hashed(*words))
    fill(share, "name", 3, mean=0.0, std=0.5)
    first, last = own_rows(share)
    assert torch.equal(local(share), whole[first:last])
    assert whole.std().item() == pytest.approx(0.5, rel=0.2)
    assert len(drawn) <= (last - first) * COLUMNS // at_once + 2
    fill(share, "norm", 3, mean=1.0, std=0.0)
    assert torch.equal(local(share), torch.ones(last - first, COLUMNS))


def test_small_weights_are_those_of_before_blocks() -> None:
    found = nn.Parameter(torch.zeros(2, 2))
    fill(found, "model.embed_tokens.weight", 3, mean=0.0, std=0.02)
    seed = placement.keyed_hash("trainer.weights", "3:model.embed_tokens.weight") >> 1
    expected = torch.empty(2, 2).normal_(0.0, 0.02, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(found, expected)
