"""What a per-document step is, its two usual kinds, and the loop that runs a list of steps over a batch.

* `Filter(name, measure, decide, config)`: measures a text, stores the measures as a struct column called `name`,
  and decides on them. It never edits.
* `Editor(name, edit, config)`: returns what it replaced in a text and counts of it. It never decides.

Both are built from pure functions that a rule's own file supplies; the recipe puts them in order. A step that wants
many texts at once, or a model to be opened first, writes its own class with the members of `Step`.

A stage runs its steps inside one Beam DoFn (pipelines/), batch by batch, so that a rule costs its own work and no
framework overhead, and so that a row's place in its file, which is its address in every shuffle, stays known.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import time
import traceback
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from schemas.errors import BadRecord, ConfigError, RunError, WinnowError
from schemas.records import Document
from schemas.settings import PerLanguage
from transforms.settings_read import settings_worked_by
from transforms.text.blank_lines import needless_blank_lines
from transforms.text.replacements import Replacement, check_replaced, move_blocks, replace
from transforms.text.scripts import SCRIPT_CODES
from transforms.text.view import TextView

EMPTIED = "no_text_left"  # why a document goes of whose text an edit leaves nothing


@dataclass(frozen=True, slots=True)
class Drop:
    """What `decide` returns for a document that must go: the reason, the measured value and the limit it broke."""

    reason: str
    value: float | None = None
    limit: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """What `edit` returns: what it replaced, and how many of what it changed (`{"emails": 2}`).

    `replaced` holds (start, end, new text), in characters of the text before the edit, ascending, without overlap;
    `reasons`, where an edit gives them, why each of these pieces was replaced.
    """

    replaced: Sequence[Replacement] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    reasons: Sequence[str] = ()  # one for each of `replaced`, or none
    private: bool = False  # what it replaced is personal data, which no table may hold

    def apply(self, text: str) -> str:
        """Return the text after the edit."""
        return replace(text, self.replaced)

    def reason(self, at: int) -> str:
        """Return why piece `at` was replaced; of an edit that counts one thing and gives no reasons that thing."""
        if self.reasons:
            return self.reasons[at]
        return next(iter(self.counts)) if len(self.counts) == 1 else ""


class AppliedEdit(NamedTuple):
    """An edit that a step made."""

    step: str
    text: str  # before it
    edit: Edit


@dataclass(slots=True)
class Draft:
    """A document on its way through the steps of one stage; private to the stage, so the only mutable record."""

    document: Document
    view: TextView = field(init=False)  # of the document as it is now
    measures: dict[str, Any] = field(default_factory=dict)  # Stats by step name
    drop: Drop | None = None
    failure: BadRecord | None = None
    step: str = ""  # the step that dropped or failed it
    stored: Any = None  # columns that earlier stages stored, by name: `draft.stored["quality"]` is a dict or None
    facts: dict[str, Any] = field(default_factory=dict)  # columns of `stored` that a step has replaced, by name
    edits: list[AppliedEdit] = field(default_factory=list)  # in the order in which they were made
    running: str = ""  # the step that runs on it

    def __post_init__(self) -> None:
        self._renew_view()

    @property
    def alive(self) -> bool:
        return self.drop is None and self.failure is None

    def apply(self, edit: Edit) -> None:
        """Replace the text and its blocks together, and take away blank lines that are then needless (blank_lines.py).

        An edit that replaced nothing changes nothing.
        """
        if edit.replaced:
            check_replaced(edit.replaced, len(self.document.text))
            if edit.reasons and len(edit.reasons) != len(edit.replaced):
                raise ValueError(f"an edit gives {len(edit.reasons)} reasons for {len(edit.replaced)} pieces")
            self._edit(edit)
            blanks = needless_blank_lines(self.document.text, self.document.blocks)
            if blanks:
                self._edit(Edit(blanks, {}, ["white_space"] * len(blanks)))

    def _edit(self, edit: Edit) -> None:
        text = self.document.text
        self.edits.append(AppliedEdit(self.running, text, edit))
        self._replace(text=edit.apply(text), blocks=move_blocks(self.document.blocks, edit.replaced))

    def replace_language(self, language: str, score: float) -> None:
        self._replace(language=language, language_score=score)

    def replace_columns(self, *, url: str, record_id: str, metadata: str) -> None:
        """Replace columns that are no part of the text, so that its view stays."""
        self.document = dataclasses.replace(self.document, url=url, record_id=record_id, metadata=metadata)

    def replace_facts(self, name: str, row: Mapping[str, Any]) -> None:
        """Replace the struct column of that name, which an earlier stage stored, where it differs."""
        if row != self.stored[name]:
            self.facts[name] = row

    def _replace(self, **changes: Any) -> None:
        self.document = dataclasses.replace(self.document, **changes)
        self._renew_view()

    def _renew_view(self) -> None:
        self.view = TextView(self.document.text, self.document.language, self.document.blocks)


class Step(Protocol):
    """A rule on one document. It owns its settings and says what files it needs: both are part of its stage's key.

    Steps are pickled to workers: open models in `open`, not in `__init__`.
    """

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> Any:
        """What its result depends on: a settings dataclass, or None."""

    @property
    def resources(self) -> Sequence[str]:
        """Paths of the files its result depends on: models, lists. Their checksums are part of the stage's key."""

    @property
    def stats(self) -> type | None:
        """The Stats dataclass whose struct column, named `name`, the step adds; None for no column."""

    def open(self) -> None: ...

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        """Set `measures`, `drop`, `failure` or the text of each draft; add what was edited to `edits`."""


