from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import ConfigError, RunError
from tests.trainer.titan.jobs import BATCH, job
from trainer.data.mixture import Mixture
from trainer.titan.order import MicroBatches


@pytest.fixture
def mixture(tmp_path: Path) -> Mixture:
    return job(tmp_path).open_data()[0]


def step_of(mixture: Mixture, step: int, size: int, world: int) -> np.ndarray:
    """Return the tokens that all ranks together get in a step, in the order of ranks."""
    found = []
    for rank in range(world):
        order = MicroBatches(mixture, BATCH, size, rank, world)
        order.go_to(step * BATCH)
        found += [batch.tokens for batch in itertools.islice(order, BATCH // size // world)]
    return np.concatenate(found)


@pytest.mark.parametrize(("size", "world"), [(1, 1), (2, 1), (8, 1), (1, 4), (2, 2), (1, 8)])
def test_ranks_and_micro_batches_cut_the_same_batch(mixture: Mixture, size: int, world: int) -> None:
    for step in (0, 1, 5):
        assert (step_of(mixture, step, size, world) == mixture.batch(step).tokens).all()


def test_positions_and_labels_come_with_their_tokens(mixture: Mixture) -> None:
    whole = mixture.batch(0)
    batches = list(itertools.islice(MicroBatches(mixture, BATCH, 2, 1, 2), 2))
    assert (np.concatenate([batch.positions for batch in batches]) == whole.positions[4:]).all()
    assert (np.concatenate([batch.labels for batch in batches]) == whole.labels[4:]).all()


def test_it_counts_what_all_ranks_have_had(mixture: Mixture) -> None:
    order = MicroBatches(mixture, BATCH, 2, 1, 2)
    batches = iter(order)
    next(batches)
    assert order.sequences == 4
    next(batches)
    assert order.sequences == BATCH
    assert (next(batches).tokens == mixture.batch(1).tokens[4:6]).all()


def test_another_world_goes_on_after_a_whole_step(mixture: Mixture) -> None:
    order = MicroBatches(mixture, BATCH, 1, 0, 1)
    list(itertools.islice(order, 3 * BATCH))
    other = MicroBatches(mixture, BATCH, 2, 3, 4)
    other.go_to(order.sequences)
    assert (next(iter(other)).tokens == mixture.batch(3).tokens[6:]).all()


@pytest.mark.parametrize("sequences", [-BATCH, 1, BATCH + 4])
def test_it_does_not_go_on_inside_a_step(mixture: Mixture, sequences: int) -> None:
    with pytest.raises(RunError, match="batches have 8"):
        MicroBatches(mixture, BATCH, 1, 0, 1).go_to(sequences)


def test_a_batch_that_cannot_be_cut_evenly_is_refused(mixture: Mixture) -> None:
    with pytest.raises(ConfigError, match="a batch of 8 sequences cannot be cut into micro-batches of 3 for 1 ranks"):
        MicroBatches(mixture, BATCH, 3, 0, 1)
    with pytest.raises(ConfigError, match="for 16 ranks"):
        MicroBatches(mixture, BATCH, 1, 0, 16)
