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

from schemas.blocks import CODE, HEADING, PARAGRAPH, Blocks
from schemas.errors import ConfigError
from schemas.identity import content_id
from transforms.dedup.frequent_lines import (
    COUNTED,
    LINE,
    NO_KEY,
    Buckets,
    FindFrequentLines,
    LinesConfig,
    count_lines,
    drop_lines,
    frequent_rows,
    judged_lines,
    line_keys,
    normal_lines,
    open_lines,
)
from transforms.shuffle.hash_blocks import read_block
from transforms.shuffle.known_rows import KnownRows, KnownTable, table_facts
from transforms.step import Edit
from transforms.text.view import TextView

DEFAULT = LinesConfig(count_documents=False, by_blocks=False)
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


IDS = [content_id(str(n)) for n in range(3000)]


@pytest.mark.parametrize(
    ("bucket_docs", "n_docs", "before", "numbers", "still_open"),
    [
        (10, 0, 0, {0}, {0}),
        (10, 1, 0, {0}, {0}),
        (10, 10, 0, {0}, set()),  # full: the next run begins with bucket 1
        (10, 11, 0, {0, 1}, {1}),
        (10, 25, 0, {0, 1, 2}, {2}),
        (10, 5, 4, {0}, {0}),  # 4 + 5 documents in bucket 0
        (10, 6, 4, {0}, set()),
        (10, 7, 4, {0, 1}, {1}),
        (10, 1, 10, {1}, {1}),
        (10, 10, 25, {2, 3}, {3}),  # 25 fill buckets 0 and 1; 5 of bucket 2 and 10 more are two buckets
        (10, 1, 29, {2}, set()),
        (1, 2, 7, {7, 8}, set()),
    ],
)
def test_buckets(bucket_docs, n_docs, before, numbers, still_open):
    buckets = Buckets(bucket_docs, n_docs, before)
    found = {buckets.of(name) for name in IDS}
    assert found == numbers
    assert {bucket for bucket in found if buckets.is_open(bucket)} == still_open


def test_buckets_are_of_equal_size():
    sizes = Counter(Buckets(1000, 3000).of(name) for name in IDS)
    assert sorted(sizes) == [0, 1, 2]
    assert min(sizes.values()) > 900


def test_later_runs_go_on_where_the_earlier_ones_ended():
    """What is open after one run is what the next one begins with, and nothing else meets again."""
    for bucket_docs in (1, 3, 7):
        for before in range(12):
            for n_docs in range(1, 12):
                now, later = Buckets(bucket_docs, n_docs, before), Buckets(bucket_docs, 100, before + n_docs)
                ours, theirs = {now.of(name) for name in IDS[:300]}, {later.of(name) for name in IDS[:300]}
                assert {bucket for bucket in ours if now.is_open(bucket)} >= ours & theirs


def test_count_lines_by_occurrence_and_by_document():
    one, two = np.array([5, 5, NO_KEY, 9], np.uint64), np.array([9, 5], np.uint64)
    both = [(one, True), (two, True)]
    assert count_lines(both, DEFAULT).tolist() == [(5, 3, 1), (9, 2, 1)]
    assert count_lines(both, LinesConfig(count_documents=True)).tolist() == [(5, 2, 1), (9, 2, 1)]
    assert count_lines([(one, False), (two + np.uint64(9), True)], DEFAULT).tolist() == [
        (5, 2, 0), (9, 1, 0), (14, 1, 1), (18, 1, 1)
    ]  # fmt: skip
    assert count_lines([], DEFAULT).tolist() == []
    assert count_lines([(np.array([NO_KEY], np.uint64), True)], DEFAULT).tolist() == []


def test_drop_lines_drops_every_copy_and_counts():
    text = "Read more\nA sentence.\n\nREAD MORE\n  \nAnother."
    frequent = np.sort(line_keys(["read more", "not here", ""], "en", 3))
    edit = drop_lines(TextView(text, "en"), 3, frequent, DEFAULT)
    assert edit.apply(text) == "A sentence.\n\n  \nAnother."
    assert edit.counts == {"frequent_lines": 2, "frequent_line_chars": 18}
    assert set(edit.reasons) == {"frequent_lines"}
    assert drop_lines(TextView(text, "en"), 4, frequent, DEFAULT) == Edit()
    assert drop_lines(TextView(text, "de"), 3, frequent, DEFAULT).counts == {}