@runtime_checkable
class Redecides(Protocol):
    """A step that never edits, and whose decision follows from what it stored: other limits need no text.

    Optional: `winnow whatif` counts what a step without it would decide as undecided, unless its `measured_with` is
    empty: no document's fate depends on its settings.
    """

    @property
    def measured_with(self) -> frozenset[str] | None:
        """Names of the settings that its measures depend on; None: perhaps every one."""

    def redecide(self, stats: Any, document: Document, script: str) -> Drop | None:
        """Decide on stored Stats about a document whose text is '' here, written in `script` (ISO 15924)."""


S = TypeVar("S")
C = TypeVar("C")


def settings_for(settings: C | PerLanguage[C], view: TextView) -> C:
    """Return the settings for a text, of a step whose settings may or may not depend on its language and script."""
    if not isinstance(settings, PerLanguage):
        return settings
    return settings.of("en") if view.is_english else settings.of(view.language, view.script)


def settings_in(settings: C | PerLanguage[C], language: str, script: str) -> C:
    """Return the settings for a text of which no more is known than its language and its script."""
    if language and isinstance(settings, PerLanguage):
        return settings.of(language, script)  # as for a view, without making one
    return settings_for(settings, _unread(language, script))


def _unread(language: str, script: str) -> TextView:
    view = TextView("", language)
    view.script = script
    return view


def check_scripts(name: str, settings: Any) -> None:
    """Raise ConfigError for a script in `by_language` that no text is told to be in: it would never apply."""
    if isinstance(settings, PerLanguage):
        unknown = sorted(settings.scripts - SCRIPT_CODES)
        if unknown:
            known = " ".join(sorted(SCRIPT_CODES))
            raise ConfigError(f"step {name}: by_language.{unknown[0]}: not a script that is told apart; one of {known}")


@dataclass(frozen=True)
class Filter(Generic[S, C]):
    """Measure, then decide."""

    name: str
    measure: Callable[[TextView], S] | Callable[[TextView, C], S]  # with `config`: where what it measures is a setting
    decide: Callable[[S, C], Drop | None]
    settings: C | PerLanguage[C]
    resources: Sequence[str] = ()
    limits: Sequence[str] = ()  # settings that `decide` alone reads, where the source of `measure` does not show it

    def __post_init__(self) -> None:
        check_scripts(self.name, self.settings)

    @property
    def stats(self) -> type:
        return _stats_of(self.name, self.measure)

    def open(self) -> None:
        """Nothing to open."""

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        measure: Callable[..., S] = self.measure
        configured = "config" in inspect.signature(measure).parameters
        for draft in drafts:
            config = settings_for(self.settings, draft.view)
            stats = measure(draft.view, config) if configured else measure(draft.view)
            draft.measures[self.name] = stats
            draft.drop = self.decide(stats, config)

    @property
    def measured_with(self) -> frozenset[str] | None:
        return settings_worked_by(self.measure, self.settings, self.limits)

    def redecide(self, stats: S, document: Document, script: str) -> Drop | None:
        return self.decide(stats, settings_in(self.settings, document.language, script))


