"""KeepBestPerKey: one winner for each key, by rank, id and place, whatever the partitions and the order."""

from __future__ import annotations

from collections import defaultdict

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.blocks import sort_rows
from transforms.keep_best import COPY, LOSER, KeepBestPerKey, losers

LEAST, MOST = -(2**63), 2**63 - 1


def copies(*rows):
    """Rows (key, rank, id, part, row); key and id fill both halves."""
    return np.array([(key, key + 1, rank, name, name + 1, part, row) for key, rank, name, part, row in rows], COPY)


def verdict(*rows):
    lost, won = losers(sort_rows(copies(*rows)))
    return sorted(zip(lost["part"].tolist(), lost["row"].tolist(), won["id_hi"].tolist(), strict=True))


def test_the_bigger_rank_wins():
    assert verdict((1, 10, 5, 0, 0), (1, 11, 9, 0, 1), (2, 0, 7, 0, 2)) == [(0, 0, 9)]


def test_the_smaller_id_wins_a_tie_then_the_smaller_place():
    assert verdict((1, 3, 6, 0, 0), (1, 3, 5, 0, 1), (1, 2, 1, 0, 2)) == [(0, 0, 5), (0, 2, 5)]
    assert verdict((1, 3, 6, 1, 0), (1, 3, 6, 0, 9), (1, 3, 6, 0, 8)) == [(0, 9, 6), (1, 0, 6)]


def test_extreme_ranks_do_not_overflow():
    assert verdict((1, LEAST, 1, 0, 0), (1, MOST, 2, 0, 1), (1, 0, 3, 0, 2)) == [(0, 0, 2), (0, 2, 2)]


def test_both_halves_of_the_key_count():
    rows = copies((1, 0, 1, 0, 0), (1, 1, 2, 0, 1))
    rows["key_lo"] = [8, 9]
    assert len(losers(sort_rows(rows))[0]) == 0


def test_nothing_in_nothing_out():
    assert verdict() == []


def brute_force(rows):
    groups = defaultdict(list)
    for row in rows:
        groups[row[0]].append(row)
    lost = []
    for group in groups.values():
        best = min(group, key=lambda row: (-row[1], row[2], row[3], row[4]))
        lost += [(row[3], row[4], best[2]) for row in group if row is not best]
    return sorted(lost)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(-2, 2), st.integers(0, 3), st.integers(0, 3), st.integers(0, 99)),
        unique_by=lambda row: row[3:],
        max_size=40,
    )
)
def test_losers_equal_brute_force(rows):
    assert verdict(*rows) == brute_force(rows)


@pytest.mark.parametrize("n_partitions", [1, 3, 17])
def test_same_losers_for_any_partitions_and_order(n_partitions):
    random = np.random.default_rng(n_partitions)  # the order differs from case to case, the result must not
    keys = (np.arange(40, dtype=object) * 0x9E3779B97F4A7C15) % 2**63
    rows = [(int(keys[n % 25]), n % 3, n * 7 % 11, n % 4, n) for n in range(120)]
    by_part = defaultdict(list)
    for part, row, winner in brute_force(rows):
        by_part[part].append((row, winner, winner + 1))
    expected = [(part, np.array(sorted(lost), LOSER).tobytes()) for part, lost in by_part.items()]
    blocks = [copies(*rows)[chunk].tobytes() for chunk in np.array_split(random.permutation(120), 7)]
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        assert_that(pipeline | beam.Create(blocks) | KeepBestPerKey(n_partitions), equal_to(expected))