def test_drop_lines_at_the_edges():
    nothing = np.zeros(0, np.uint64)
    assert drop_lines(TextView("", "en"), 0, nothing, DEFAULT) == Edit()
    assert drop_lines(TextView("a\n", "en"), 0, nothing, DEFAULT) == Edit()
    assert drop_lines(TextView("a", "en"), 0, line_keys(["a"], "en", 0), DEFAULT).apply("a") == ""
    assert drop_lines(TextView("\n\n", "en"), 0, np.array([NO_KEY], np.uint64), DEFAULT) == Edit()
    assert drop_lines(TextView("b\nz" * 1000, "en"), 0, line_keys(["q"], "en", 0), DEFAULT).counts == {}


def test_code_and_short_lines_outside_paragraphs_are_spared():
    heading, prose, code, long = "Ingredients", "Read more", "    return 0", " ".join(["word"] * 10)
    text, spans = "", []
    for kind, piece in ((HEADING, heading), (PARAGRAPH, prose), (CODE, code), (HEADING, long)):
        spans.append((kind, len(text), len(text) + len(piece)))
        text += f"{piece}\n"
    view = TextView(text, "en", Blocks.of(spans))
    assert judged_lines(view, LinesConfig()) == ["", prose, "", long, ""]
    assert judged_lines(view, DEFAULT) == text.split("\n")
    frequent = np.sort(line_keys([heading, prose, code, long], "en", 0))
    assert drop_lines(view, 0, frequent, LinesConfig()).apply(text) == f"{heading}\n{prose}\n{code}\n"
    assert drop_lines(view, 0, frequent, LinesConfig(menu_lines=1)).apply(text) == f"{heading}\n{code}\n"


def test_frequent_rows_on_both_sides_of_the_limit():
    rows = np.array([(1, 6, 1), (2, 3, 1), (2, 4, 0), (3, 7, 0), (4, 2**32 - 1, 1), (4, 2**32 - 1, 1)], LINE)
    assert frequent_rows(rows, 6)["key"].tolist() == [2, 2, 3, 4, 4]
    assert frequent_rows(rows, 7)["key"].tolist() == [4, 4]
    assert len(frequent_rows(rows[:0], 6)) == 0


def test_copies_of_earlier_runs_count():
    rows = np.array([(1, 1, 1), (2, 3, 1), (2, 2, 1), (4, 1, 1)], LINE)
    counted = np.array([(2, 1), (4, 3), (9, 9), (0, 9), (4, 2), (1, 5)], COUNTED)
    assert frequent_rows(rows, 5, counted)["key"].tolist() == [1, 2, 2, 4]  # 6, 6 and 6 copies
    assert frequent_rows(rows, 6, counted)["key"].tolist() == []
    assert len(frequent_rows(rows[:0], 1, counted)) == 0
    most = np.array([(1, 2**32 - 1), (1, 2**32 - 1)], COUNTED)
    assert frequent_rows(rows, 2**33 - 2, most)["key"].tolist() == [1]


def test_only_lines_of_open_buckets_are_left_for_later_runs():
    rows = np.array([(1, 1, 1), (2, 3, 1), (2, 2, 1), (4, 1, 0), (5, 2**32 - 1, 1), (5, 9, 1)], LINE)
    assert open_lines(rows).tolist() == [(1, 1), (2, 5), (5, 2**32 - 1)]
    assert open_lines(rows[:0]).tolist() == []
    assert open_lines(rows[3:4]).tolist() == []


def brute_force(parts):
    total = Counter(itertools.chain.from_iterable(parts.values()))
    frequent = {line for line, count in total.items() if count > DEFAULT.max_copies}
    return {part: sorted(frequent & set(lines)) for part, lines in parts.items() if frequent & set(lines)}


LINES = {2: ["a"] * 6 + ["b"] * 3 + ["c"] * 7, 0: ["a", "b"], 4_000_000_000: ["b"] * 3 + ["d"] * 6, 7: ["e"]}
KEYS = {name: int(line_keys([name], "en", 0)[0]) for name in "abcde"}
PARTS = {part: [KEYS[name] for name in names] for part, names in LINES.items()}


def blocks_of(parts, is_open=True):
    return [
        (part, count_lines([(np.array(found, np.uint64), is_open)], DEFAULT).tobytes()) for part, found in parts.items()
    ]


def find(folder, blocks, n_partitions, expected, earlier=()):
    """Run the transform, check what it returns, and return the table it left."""
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        known = KnownRows(str(folder), COUNTED, tuple(earlier))
        found = pipeline | beam.Create(blocks) | FindFrequentLines(DEFAULT, known, n_partitions)
        assert_that(found, equal_to([(part, np.array(keys, np.uint64).tobytes()) for part, keys in expected.items()]))
    return KnownTable(str(folder), table_facts(str(folder), COUNTED)["digest"])


