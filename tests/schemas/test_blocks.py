"""Blocks as a column and back."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.blocks import (
    BLOCKS_TYPE,
    CODE,
    HEADING,
    KINDS,
    PARAGRAPH,
    UNKNOWN,
    Blocks,
    blocks_array,
    blocks_of,
)

TEXTS = [
    Blocks.of([(HEADING, 0, 4), (PARAGRAPH, 6, 20)]),
    UNKNOWN,
    Blocks.of([(CODE, 0, 3)]),
    Blocks.of([(kind, kind, kind + 1) for kind in range(len(KINDS))]),
]
PLAIN_TYPE = pa.list_(pa.struct([("kind", pa.string()), ("start", pa.int32()), ("end", pa.int32())]))
_SPANS = st.lists(st.tuples(st.integers(0, len(KINDS) - 1), st.integers(0, 9), st.integers(0, 9)), max_size=4)


@pytest.mark.parametrize("texts", [TEXTS, TEXTS[1:2], []])
def test_there_and_back(texts: list[Blocks]) -> None:
    array = blocks_array(texts)
    assert array.type == BLOCKS_TYPE
    array.validate(full=True)
    assert blocks_of(array) == texts


def test_rows_hold_the_names_of_the_kinds() -> None:
    assert blocks_array(TEXTS[2:3]).to_pylist() == [[{"kind": "code", "start": 0, "end": 3}]]


def test_part_of_a_column() -> None:
    array = blocks_array(TEXTS)
    assert blocks_of(array.slice(1, 2)) == TEXTS[1:3]
    assert blocks_of(array.slice(2)) == TEXTS[2:]
    assert blocks_of(array.slice(1, 0)) == []
    assert blocks_of(array.take(pa.array([3, 0, 0, 1]))) == [TEXTS[3], TEXTS[0], TEXTS[0], TEXTS[1]]
    assert blocks_of(array.filter(pa.array([False, True, False, True]))) == [TEXTS[1], TEXTS[3]]


def test_null_is_unknown() -> None:
    array = blocks_array(TEXTS)
    assert blocks_of(array.take(pa.array([0, None, 2]))) == [TEXTS[0], UNKNOWN, TEXTS[2]]
    assert blocks_of(pa.nulls(2, BLOCKS_TYPE)) == [UNKNOWN, UNKNOWN]
    masked = pa.ListArray.from_arrays(
        array.offsets, array.values, type=BLOCKS_TYPE, mask=pa.array([True, False, False, False])
    )
    assert blocks_of(masked) == [UNKNOWN, *TEXTS[1:]]  # rows that a null hides are nobody's


def test_kinds_as_plain_strings_and_other_dictionaries() -> None:
    rows = blocks_array(TEXTS).to_pylist()
    plain = pa.array(rows, PLAIN_TYPE)
    assert blocks_of(plain) == TEXTS
    assert blocks_of(plain.slice(2, 2)) == TEXTS[2:]
    assert blocks_of(pa.array(rows[::-1], BLOCKS_TYPE)) == TEXTS[::-1]  # its dictionary is in order of appearance
    assert blocks_of(pa.array([[], []], PLAIN_TYPE)) == [UNKNOWN, UNKNOWN]


def test_equal_are_those_with_the_same_spans() -> None:
    assert Blocks.of([(CODE, 0, 3)]) == TEXTS[2] != TEXTS[0]
    assert hash(Blocks.of([(CODE, 0, 3)])) == hash(TEXTS[2])
    assert Blocks.of([]) == UNKNOWN


@given(st.lists(_SPANS, max_size=5), st.integers(0, 5), st.integers(0, 5))
def test_any_part_of_any_column(texts: list[list[tuple[int, int, int]]], start: int, length: int) -> None:
    blocks = [Blocks.of(spans) for spans in texts]
    assert blocks_of(blocks_array(blocks).slice(start, length)) == blocks[start : start + length]
