"""Drafts and their edits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from schemas.blocks import CODE, HEADING, UNKNOWN, Blocks
from schemas.records import Document
from schemas.settings import PerLanguage
from transforms.heuristics.gopher import GopherConfig
from transforms.heuristics.languages import gopher_limits
from transforms.step import Draft, Drop, Edit, Editor, Filter, run_steps, settings_for, settings_in
from transforms.text.view import TextView


def shout(view: TextView, word: str) -> Edit:
    at = view.text.find(word)
    return Edit([(at, at + len(word), f"{word}!!")], {"shouts": 1}) if at >= 0 else Edit()


def test_an_edit_replaces_text_blocks_and_view_together() -> None:
    blocks = Blocks.of([(HEADING, 0, 4), (CODE, 6, 11)])
    draft = Draft(Document(id="1", text="Head\n\nx = 1", language="en", blocks=blocks))
    draft.apply(Edit([(0, 4, "A head"), (11, 11, ";")]))
    assert draft.document.text == draft.view.text == "A head\n\nx = 1;"
    assert draft.document.blocks.spans() == [("heading", 0, 6), ("code", 8, 13)]
    assert draft.view.blocks is draft.document.blocks
    assert draft.view.language == "en"


def test_an_edit_that_replaced_nothing_changes_nothing() -> None:
    draft = Draft(Document(id="1", text="a"))
    document, view = draft.document, draft.view
    draft.apply(Edit(counts={"seen": 1}))
    assert draft.document is document
    assert draft.view is view


def test_a_language_keeps_the_blocks() -> None:
    draft = Draft(Document(id="1", text="abc", blocks=Blocks.of([(CODE, 0, 3)])))
    draft.replace_language("de", 0.5)
    assert (draft.view.language, draft.document.language_score) == ("de", 0.5)
    assert draft.view.blocks == draft.document.blocks == Blocks.of([(CODE, 0, 3)])


def test_an_editor_edits_and_counts() -> None:
    drafts = [Draft(Document(id=text, text=text)) for text in ("hey you", "you")]
    edits: Counter[str] = Counter()
    run_steps([Editor("shout", shout, "hey")], drafts, edits, Counter())
    assert [draft.document.text for draft in drafts] == ["hey!! you", "you"]
    assert edits == {"shout:shouts": 1}
    assert drafts[0].document.blocks == UNKNOWN


def test_a_draft_remembers_what_each_step_took_out_of_its_text() -> None:
    draft = Draft(Document(id="1", text="hey you"))
    run_steps([Editor("first", shout, "hey"), Editor("second", shout, "you")], [draft], Counter(), Counter())
    assert [(step, text, edit.replaced) for step, text, edit in draft.edits] == [
        ("first", "hey you", [(0, 3, "hey!!")]), ("second", "hey!! you", [(6, 9, "you!!")])
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Edit([(0, 1, "")], {"shouts": 1}), "shouts"),
        (Edit([(0, 1, "")], {"shouts": 1, "chars": 1}), ""),
        (Edit([(0, 1, "")]), ""),
        (Edit([(0, 1, "")], {"shouts": 1}, ["loud"]), "loud"),
    ],
)
def test_the_reason_of_a_piece(edit: Edit, reason: str) -> None:
    assert edit.reason(0) == reason


def test_reasons_are_one_for_each_piece() -> None:
    with pytest.raises(ValueError, match="an edit gives 2 reasons for 1 pieces"):
        Draft(Document(id="1", text="ab")).apply(Edit([(0, 1, "")], reasons=["a", "b"]))


@dataclass(frozen=True, slots=True)
class Length:
    n_chars: int


def length(view: TextView) -> Length:
    return Length(len(view.text))


def shorter(stats: Length, limit: int) -> Drop | None:
    return Drop("too_long", stats.n_chars, limit) if stats.n_chars > limit else None


def test_what_steps_after_the_drop_would_edit_is_no_edit() -> None:
    draft = Draft(Document(id="1", text="hey you"))
    steps = [Editor("first", shout, "hey"), Filter("short", length, shorter, 3), Editor("second", shout, "you")]
    run_steps(steps, [draft], Counter(), Counter(), follow=lambda draft: True)
    assert [step for step, _, _ in draft.edits] == ["first"]


def test_settings_for_a_text_that_is_not_there_are_those_of_the_text() -> None:
    texts = {
        "en": "some words",
        "de": "ein Wort",
        "ru": "слово",
        "": "слово",
        "ja": "言葉の",
        "xx": "ကမ္ဘာ",
        "und": "words",
    }
    gopher = PerLanguage(GopherConfig(), gopher_limits())
    assert settings_in(GopherConfig(), "de", "Latn") == GopherConfig()
    for language, text in [*texts.items(), ("", "words"), ("", "123"), ("zh", "words"), ("en", "слово")]:
        view = TextView(text, language)
        assert settings_in(gopher, language, view.script) == settings_for(gopher, view)