@pytest.mark.parametrize("n_partitions", [1, 3, 17])
def test_find_frequent_lines(n_partitions, tmp_path):
    assert {part: len(found) for part, found in brute_force(PARTS).items()} == {2: 3, 0: 2, 4_000_000_000: 1}
    blocks = blocks_of(PARTS)[:: 1 if n_partitions == 3 else -1]
    table = find(tmp_path, blocks, n_partitions, brute_force(PARTS))
    left = KnownRows("", COUNTED, (table,)).find(np.array(list(KEYS.values()), np.uint64))
    assert sorted(left.tolist()) == sorted(
        (KEYS[name], count) for name, count in {"a": 7, "b": 7, "c": 7, "d": 6, "e": 1}.items()
    )


@pytest.mark.parametrize("partitions", [(1, 1, 1), (17, 3, 5)])
def test_lines_count_on_over_three_runs(partitions, tmp_path):
    first = find(tmp_path / "1", blocks_of({0: PARTS[0], 7: PARTS[7]}), partitions[0], {})  # a, b, e
    second = {1: [KEYS["a"]] * 5 + [KEYS["d"]] * 3}
    second_table = find(tmp_path / "2", blocks_of(second), partitions[1], {}, [first])  # a: 6 by now
    nothing = find(tmp_path / "3", [], 4, {}, [first, second_table])
    third = {3: [KEYS["a"], KEYS["b"]], 4: [KEYS["d"]] * 4}  # a and d: the seventh copy
    expected = {3: [KEYS["a"]], 4: [KEYS["d"]]}
    find(tmp_path / "4", blocks_of(third), partitions[2], expected, [first, second_table, nothing])


def test_lines_of_full_buckets_are_not_left(tmp_path):
    table = find(tmp_path, blocks_of(PARTS, is_open=False), 3, brute_force(PARTS))
    assert KnownRows("", COUNTED, (table,)).find(np.array(list(KEYS.values()), np.uint64)).tolist() == []


def test_a_part_in_two_blocks_counts_once_for_each(tmp_path):
    block = np.array([(2**63, 4, 1)], LINE)
    find(tmp_path, [(1, block.tobytes())] * 2, 2, {1: [2**63]})


def test_blocks_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        read_block(np.zeros(1, LINE).tobytes(), LINE)["count"] = 1


def test_config_limits():
    LinesConfig(max_copies=1, bucket_docs=1)
    for wrong in ({"max_copies": 0}, {"bucket_docs": 0}):
        with pytest.raises(ConfigError):
            LinesConfig(**wrong)


@pytest.mark.parametrize(
    "line", ['"Yes."', "“No,” he said.", "— Why?", "him.", "and went home", "  KING", "}", "12", "* * *", "「はい」"]
)
def test_short_lines_that_are_text_are_spared(line: str) -> None:
    assert judged_lines(TextView(f"One\n{line}\ntwo", "en"), LinesConfig())[1] == ""


def test_a_short_frequent_line_goes_in_a_menu_or_at_an_end_and_stays_amid_text() -> None:
    menu = ["Home", "News", "Contact us"]
    prose = [f"The queen said {n} words to him that nobody else heard." for n in "ab"]
    frequent = np.sort(line_keys([*menu, "KING", "Note"], "en", 0))

    def left(*lines: str) -> list[str]:
        text = "\n".join(lines)
        return drop_lines(TextView(text, "en"), 0, frequent, LinesConfig()).apply(text).split("\n")

    assert left(prose[0], "KING", prose[1], "Note", prose[0]) == [prose[0], "KING", prose[1], "Note", prose[0]]
    assert left(prose[0], *menu, prose[1]) == prose
    assert left(prose[0], "", "Home", "", "News", "Contact us", "", "Home", "No")[-1] == "No"
    assert left(*prose, "Contact us", "News") == prose
    assert left(prose[0], "Home", "News", prose[1]) == [prose[0], "Home", "News", prose[1]]


def test_a_long_frequent_line_goes_wherever_it_is() -> None:
    notice, prose = "By continuing to use this site you agree to its terms of use.", "The queen said a word to him."
    text = f"{prose}\n{notice}\n{prose}"
    frequent = line_keys([notice], "en", 0)
    assert drop_lines(TextView(text, "en"), 0, frequent, LinesConfig()).apply(text) == f"{prose}\n{prose}"