def _stats_of(name: str, measure: Callable[..., Any]) -> type:
    stats = typing.get_type_hints(measure).get("return")
    if not dataclasses.is_dataclass(stats):
        raise ConfigError(f"step {name}: its measure must be annotated with the dataclass it returns")
    return typing.cast(type, stats)


@dataclass(frozen=True)
class FactsFilter(Generic[S, C]):
    """Measure what a source tells of a text, then decide; in the stage that reads, where facts are measures."""

    name: str
    facts: str  # the column of the facts
    measure: Callable[[Any], S]  # of an instance of the reader's `facts`
    decide: Callable[[S, C], Drop | None]
    settings: C
    resources: Sequence[str] = ()

    @property
    def stats(self) -> type:
        return _stats_of(self.name, self.measure)

    def open(self) -> None:
        """Nothing to open."""

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            stats = self.measure(draft.measures[self.facts])
            draft.measures[self.name] = stats
            draft.drop = self.decide(stats, self.settings)

    @property
    def measured_with(self) -> frozenset[str]:
        return frozenset()  # every setting is a limit

    def redecide(self, stats: S, document: Document, script: str) -> Drop | None:
        return self.decide(stats, self.settings)


@dataclass(frozen=True)
class Editor(Generic[C]):
    """Edit the text and count the edits."""

    name: str
    edit: Callable[[TextView, C], Edit]
    settings: C | PerLanguage[C]
    resources: Sequence[str] = ()
    stats: None = None
    limits: Sequence[str] = ()  # settings that `edit` does not read, where its source does not show it

    def __post_init__(self) -> None:
        check_scripts(self.name, self.settings)

    def open(self) -> None:
        """Nothing to open."""

    @property
    def measured_with(self) -> frozenset[str] | None:
        """Names of the settings that its edits depend on; None: perhaps every one."""
        return settings_worked_by(self.edit, self.settings, self.limits)

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            edit = self.edit(draft.view, settings_for(self.settings, draft.view))
            edits.update({f"{self.name}:{what}": n for what, n in edit.counts.items() if n})
            draft.apply(edit)


@contextlib.contextmanager
def blamed(name: str) -> Iterator[None]:
    """Say which rule failed, and where: anybody's rule runs here, and may raise anything.

    Our own errors pass, and what is no fault of a rule: a full disk, no memory.
    """
    try:
        yield
    except (WinnowError, OSError, MemoryError):
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = " ".join(str(error).split()) or "no message"
        raise RunError(
            f"step {name}: {type(error).__name__}: {what} ({Path(place.filename).name}:{place.lineno})"
        ) from error


def run_steps(
    steps: Sequence[Step],
    drafts: Sequence[Draft],
    edits: Counter[str],
    cpu_ns: Counter[str],
    follow: Callable[[str], bool] = lambda document_id: False,
) -> None:
    """Run `steps` in order over the drafts still alive; `cpu_ns` gains the CPU time of each step.

    A text that an editor empties is dropped. Dropped drafts that `follow` chooses are measured by the later steps, too;
    nothing that those decide or edit counts.
    """
    live, followed = list(drafts), list[Draft]()
    for step in steps:
        started = time.thread_time_ns()
        for draft in live:
            draft.running = step.name
        with blamed(step.name):
            if followed:
                followed = _measure_only(step, followed)
            step.run(live, edits)
        for draft in live:
            if draft.alive and draft.edits and draft.edits[-1].step == step.name and not draft.document.text.strip():
                draft.drop = Drop(EMPTIED, 0)
            if not draft.alive:
                draft.step = step.name
                if draft.drop is not None and follow(draft.document.id):
                    followed.append(draft)
        live = [draft for draft in live if draft.alive]
        cpu_ns[step.name] += time.thread_time_ns() - started


def _measure_only(step: Step, dropped: Sequence[Draft]) -> list[Draft]:
    """Let a step measure drafts whose fate is decided; return those that still have a text.

    Of a text that it empties the later steps would measure nothing: under other limits the document had gone here.
    """
    fates = [(draft.drop, len(draft.edits)) for draft in dropped]
    for draft in dropped:
        draft.drop = None
    step.run(dropped, Counter())
    for draft, (fate, n_edits) in zip(dropped, fates, strict=True):
        draft.drop, draft.failure = fate, None
        del draft.edits[n_edits:]
    return [draft for draft in dropped if draft.document.text.strip()]
