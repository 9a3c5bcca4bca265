"""Batches of free columns: units stay whole, and what fills a share up counts for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import ConfigError
from trainer.data.batches import IGNORE, LABELS, TOKENS, Batch, Column, Columns, filled, n_tokens, rows_of, share_of


def pairs() -> Batch:
    """Three units: two rows, three rows, two rows."""
    tokens = np.arange(28).reshape(7, 4)
    rank = np.array([0, 1, 0, 1, 2, 1, 0])
    return Columns({"tokens": tokens, "labels": tokens + 1, "rank": rank}, [2, 3, 2])


def test_units_are_cut_whole() -> None:
    cut = rows_of(pairs(), 1, 3)
    assert cut.units == [3, 2]
    assert cut.rows == 5
    assert cut["rank"].tolist() == [0, 1, 2, 1, 0]
    assert cut.tokens[:, 0].tolist() == [8, 12, 16, 20, 24]


def test_what_fills_a_share_up_does_not_count() -> None:
    facts = {"tokens": TOKENS, "labels": LABELS, "rank": Column("int64", "place", by_token=False, idle=-1)}
    whole = filled(pairs(), 5, facts)
    assert (whole.units, whole.rows) == ([2, 3, 2, 2, 2], 11)
    assert whole["rank"].tolist()[7:] == [-1] * 4
    assert (whole.labels[7:] == IGNORE).all()
    assert (whole.tokens[7:] == np.tile(pairs().tokens[:2], (2, 1))).all()  # real tokens: no row is all padding
    assert filled(whole, 4, facts) is whole


def test_tokens_are_counted_without_padding() -> None:
    batch = pairs()
    assert n_tokens(batch) == 28
    assert n_tokens(Columns({**batch.columns, "lengths": np.array([4, 2, 1, 1, 1, 1, 1])}, batch.units)) == 11


@pytest.mark.parametrize("world", [1, 2, 3, 7])
def test_ranks_in_order_make_up_the_batch(world: int) -> None:
    shares = [share_of(7, rank, world) for rank in range(world)]
    assert [n for share in shares for n in share] == list(range(7))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_batch_is_not_shared_by_more_ranks_than_it_has_units() -> None:
    with pytest.raises(ConfigError, match="a batch of 2 units cannot be shared by 3 ranks"):
        share_of(2, 0, 3)
