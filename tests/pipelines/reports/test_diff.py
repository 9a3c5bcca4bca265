"""`winnow show --diff`: what each step took out of a text, marked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pipelines.reports.diff import (
    Change,
    Diff,
    Mark,
    Piece,
    _changed,
    _refined,
    _undone,
    diff_of,
    differences,
    draw,
)
from pipelines.reports.records import chains_of
from pipelines.runs.dataset import Dataset
from tests.pipelines.conftest import Call, rows
from transforms.text.replacements import replace

NOTICE = rows()[9]["text"].rsplit("\n", 1)[1]  # a line that the rules of C4 take away
CUT, FILL = Mark("clean", "cut", "too_long"), Mark("clean", "fill", "")


def drawn(*pieces: Piece, colour: bool = False) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=200, highlight=False, color_system="standard" if colour else None)
    console.print(draw(Diff({"id": "1"}, list(pieces), [])))
    return [line.rstrip() for line in file.getvalue().split("\n\n")[1].splitlines()]


def test_lines_that_went_have_a_sign_and_parts_of_lines_brackets() -> None:
    assert drawn(
        Piece("Stays.\n"), Piece("Goes.\n", gone=CUT), Piece("Comes.\n", added=FILL), Piece("Write to "),
        Piece("jo@host.com", gone=Mark("clean", "pii", "email"), private=True),
        Piece("name@example.com", added=Mark("clean", "pii", "email")), Piece(" please"), Piece("!!", gone=CUT),
    ) == [
        "  Stays.", "- Goes.  <cut: too_long>", "+ Comes.  <fill>",
        "  Write to [-email, 11 characters-]{+name@example.com+}<pii: email> please[-!!-]<cut: too_long>",
    ]  # fmt: skip


def test_a_terminal_shows_colours() -> None:
    (line,) = drawn(Piece("Goes.", gone=CUT), colour=True)
    assert "\x1b[31m- Goes." in line


def test_a_piece_that_was_put_in_and_taken_out_again_is_gone() -> None:
    first = _changed([Piece("ab cd")], [Change(0, 2, "xyz", FILL)])
    last = _changed(first, [Change(1, 5, "", CUT)])
    assert [(piece.text, piece.added, piece.gone) for piece in last] == [
        ("ab", None, FILL), ("x", FILL, None), ("yz", FILL, CUT), (" c", None, CUT), ("d", None, None)
    ]  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_what_is_not_gone_is_the_text_and_what_was_not_added_the_one_before(data: Any) -> None:
    text = before = data.draw(st.text("ab \n", max_size=12))
    pieces = [Piece(text)]
    for _ in range(data.draw(st.integers(0, 3))):
        places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
        replaced = [
            (a, b, data.draw(st.text("xy", max_size=2))) for a, b in zip(places[::2], places[1::2], strict=False)
        ]
        pieces = _changed(pieces, [Change(a, b, new, CUT) for a, b, new in replaced])
        text = replace(text, replaced)
    for some in (pieces, _refined(pieces)):
        assert "".join(piece.text for piece in some if piece.gone is None) == text
        assert "".join(piece.text for piece in some if piece.added is None) == before


@given(st.text("ab", max_size=8), st.lists(st.tuples(st.integers(0, 8), st.text("xy", max_size=2)), max_size=6))
def test_the_text_before_a_step_follows_from_the_text_after_it(before: str, cuts: list[tuple[int, str]]) -> None:
    places = sorted(min(at, len(before)) for at, _ in cuts)
    spans = list(zip(places[::2], places[1::2], strict=False))
    replaced = [(start, end, new) for (start, end), (_, new) in zip(spans, cuts, strict=False)]
    changes = [(Change(start, end, new, CUT), before[start:end]) for start, end, new in replaced]
    assert _undone(replace(before, replaced), changes) == before


@settings(deadline=None)
@given(st.text("ab \n", max_size=30), st.text("ab \n", max_size=30))
def test_differences_make_the_one_text_the_other(old: str, new: str) -> None:
    assert replace(old, differences(old, new)) == new


def test_differences_are_of_words() -> None:
    assert differences("One line.\nA claim[12] stays.\nLast.", "One line.\nA claim stays.\nLast.") == [(17, 21, "")]


@pytest.fixture
def show(call: Call, small_run: Path) -> Any:
    def run(*words: object) -> Any:
        said = call("show", small_run, *words, "--json")
        assert (said.code, said.err) == (0, "")
        return said.json

    return run


def test_every_document_is_told_from_its_extraction_to_its_end(show: Any, small_run: Path) -> None:
    extracted = {row["id"]: row["text"] for row in show("--stage", "web/extract", "--limit", 0)}
    ended = {row["id"]: row["text"] for row in show("--limit", 0)}
    chains = chains_of(Dataset(str(small_run)))
    for document_id, text in extracted.items():
        way = diff_of(chains, document_id)
        assert "".join(piece.text for piece in way.pieces if piece.added is None) == text
        assert way.not_kept == []
        assert (way.facts["fate"] == "kept") == (document_id in ended)
        if document_id in ended:
            assert "".join(piece.text for piece in way.pieces if piece.gone is None) == ended[document_id]


def test_a_line_that_went_and_an_address_that_was_replaced(call: Call, small_run: Path) -> None:
    said = call("show", small_run, "--diff", "row-09")
    assert f"\n- {NOTICE}  <c4_lines: javascript>\n" in said.out
    said = call("show", small_run, "--diff", "row-14")
    assert "write to [-email, 25 characters-]{+name" in said.out
    assert "+}<pii: email> before the end" in said.out
    assert "jane.roe" not in said.out
    assert "jane.roe" not in call("show", small_run, "--diff", "row-14", "--json").out


def test_a_document_that_was_dropped_says_why(show: Any) -> None:
    (copy,) = show("--reason", "exact_copy")
    way = show("--diff", copy["id"][:10])
    assert (way["fate"], way["stage"], way["reason"], way["extracted"]) == (
        "dropped", "dedup", "exact_copy", "web/extract"
    )  # fmt: skip


@pytest.fixture(scope="module")
def without_edits(jsonl: Path, config: Path, command: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("without") / "run"
    said = command("run", "--input", jsonl, "--output", folder, "--config", config, "--set", "keep_edits=0")
    assert said.code == 0, said.err
    return folder


def test_without_edits_the_texts_are_compared(call: Call, without_edits: Path) -> None:
    assert not list(without_edits.rglob("edits"))
    said = call("show", without_edits, "--diff", "row-09")
    assert f"\n- {NOTICE}  <web/clean>\n" in said.out
    assert "web/clean: kept no edits of this document (keep_edits); texts are compared" in said.out
    plain = call("show", without_edits, "--diff", "row-09", "--json").json
    assert plain["edits_not_kept"] == ["web/clean"]
    assert [piece["text"] for piece in plain["pieces"] if piece["removed"]] == [f"\n{NOTICE}"]


def test_the_same_documents_with_and_without_edits(small_run: Path, without_edits: Path, show: Any, call: Call) -> None:
    texts = {row["id"]: row["text"] for row in show("--limit", 0)}
    assert {row["id"]: row["text"] for row in call("show", without_edits, "--limit", 0, "--json").json} == texts


def test_the_table_can_be_shown(show: Any) -> None:
    found = show("--table", "edits", "--reason", "javascript")
    assert {(row["stage"], row["step"], row["removed"]) for row in found} == {("web/clean", "c4_lines", f"\n{NOTICE}")}
    assert len(show("--table", "edits", "--stage", "web/clean", "--limit", 0)) == len(found) + 1


@pytest.mark.parametrize(
    ("document_id", "message"),
    [
        ("no-such-id", "--diff no-such-id: no document or record has this id"),
        ("row-12", "--diff row-12: had no text yet when it was dropped (web/extract: language_not_kept)"),
        ("row-00", "--diff row-00: had no text yet when it was dropped (web/index: same_payload)"),
    ],
)
def test_what_cannot_be_told_is_one_line(call: Call, small_run: Path, document_id: str, message: str) -> None:
    said = call("show", small_run, "--diff", document_id)
    assert (said.code, said.err) == (1, f"winnow: {message}\n")


def test_an_id_that_many_begin_with_is_refused(call: Call, small_run: Path, show: Any) -> None:
    first = show("--limit", 0)
    counts = {digit: sum(row["id"].startswith(digit) for row in first) for digit in "0123456789abcdef"}
    digit = max(counts, key=lambda some: counts[some])
    said = call("show", small_run, "--diff", digit)
    assert said.code == 1
    assert "documents begin so (" in said.err
    assert said.err.count("\n") == 1


def test_one_thing_is_asked_for_at_a_time(call: Call, small_run: Path) -> None:
    said = call("show", small_run, "--diff", "row-09", "--near", "too_few_words")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "--diff, --near and --token go one at a time" in said.err
