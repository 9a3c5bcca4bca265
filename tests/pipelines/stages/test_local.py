"""Steps on one document at a time: measures of the dropped, and routes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.reports.ledger import limits_by_script
from pipelines.runs.upstream import Route, Upstream
from pipelines.stages.local import LocalStage
from pipelines.stages.of_steps import Follow, KeepEdits
from schemas.errors import RunError
from schemas.identity import content_id, keyed_fraction
from schemas.records import Document
from schemas.settings import PerLanguage
from transforms.safety.pii.redact import PiiConfig, redact
from transforms.step import Draft, Drop, Edit, Editor, Filter, run_steps
from transforms.text.view import TextView


@dataclass(frozen=True, slots=True)
class Length:
    n_chars: int


def measure(view: TextView) -> Length:
    return Length(len(view.text))


def decide(stats: Length, limit: int) -> Drop | None:
    return Drop("too_long", stats.n_chars, limit) if stats.n_chars > limit else None


def cut(view: TextView, n_chars: int) -> Edit:
    n_gone = len(view.text) - n_chars
    return Edit([(n_chars, len(view.text), "")], {"chars": n_gone}) if n_gone > 0 else Edit()


@dataclass(frozen=True)
class Limits:
    n_chars: int = 5


STEPS = (Filter("first", measure, decide, 5), Editor("cut", cut, 3), Filter("second", measure, decide, 1))
FIRST = {"first": Length}
TEXTS = {"a": "1", "b": "12345", "c": "1234567"}
DOCUMENTS = [Document(id=content_id(name), text=text, source=name, language="en") for name, text in TEXTS.items()]


def test_later_steps_measure_what_is_followed_and_change_no_fate() -> None:
    drafts = [Draft(document) for document in DOCUMENTS]
    edits: Counter[str] = Counter()
    run_steps(STEPS, drafts, edits, Counter(), follow=lambda draft: True)
    ends = [(draft.step, draft.drop and draft.drop.value) for draft in drafts]
    assert ends == [("", None), ("second", 3), ("first", 7)]
    assert [draft.measures.get("second") for draft in drafts] == [Length(1), Length(3), Length(3)]
    assert edits == {"cut:chars": 2}  # of the living alone
    drafts = [Draft(document) for document in DOCUMENTS]
    run_steps(STEPS, drafts, Counter(), Counter())
    assert drafts[2].measures == {"first": Length(7)}


def test_the_ledger_names_the_languages_that_have_limits_of_their_script_alone(dataset: Callable[..., Any]) -> None:
    limits = PerLanguage(Limits(), {"other": {"n_chars": 6}, "ko": {"n_chars": 7}})
    steps = (Filter("first", measure, lambda stats, config: decide(stats, config.n_chars), limits),)
    languages = ["ko", "en", "xh", "", "xh", "und"]
    documents = [
        Document(id=content_id(str(n)), text="1234567", source="web", language=language)
        for n, language in enumerate(languages)
    ]
    done = dataset().documents(LocalStage("clean", steps), documents)
    assert done.kept("language") == ["ko"]
    assert limits_by_script(done.manifest) == {"und": 1, "xh": 2}
    assert limits_by_script(dataset().documents(LocalStage("clean", STEPS), documents).manifest) == {}


@pytest.mark.parametrize(("share", "second"), [(1.0, {"n_chars": 3}), (0.0, None)])
def test_measures_of_dropped_documents_are_a_table(
    dataset: Callable[..., Any], share: float, second: dict[str, int] | None
) -> None:
    done = dataset().documents(LocalStage("clean", STEPS, follow=Follow(share)), DOCUMENTS)
    dropped = {row["source"]: row for row in done.rows("dropped")}
    assert set(dropped) == {"b", "c"}
    assert dropped["b"]["first"] == {"n_chars": 5}
    assert dropped["c"]["second"] == second
    assert "text" not in dropped["c"]
    assert [row["source"] for row in done.rows("rejected")] == ["b", "c"]


def by_source(draft: Draft) -> str:
    return "one" if draft.document.source == "a" else "other"


def test_branches_of_a_route_take_their_own_and_the_ledger_balances(dataset: Callable[..., Any]) -> None:
    before = dataset().documents(LocalStage("before", ()), DOCUMENTS, parts=2)
    kept = {}
    for name in ("one", "other"):
        read = Upstream(((before.manifest, before.data),), Route(by_source, name, ("one", "other")))
        kept[name] = dataset().run(LocalStage("clean", ()), [], read).kept("source")
    assert kept == {"one": ["a"], "other": ["b", "c"]}


def test_a_branch_that_there_is_not_is_one_line(dataset: Callable[..., Any]) -> None:
    before = dataset().documents(LocalStage("before", ()), DOCUMENTS)
    read = Upstream(((before.manifest, before.data),), Route(by_source, "one", ("one", "two")))
    with pytest.raises(RunError, match="route: 'other' is none of the branches one, two"):
        dataset().run(LocalStage("clean", ()), [], read)


def test_two_sources_of_different_columns_are_one_table(dataset: Callable[..., Any]) -> None:
    measured = dataset().documents(LocalStage("before", STEPS[:1]), DOCUMENTS[:1])
    plain = dataset().documents(LocalStage("before", ()), DOCUMENTS[1:], parts=2)
    both = Upstream(((measured.manifest, measured.data), (plain.manifest, plain.data)), measures=FIRST)
    done = dataset().run(LocalStage("clean", STEPS[1:2]), [], both)
    rows = {row["source"]: row for row in done.rows("documents")}
    assert {name: row["first"] for name, row in rows.items()} == {"a": {"n_chars": 1}, "b": None, "c": None}
    assert done.manifest.parts == 3


def no_branch(draft: Draft) -> Any:
    return draft.stored["first"]  # None: this source has no such measure


def test_a_choice_of_nothing_loses_no_document(dataset: Callable[..., Any]) -> None:
    measured = dataset().documents(LocalStage("before", STEPS[:1]), DOCUMENTS[:1])
    plain = dataset().documents(LocalStage("before", ()), DOCUMENTS[1:])
    both = Upstream(((measured.manifest, measured.data), (plain.manifest, plain.data)), measures=FIRST)
    merged = dataset().run(LocalStage("merged", ()), [], both)
    read = Upstream(((merged.manifest, merged.data),), Route(no_branch, "one", ("one", "two")), FIRST)
    with pytest.raises(RunError, match="is none of the branches one, two"):
        dataset().run(LocalStage("clean", ()), [], read)


def by_measure(draft: Draft) -> str:
    return "measured" if draft.stored["first"] else "plain"


def test_the_first_stage_after_a_merge_knows_the_columns_of_all_branches(dataset: Callable[..., Any]) -> None:
    """Their parts have the columns of their own branch alone; those of the others are null there, not unknown."""
    measured = dataset().documents(LocalStage("before", STEPS[:1]), DOCUMENTS[:2])
    plain = dataset().documents(LocalStage("before", ()), DOCUMENTS[2:])
    for name, n in (("measured", 2), ("plain", len(DOCUMENTS) - 2)):
        route = Route(by_measure, name, ("measured", "plain"))
        both = Upstream(((measured.manifest, measured.data), (plain.manifest, plain.data)), route, FIRST)
        assert dataset().run(LocalStage("clean", ()), [], both).manifest.counts.kept == n


def test_the_columns_of_a_branch_without_documents_are_there(dataset: Callable[..., Any]) -> None:
    plain = dataset().documents(LocalStage("before", ()), DOCUMENTS)
    read = Upstream(((plain.manifest, plain.data),), Route(by_measure, "plain", ("plain",)), FIRST)
    done = dataset().run(LocalStage("clean", STEPS[2:]), [], read)
    assert [(row["first"], row["second"]["n_chars"]) for row in done.rows("documents")] == [(None, 1)]
    assert all(row["first"] is None and "second" in row for row in done.rows("dropped"))


def unknown(draft: Draft) -> str:
    return str(draft.stored["frist"]["n_chars"])


def test_a_mistyped_column_is_said(dataset: Callable[..., Any]) -> None:
    before = dataset().documents(LocalStage("before", STEPS[:1]), DOCUMENTS)
    read = Upstream(((before.manifest, before.data),), Route(unknown, "one", ("one",)), FIRST)
    with pytest.raises(RunError, match="no column 'frist' is stored; there are id, text"):
        dataset().run(LocalStage("clean", ()), [], read)


def fails(view: TextView) -> Length:
    return Length(1 // len(view.text[99:]))


def overlapping(view: TextView, config: None) -> Edit:
    return Edit([(0, 1, "x"), (0, 1, "y")])


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Filter("mine", fails, decide, 1), r"^step mine: ZeroDivisionError: .* \(test_local.py:\d+\)$"),
        (
            Editor("mine", overlapping, None),
            r"^step mine: ValueError: an edit replaces 0 to 1, after 1, in a text of 1",
        ),
    ],
)
def test_a_rule_that_fails_is_named_with_its_place(step: Any, said: str) -> None:
    with pytest.raises(RunError, match=said):
        run_steps((step,), [Draft(DOCUMENTS[0])], Counter(), Counter())


def empty(view: TextView, config: None) -> Edit:
    return Edit([(0, len(view.text), "")], {"all": 1})


def test_a_text_that_an_editor_empties_goes(dataset: Callable[..., Any]) -> None:
    done = dataset().documents(LocalStage("clean", (Editor("empty", empty, None),)), DOCUMENTS)
    assert done.manifest.counts.dropped == {"no_text_left": 3}


def edits_of(done: Any) -> list[tuple[Any, ...]]:
    names = ("source", "stage", "step", "reason", "start", "end", "removed", "replacement")
    return [tuple(row[name] for name in names) for row in done.rows("edits")]


def test_what_editors_take_away_is_a_table(dataset: Callable[..., Any]) -> None:
    stage = LocalStage("clean", (STEPS[1], Editor("shout", shout, 2), STEPS[2]))
    done = dataset().documents(stage, DOCUMENTS)
    assert [row["source"] for row in done.rows("rejected")] == ["b", "c"]  # of dropped documents, too
    assert edits_of(done) == [
        ("b", "clean", "cut", "chars", 3, 5, "45", ""), ("b", "clean", "shout", "loud", 0, 2, "12", "!!"),
        ("c", "clean", "cut", "chars", 3, 7, "4567", ""), ("c", "clean", "shout", "loud", 0, 2, "12", "!!"),
    ]  # fmt: skip
    assert {row["id"] for row in done.rows("edits")} == {document.id for document in DOCUMENTS[1:]}


def shout(view: TextView, n_chars: int) -> Edit:
    found = len(view.text) > n_chars
    return Edit([(0, n_chars, "!" * n_chars)], {"a": 1, "b": 1}, ["loud"]) if found else Edit()


def test_the_table_of_edits_is_the_same_for_any_number_of_parts(dataset: Callable[..., Any]) -> None:
    found = [dataset().documents(LocalStage("clean", STEPS[1:2]), DOCUMENTS, parts=n) for n in (1, 2, 3)]
    assert len({tuple(sorted(edits_of(done))) for done in found}) == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_edits_are_kept_of_a_share_of_the_documents(dataset: Callable[..., Any], share: float) -> None:
    documents = [Document(id=content_id(str(n)), text="12345", language="en") for n in range(60)]
    done = dataset().documents(LocalStage("clean", STEPS[1:2], keep_edits=KeepEdits(share)), documents)
    chosen = {document.id for document in documents if keyed_fraction("keep edits", document.id) < share}
    assert {row["id"] for row in done.rows("edits")} == chosen
    assert {row["text"] for row in done.rows("documents")} == {"123"}


def test_personal_data_is_told_by_kind_and_length_alone(dataset: Callable[..., Any]) -> None:
    text = "Ask jo@host.com or 106.31.73.20."
    stage = LocalStage("clean", (Editor("pii", redact, PiiConfig()),))
    done = dataset().documents(stage, [Document(id="1", text=text, source="a", language="en")])
    (kept,) = done.kept("text")
    assert edits_of(done) == [
        ("a", "clean", "pii", "email", 4, 15, None, kept[4:24]),
        ("a", "clean", "pii", "ipv4", 19, 31, None, kept[28:-1]),
    ]  # fmt: skip
    assert "host.com" not in repr([done.rows(table.name) for table in Path(done.data.root).iterdir()])


@dataclass(frozen=True)
class Twice:
    """A step of its own kind that edits a text in two goes."""

    name: str = "twice"
    settings: None = None
    resources: tuple[str, ...] = ()
    stats: None = None

    def open(self) -> None: ...

    def run(self, drafts: Any, edits: Counter[str]) -> None:
        for draft in drafts:
            draft.apply(Edit([(0, 2, "")], {"head": 2}))
            draft.apply(Edit([(2, 3, "x")], {"tail": 1}))


def test_each_edit_of_a_step_has_its_number(dataset: Callable[..., Any]) -> None:
    done = dataset().documents(LocalStage("clean", (Twice(), STEPS[1])), DOCUMENTS[2:])
    rows = done.rows("edits")
    assert [(row["step"], row["edit"], row["start"], row["removed"], row["replacement"]) for row in rows] == [
        ("twice", 0, 0, "12", ""), ("twice", 1, 2, "5", "x"), ("cut", 2, 3, "67", "")
    ]  # fmt: skip
    assert done.kept("text") == ["34x"]
