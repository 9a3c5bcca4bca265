"""Blocks: splitting by hash range, canonical order, grouping and joining in Beam."""

from __future__ import annotations

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.shuffle.hash_blocks import (
    GROUP_BYTES,
    GroupBlocks,
    JoinBlocks,
    make_block,
    merge_blocks,
    partition_of,
    partitions_for,
    positions_of,
    read_block,
    run_lengths,
    run_starts,
    sort_rows,
    split_block,
    split_by,
    unique_rows,
)

PAIR = np.dtype([("key", "<u8"), ("value", "<i4")])
WIDE = np.dtype([("key", "<u8"), ("values", "<u4", (3,))])
TOP = 2**64 - 1


@pytest.mark.parametrize(
    ("rows", "row_bytes", "expected"),
    [(0, 48, 1), (1, 48, 1), (GROUP_BYTES // 16, 16, 1), (GROUP_BYTES // 16 + 1, 16, 2), (10**9, 16, 7630)],
)
def test_partitions_for(rows, row_bytes, expected):
    assert partitions_for(rows, row_bytes) == expected


def test_partition_of_cuts_the_hash_range_evenly():
    keys = np.array([0, 2**62 - 1, 2**62, 2**63 - 1, 2**63, TOP], np.uint64)
    assert partition_of(keys, 1).tolist() == [0] * 6
    assert partition_of(keys, 2).tolist() == [0, 0, 0, 0, 1, 1]
    assert partition_of(keys, 4).tolist() == [0, 0, 1, 1, 2, 3]
    assert partition_of(keys, 100_000).max() == 99_999


def test_split_block_leaves_out_empty_partitions():
    block = make_block(PAIR, key=np.array([TOP, 0, 1], np.uint64), value=np.array([1, 2, 3]))
    pieces = list(split_block(block, "key", 3))
    assert [key for key, _ in pieces] == [0, 2]
    assert read_block(pieces[0][1], PAIR)["value"].tolist() == [2, 3]
    assert read_block(pieces[1][1], PAIR)["value"].tolist() == [1]


def test_split_of_nothing_is_nothing():
    assert list(split_block(np.zeros(0, PAIR), "key", 3)) == []
    assert list(split_by(np.zeros(0, PAIR), np.zeros(0, np.uint32))) == []


def test_split_by_any_owner_keeps_the_order_of_rows():
    block = make_block(PAIR, key=np.array([5, 6, 7], np.uint64), value=0)
    pieces = dict(split_by(block, np.array([2**32 - 1, 7, 2**32 - 1], np.uint32)))
    assert read_block(pieces[2**32 - 1], PAIR)["key"].tolist() == [5, 7]
    assert read_block(pieces[7], PAIR)["key"].tolist() == [6]


def test_runs():
    column = np.array([1, 1, 2, 5, 5, 5])
    assert run_starts(column).tolist() == [0, 2, 3]
    assert run_lengths(run_starts(column), 6).tolist() == [2, 1, 3]
    assert run_starts(column, np.array([0, 1, 1, 1, 1, 2])).tolist() == [0, 1, 2, 3, 5]
    assert run_starts(np.zeros(0)).tolist() == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3) | st.integers(0, TOP), st.integers(-3, 3)), max_size=40))
def test_sort_rows_sorts_like_tuples(rows):
    block = np.array(rows, PAIR)
    assert sort_rows(block).tolist() == sorted(rows)
    assert unique_rows(sort_rows(block)).tolist() == sorted(set(rows))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.tuples(*[st.integers(0, 2)] * 3)), max_size=20), st.randoms())
def test_sort_rows_with_array_fields_is_canonical(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    ordered = sort_rows(np.array(rows, WIDE))
    assert ordered.tobytes() == sort_rows(np.array(shuffled, WIDE)).tobytes()
    assert sorted(map(str, ordered.tolist())) == sorted(map(str, np.array(rows, WIDE).tolist()))
    assert len(unique_rows(ordered)) == len(set(rows))


@settings(deadline=None, max_examples=60)
@given(
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4))), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)))
)
def test_positions_of(ids, wanted):
    ids = sorted(ids)
    columns = [np.array(column, np.uint64) for column in (zip(*ids, strict=True) if ids else ((), ()))]
    wishes = [np.array(column, np.uint64) for column in (zip(*wanted, strict=True) if wanted else ((), ()))]
    expected = [ids.index(wish) if wish in ids else -1 for wish in wanted]
    assert positions_of((wishes[0], wishes[1]), *columns).tolist() == expected


def test_group_blocks_is_independent_of_arrival_order():
    pieces = [(1, make_block(PAIR, key=np.array([n % 5], np.uint64), value=np.array([-n])).tobytes()) for n in range(9)]
    pieces += [(4, make_block(PAIR, key=np.array([TOP, 3], np.uint64), value=0).tobytes())]
    expected = [(1, merge_blocks([data for key, data in pieces if key == 1], PAIR).tobytes())]
    expected += [(4, make_block(PAIR, key=np.array([3, TOP], np.uint64), value=0).tobytes())]
    for order in (pieces, pieces[::-1]):
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            assert_that(pipeline | beam.Create(order) | GroupBlocks(PAIR), equal_to(expected))


def test_group_blocks_uses_fast_deterministic_coders():
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        grouped = pipeline | beam.Create([(1, b"")]) | GroupBlocks(PAIR)
        coder = beam.coders.registry.get_coder(grouped.element_type)
        assert coder == beam.coders.TupleCoder([beam.coders.VarIntCoder(), beam.coders.BytesCoder()])


def test_join_blocks_gives_empty_bytes_for_a_missing_side():
    one = make_block(PAIR, key=np.array([2, 1], np.uint64), value=0)
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        left = pipeline | "left" >> beam.Create([(0, one.tobytes()), (3, one[:1].tobytes()), (3, one[1:].tobytes())])
        right = pipeline | "right" >> beam.Create([(3, np.zeros(1, WIDE).tobytes()), (9, np.zeros(2, WIDE).tobytes())])
        expected = [
            (0, (one[::-1].tobytes(), b"")),
            (3, (one[::-1].tobytes(), bytes(20))),
            (9, (b"", bytes(40))),
        ]
        assert_that((left, right) | JoinBlocks(PAIR, WIDE), equal_to(expected))
