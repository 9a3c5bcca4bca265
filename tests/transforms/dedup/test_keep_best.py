"""KeepBestPerKey: one winner for each key, by rank, id and place, whatever the partitions and the order.

Over several runs the first that has a key wins, and only its partitions, not theirs, may differ.
"""

from __future__ import annotations

from collections import defaultdict

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.keep_best import (
    COPY,
    LOSER,
    SEEN,
    KeepBestPerKey,
    Winner,
    losers,
    losers_of,
    losers_to_known,
    seen_rows,
)
from transforms.shuffle.hash_blocks import sort_rows
from transforms.shuffle.known_rows import KnownRows, KnownTable, table_facts

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


def test_the_winner_of_each_key_is_left_for_later_runs():
    rows = sort_rows(copies((1, 3, 6, 0, 0), (1, 3, 5, 0, 1), (1, 2, 1, 0, 2), (2, 0, 7, 0, 3)))
    assert seen_rows(rows).tolist() == [(1, 2, 5, 6), (2, 3, 7, 8)]
    assert seen_rows(rows[:0]).tolist() == []


def test_a_key_that_was_seen_before_loses_whatever_its_rank():
    rows = sort_rows(copies((1, MOST, 1, 0, 0), (1, 0, 2, 0, 1), (2, 0, 3, 0, 2), (3, 0, 4, 0, 3)))
    late, first, new = losers_to_known(rows, np.array([(3, 4, 70, 71), (1, 2, 90, 91), (2, 9, 80, 81)], SEEN))
    assert late["row"].tolist() == [1, 0, 3]  # canonical order: the smaller rank of key 1 first
    assert first["id_hi"].tolist() == [90, 90, 70]
    assert new["row"].tolist() == [2]  # the other half of key 2 is another one
    late, first, new = losers_to_known(rows, np.zeros(0, SEEN))
    assert (len(late), len(first), len(new)) == (0, 0, 4)


def test_losers_of_tells_who_won_and_whether_it_is_of_an_earlier_run():
    blocks = [np.array([(4, 1, 2, 0)], LOSER).tobytes(), np.array([(9, 3, 4, 1)], LOSER).tobytes()]
    assert losers_of(blocks) == {4: Winner(f"{1:016x}{2:016x}", False), 9: Winner(f"{3:016x}{4:016x}", True)}


def run_of(folder, blocks, n_partitions, earlier, expected):
    """Run the transform, check what it returns, and return the table it left."""
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        known = KnownRows(str(folder), SEEN, tuple(earlier))
        assert_that(pipeline | beam.Create(blocks) | KeepBestPerKey(n_partitions, known), equal_to(expected))
    return KnownTable(str(folder), table_facts(str(folder), SEEN)["digest"])


@pytest.mark.parametrize("n_partitions", [1, 3, 17])
def test_same_losers_for_any_partitions_and_order(n_partitions, tmp_path):
    random = np.random.default_rng(n_partitions)  # the order differs from case to case, the result must not
    keys = (np.arange(40, dtype=object) * 0x9E3779B97F4A7C15) % 2**63
    rows = [(int(keys[n % 25]), n % 3, n * 7 % 11, n % 4, n) for n in range(120)]
    by_part = defaultdict(list)
    for part, row, winner in brute_force(rows):
        by_part[part].append((row, winner, winner + 1, 0))
    expected = [(part, np.array(sorted(lost), LOSER).tobytes()) for part, lost in by_part.items()]
    blocks = [copies(*rows)[chunk].tobytes() for chunk in np.array_split(random.permutation(120), 7)]
    run_of(tmp_path, blocks, n_partitions, [], expected)
    assert table_facts(str(tmp_path), SEEN)["rows"] == 25


@pytest.mark.parametrize("partitions", [(1, 1, 1), (3, 17, 2), (17, 1, 40)])
def test_three_runs_and_an_empty_one_with_any_partitions(partitions, tmp_path):
    keys = [n * 0x9E3779B97F4A7C15 % 2**63 for n in range(30)]
    first, second, nothing, third = (
        [(keys[n], n % 3, n + 100 * run, n % 2, n) for n in range(*some)]
        for run, some in enumerate([(0, 20), (10, 30), (0, 0), (5, 25)])
    )
    tables, seen = [], {}
    for run, (rows, n_partitions) in enumerate(zip([first, second, nothing, third], [*partitions, 5], strict=True)):
        lost = defaultdict(list)
        for key, _, _, part, row in rows:
            if key in seen:
                lost[part].append((row, seen[key], seen[key] + 1, 1))
        expected = [(part, np.array(sorted(found), LOSER).tobytes()) for part, found in lost.items()]
        tables.append(run_of(tmp_path / str(run), [copies(*rows).tobytes()], n_partitions, tables, expected))
        seen = {**{key: name for key, _, name, _, _ in rows}, **seen}
    assert [table_facts(table.folder, SEEN)["rows"] for table in tables] == [20, 10, 0, 0]


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(-2, 2), st.integers(0, 9)), max_size=30),
    st.integers(0, 30),
)
def test_two_runs_keep_one_of_each_key_as_one_run_does(rows, cut):
    """Which one is kept differs: the first committed; that one is, and one only, does not."""
    rows = [(*row, 0, n) for n, row in enumerate(rows)]
    first, second = (sort_rows(copies(*some)) for some in (rows[:cut], rows[cut:]))
    seen = seen_rows(first)
    late, _, new = losers_to_known(second, seen)
    lost = [losers(first)[0], late, losers(new)[0]]
    gone = {int(row) for some in lost for row in some["row"]}
    kept = [row[0] for row in rows if row[4] not in gone]
    at_once = losers(sort_rows(copies(*rows)))[0]["row"].tolist()
    assert sorted(kept) == sorted(row[0] for row in rows if row[4] not in at_once)
    assert len(kept) == len(set(kept))
