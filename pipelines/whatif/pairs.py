"""A stage's steps under the settings of its run, and under others: what each may do to a document that it has met.

Nothing here decides: a rule's own `redecide` does (transforms/step.py), on the measures that the run stored. What they
do not tell is `Undecided`, with its cause, never a guess:

* an editor, or a measure, that works by a changed setting: the text or the measures would be others
* a step that the run did not have, or one that cannot decide on what it stored
* a document that the run dropped before the step measured it
* limits by script, where the text has letters of several scripts that would be judged differently
* a rule whose code does not give what the run recorded
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.errors import ConfigError
from schemas.records import Document
from schemas.settings import PerLanguage, to_plain
from transforms.settings_read import names_of
from transforms.step import Drop, Editor, Redecides, blamed, settings_in
from transforms.text.scripts import SCRIPT_CODES

PASSED: Final = ""  # what is recorded of a document that a step let through; the reason of one that it dropped
_OTHER_SCRIPT: Final = "Zzzz"  # any script without limits of its own

NOT_MEASURED: Final = "not measured: dropped before this step"
OTHER_CODE: Final = "the rule's code no longer gives what the run recorded"
SEVERAL_SCRIPTS: Final = "written in several scripts, whose limits differ"
NO_STEP: Final = "the run had no such step"
ACROSS: Final = "compares documents with each other"
NO_MEASURES: Final = "the step cannot decide on stored measures"
COPIES: Final = "frequent lines of a document that copies were dropped for"


@dataclass(frozen=True, slots=True)
class Undecided:
    """What a step would do cannot be told, and why."""

    step: str
    cause: str


@dataclass(frozen=True, slots=True)
class AskScript:
    """It can be told when the scripts of the document's letters are known."""


Verdict = Drop | Undecided | AskScript | None  # None: passes


@dataclass(frozen=True)
class _Case:
    """Scripts whose texts a step judges by the same two configurations, in one language."""

    scripts: tuple[str, ...]
    changed: bool  # whether they differ
    why_not: str  # why it cannot be decided again on what is stored; '' when it can


