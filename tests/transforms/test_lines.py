"""Lines: ccNet's normal form, keys, counting, and dropping every copy of what is too frequent."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from schemas.identity import content_id
from transforms.blocks import read_block
from transforms.lines import (
    LINE,
    NO_KEY,
    FindFrequentLines,
    LinesConfig,
    bucket_of,
    count_lines,
    drop_lines,
    frequent_rows,
    line_keys,
    normal_lines,
)

DEFAULT = LinesConfig()
ANY_LINE = st.text(
    st.characters(exclude_characters="\n") | st.sampled_from("aΣİ 19１。…\x00\x85\r\t\u2028"), max_size=20
)


def reference_normal(line):
    """ccNet's rules one after the other: strip, lower, digits, punctuation and control characters."""
    line = re.sub(r"\d", "0", line.strip().lower())
    gone = set("，。、„”“«»」「《》´∶：？！（）；–—．～’…━〈〉【】％►") | set(map(chr, [*range(32), *range(127, 160)]))
    return "".join(character for character in line if character not in gone)


@pytest.mark.parametrize(
    ("line", "normal"),
    [
        ("", ""),
        ("  \t ", ""),
        ("x", "x"),
        ("  Copyright 2024, ACME Inc.  ", "copyright 0000, acme inc."),
        ("“Quoted” — text…", "quoted  text"),
        ("– … ►", "  "),
        ("Café É", "café é"),
        ("第１章：序。", "第0章序"),
        ("a\x00b\tc\x7fd\x85e", "abcde"),
        ("ΟΔΟΣ", "οδος"),
        ("***", "***"),
        ("שלום 123", "שלום 000"),
    ],
)
def test_normal_lines(line, normal):
    assert normal_lines([line]) == [normal]


@settings(deadline=None, max_examples=200)
@given(st.lists(ANY_LINE, max_size=8))
def test_normal_lines_equal_the_reference_line_by_line(lines):
    assert normal_lines(lines) == [reference_normal(line) for line in lines]


def test_keys_know_line_language_and_bucket():
    keys = line_keys(["Read more", "  READ MORE ", "Read less", "", " … "], "en", 0)
    assert keys[0] == keys[1] != keys[2]
    assert keys[3] == NO_KEY
    assert keys.dtype == np.uint64
    everywhere = [line_keys(["Read more"], *place)[0] for place in (("en", 0), ("en", 1), ("de", 0), ("", 0))]
    assert len(set(everywhere)) == 4
    assert len(line_keys([], "en", 0)) == 0


def test_a_line_of_blanks_left_by_punctuation_has_a_key():
    """ccNet strips before it deletes; what is left counts by its own form."""
    assert normal_lines(["– …"]) == [" "]
    assert line_keys(["– …"], "en", 0)[0] != NO_KEY


def test_key_is_pinned():
    """Keys are kept in tables and joined by later runs: they must never change."""
    assert line_keys(["Read more"], "en", 0).tolist() == [946241096612191880]


def test_bucket_of():
    ids = [content_id(str(n)) for n in range(3000)]
    assert {bucket_of(name, 0, 10) for name in ids} == {0}
    assert {bucket_of(name, 10, 10) for name in ids} == {0}
    assert {bucket_of(name, 11, 10) for name in ids} == {0, 1}
    sizes = Counter(bucket_of(name, 3000, 1000) for name in ids)
    assert sorted(sizes) == [0, 1, 2]
    assert min(sizes.values()) > 900


def test_count_lines_by_occurrence_and_by_document():
    one, two = np.array([5, 5, NO_KEY, 9], np.uint64), np.array([9, 5], np.uint64)
    assert count_lines([one, two], DEFAULT).tolist() == [(5, 3), (9, 2)]
    assert count_lines([one, two], LinesConfig(count_documents=True)).tolist() == [(5, 2), (9, 2)]
    assert count_lines([], DEFAULT).tolist() == []
    assert count_lines([np.array([NO_KEY], np.uint64)], DEFAULT).tolist() == []


def test_drop_lines_drops_every_copy_and_counts():
    text = "Read more\nA sentence.\n\nREAD MORE\n  \nAnother."
    frequent = np.sort(line_keys(["read more", "not here", ""], "en", 3))
    edit = drop_lines(text, "en", 3, frequent)
    assert edit.text == "A sentence.\n\n  \nAnother."
    assert edit.counts == {"frequent_lines": 2, "frequent_line_chars": 18}
    assert drop_lines(text, "en", 4, frequent).text == text
    assert drop_lines(text, "de", 3, frequent).counts == {}


def test_drop_lines_at_the_edges():
    nothing = np.zeros(0, np.uint64)
    assert drop_lines("", "en", 0, nothing).text == ""
    assert drop_lines("a\n", "en", 0, nothing).text == "a\n"
    assert drop_lines("a", "en", 0, line_keys(["a"], "en", 0)).text == ""
    assert drop_lines("\n\n", "en", 0, np.array([NO_KEY], np.uint64)).text == "\n\n"
    assert drop_lines("b\nz" * 1000, "en", 0, line_keys(["q"], "en", 0)).counts == {}


def test_frequent_rows_on_both_sides_of_the_limit():
    rows = np.array([(1, 6), (2, 3), (2, 4), (3, 7), (4, 2**32 - 1), (4, 2**32 - 1)], LINE)
    assert frequent_rows(rows, 6)["key"].tolist() == [2, 2, 3, 4, 4]
    assert frequent_rows(rows, 7)["key"].tolist() == [4, 4]
    assert len(frequent_rows(rows[:0], 6)) == 0


def brute_force(parts):
    total = Counter(itertools.chain.from_iterable(parts.values()))
    frequent = {line for line, count in total.items() if count > DEFAULT.max_copies}
    return {part: sorted(frequent & set(lines)) for part, lines in parts.items() if frequent & set(lines)}


@pytest.mark.parametrize("n_partitions", [1, 3, 17])
def test_find_frequent_lines(n_partitions):
    lines = {2: ["a"] * 6 + ["b"] * 3 + ["c"] * 7, 0: ["a", "b"], 4_000_000_000: ["b"] * 3 + ["d"] * 6, 7: ["e"]}
    keys = {name: int(line_keys([name], "en", 0)[0]) for name in "abcde"}
    parts = {part: [keys[name] for name in names] for part, names in lines.items()}
    assert {part: len(found) for part, found in brute_force(parts).items()} == {2: 3, 0: 2, 4_000_000_000: 1}
    blocks = [(part, count_lines([np.array(found, np.uint64)], DEFAULT).tobytes()) for part, found in parts.items()]
    expected = [(part, np.array(found, np.uint64).tobytes()) for part, found in brute_force(parts).items()]
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        found = pipeline | beam.Create(blocks[:: 1 if n_partitions == 3 else -1])
        assert_that(found | FindFrequentLines(DEFAULT, n_partitions), equal_to(expected))


def test_a_part_in_two_blocks_counts_once_for_each():
    block = np.array([(2**63, 4)], LINE)
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        found = pipeline | beam.Create([(1, block.tobytes())] * 2) | FindFrequentLines(DEFAULT, 2)
        assert_that(found, equal_to([(1, np.array([2**63], np.uint64).tobytes())]))


def test_blocks_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        read_block(np.zeros(1, LINE).tobytes(), LINE)["count"] = 1


def test_config_limits():
    LinesConfig(max_copies=1, bucket_docs=1)
    for wrong in ({"max_copies": 0}, {"bucket_docs": 0}):
        with pytest.raises(ConfigError):
            LinesConfig(**wrong)