@dataclass(eq=False)
class Pair:
    """One step before and after a change of settings; None where a recipe has it not."""

    name: str
    before: Any
    after: Any
    _cases: dict[str, list[_Case]] = field(default_factory=dict, repr=False)

    @property
    def stats(self) -> type | None:
        """The Stats of the column that the step of the run stored."""
        stats: type | None = getattr(self.before, "stats", None)
        return stats

    @functools.cached_property
    def redecides(self) -> bool:
        """Whether the step of the run decides on what it stored; a protocol is slow to ask for each document."""
        return isinstance(self.before, Redecides)

    @functools.cached_property
    def is_changed(self) -> bool:
        if self.before is None or self.after is None:
            return self.before is not self.after
        return bool(changed_fields(self.before.settings, self.after.settings))

    @property
    def is_survey(self) -> bool:
        return hasattr(self.before if self.before is not None else self.after, "emit")

    @property
    def is_across(self) -> bool:
        """Whether it judges a document by others, too: those that it is compared with, or a sample is drawn from."""
        return self.is_survey or hasattr(self.before if self.before is not None else self.after, "fit")

    def passes(self, stats: Any, document: Document, scripts: frozenset[str] | None) -> Verdict:
        """Return what the changed step does to a document that the run's own let through."""
        return self._verdict(stats, document, scripts, PASSED)

    def again(self, stats: Any, document: Document, scripts: frozenset[str] | None, reason: str) -> Verdict:
        """Return what the changed step does to a document that the run's own dropped for a reason."""
        return self._verdict(stats, document, scripts, reason)

    def beyond(self, stats: Any, document: Document, scripts: frozenset[str] | None) -> Verdict:
        """Return what the step does to a document that the run had dropped before it, and measured all the same."""
        return self._verdict(stats, document, scripts, None)

    def _verdict(self, stats: Any, document: Document, scripts: frozenset[str] | None, record: str | None) -> Verdict:
        """Return the one verdict of all cases that the document may be of, and that give what is on record."""
        cases = self.cases(document.language)
        if len(cases) == 1:  # English, and all languages where no script has limits of its own
            verdict = self._in_case(cases[0], cases[0].scripts[0], stats, document, record)
            return Undecided(self.name, OTHER_CODE) if verdict is _IMPOSSIBLE else verdict  # type: ignore[return-value]
        found: list[Verdict] = []
        for case in cases:
            some = case.scripts if scripts is None else [one for one in case.scripts if one in scripts]
            if some:
                verdict = self._in_case(case, some[0], stats, document, record)
                if verdict is not _IMPOSSIBLE:
                    found.append(verdict)  # type: ignore[arg-type]
        if not found:
            return Undecided(self.name, OTHER_CODE)
        if all(_outcome(verdict) == _outcome(found[0]) for verdict in found):
            return found[0]
        return AskScript() if scripts is None else Undecided(self.name, SEVERAL_SCRIPTS)

    def _in_case(
        self, case: _Case, script: str, stats: Any, document: Document, record: str | None
    ) -> Verdict | object:
        if record is not None and not case.changed:
            if len(self.cases(document.language)) > 1 and not self._gave(script, stats, document, record):
                return _IMPOSSIBLE
            return None if record == PASSED else Drop(record)
        if case.why_not:
            return Undecided(self.name, case.why_not)
        if not self.redecides or self.after is None:  # an editor that edits as it did, a rule that is off
            return None
        if stats is None:
            return Undecided(self.name, NOT_MEASURED)
        if record is not None and not self._gave(script, stats, document, record):
            return _IMPOSSIBLE
        with blamed(self.name):
            verdict: Verdict = self.after.redecide(stats, document, script)
        return verdict

    def _gave(self, script: str, stats: Any, document: Document, record: str) -> bool:
        """Say whether the run's step may have done what is on record to a text in a script."""
        if stats is None or not self.redecides:
            return True
        with blamed(self.name):
            was = self.before.redecide(stats, document, script)
        return (was.reason if was else PASSED) == record

    def _why_not(self, changed: frozenset[str]) -> str:
        """Return why the step cannot be decided again on what is stored when some settings change; '' when it can."""
        if self.before is None:
            return NO_STEP
        if isinstance(self.before, Editor):
            if self.after is None:
                return "has edited, and would not"
        elif self.is_survey:
            return ACROSS
        elif not self.redecides:
            decides_nothing = getattr(self.before, "measured_with", None) == frozenset()
            return "" if decides_nothing else NO_MEASURES
        elif self.after is None:
            return ""
        wrong = changed if self.measured_with is None else changed & self.measured_with
        if not wrong:
            return ""
        return f"{'edits' if isinstance(self.before, Editor) else 'measures'} by {', '.join(sorted(wrong))}"

    @functools.cached_property
    def measured_with(self) -> frozenset[str] | None:
        """Settings that what the step stores, or does to a text, depends on; None: perhaps all."""
        found: set[str] = set()
        for step in (self.before, self.after):
            read: frozenset[str] | None = getattr(step, "measured_with", None)
            if read is None or not read <= names_of(step.settings):  # a property of the settings reads others
                return None
            found |= read
        return frozenset(found)

    def cases(self, language: str) -> list[_Case]:
        """Return what a text in a language may be judged by: one case where its script makes no difference."""
        if language not in self._cases:
            self._cases[language] = self._told_apart(language)
        return self._cases[language]

    def _told_apart(self, language: str) -> list[_Case]:
        both = [step.settings for step in (self.before, self.after) if step is not None]
        of_language = [one for one in both if isinstance(one, PerLanguage)]
        named = frozenset().union(*(one.scripts for one in of_language))
        if not of_language:
            return [self._case((*sorted(SCRIPT_CODES), "", _OTHER_SCRIPT), language)]
        # One script stands for all that no entry names; Latin and none are apart, as they may be English.
        kinds = {script: script if script in named or script == "Latn" else _OTHER_SCRIPT for script in SCRIPT_CODES}
        kinds |= {"": "", _OTHER_SCRIPT: _OTHER_SCRIPT}
        groups: list[tuple[list[Any], list[str]]] = []
        for kind in sorted(set(kinds.values())):
            settings = [settings_in(one, language, kind) for one in of_language]
            some = next((scripts for other, scripts in groups if other == settings), None)
            if some is None:
                groups.append((settings, some := []))
            some += sorted(script for script in kinds if kinds[script] == kind)
        return [self._case(tuple(scripts), language) for _, scripts in groups]

    def _case(self, scripts: tuple[str, ...], language: str) -> _Case:
        changed = self._changed(language, scripts[0])
        return _Case(scripts, bool(changed), self._why_not(changed))

    def _changed(self, language: str, script: str) -> frozenset[str]:
        """Return the settings that differ for a text; all there are where a recipe has the step not."""
        if self.before is None or self.after is None:
            return frozenset({self.name})
        return changed_fields(
            settings_in(self.before.settings, language, script), settings_in(self.after.settings, language, script)
        )


_IMPOSSIBLE: Final = object()  # a case in which the run would have recorded something else


def _outcome(verdict: Verdict) -> tuple[str, str]:
    if isinstance(verdict, Drop):
        return "drop", verdict.reason
    return ("undecided", verdict.cause) if isinstance(verdict, Undecided) else ("", "")


def changed_fields(before: Any, after: Any) -> frozenset[str]:
    """Return the names of the settings that differ at the top of two settings of a step."""
    old, new = to_plain(before), to_plain(after)
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return frozenset() if old == new else frozenset({"settings"})
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def pair_steps(stage: str, before: Sequence[Any], after: Sequence[Any]) -> list[Pair]:
    """Return the steps of both recipes in one order. ConfigError when the settings change the order itself."""
    old, new = {step.name: step for step in before}, {step.name: step for step in after}
    common = [name for name in old if name in new]
    if common != [name for name in new if name in old]:
        raise ConfigError(f"stage {stage}: these settings change the order of its steps; only a run can tell")
    names: list[str] = []
    left = list(new)
    for name in old:
        if name in new:  # steps that only the new recipe has come before the common one that they precede there
            at = left.index(name)
            names += left[:at]
            del left[: at + 1]
        names.append(name)
    return [Pair(name, old.get(name), new.get(name)) for name in [*names, *left]]
