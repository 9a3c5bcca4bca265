"""Fit the limits of one language to a reference, by the measures that a run of the recipe would take of its texts.

The steps of the recipe's local stages run over the reference in this process. Fitted are those whose settings may
differ by language: the rules of transforms/heuristics by the table there, a rule of your own by its names, where
`max_NAME` or `min_NAME` limits a measure NAME that is a float.
"""

from __future__ import annotations

import dataclasses
import heapq
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.runs.graph import Recipe
from pipelines.stages.fit import FitStage
from pipelines.stages.of_steps import open_steps
from pipelines.stages.survey import SurveyStage
from schemas.errors import InputError
from schemas.identity import keyed_fraction, keyed_hash
from schemas.records import Document
from schemas.settings import BY_LANGUAGE, PerLanguage, merge, overlay
from transforms.heuristics.fitted_limits import (
    MAX,
    MEASURES,
    MIN,
    QUANTILES,
    TuneConfig,
    find_stop_words,
    fit_limit,
    looser,
    share_with,
)
from transforms.step import Draft, Step, run_steps, settings_in
from transforms.text.view import TextView

STOP_WORDS, MIN_STOP_WORDS = "stop_words", "min_stop_words"
KEPT = "kept"


@dataclass(frozen=True)
class Tuned:
    """The settings of a language, and what they rest on."""

    language: str
    changes: dict[str, Any]  # nested, as in YAML
    limits: list[dict[str, Any]]
    stop_words: list[dict[str, Any]]  # of each step that has them
    n_texts: int
    n_words: int
    n_fitted: int
    held_out: dict[str, dict[str, int]] = field(default_factory=dict)  # before, after: kept and dropped by reason


@dataclass(frozen=True)
class _Section:
    """A step whose settings may differ by language, and where they are."""

    step: Any
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        return ".".join(self.path)


def tune(
    make: Callable[[Any], Recipe], settings: Any, language: str, documents: Iterable[Document], config: TuneConfig
) -> Tuned:
    """Return the limits of a language. InputError when the reference has too few texts.

    The same texts give the same limits in whatever order they come.
    """
    texts = _drawn(documents, config.max_texts)
    held_out = config.held_out if len(texts) >= config.min_held_from else 0.0
    held = [one for one in texts if keyed_fraction("tune held out", one.id) < held_out]
    fitted = [one for one in texts if keyed_fraction("tune held out", one.id) >= held_out]
    if len(fitted) < config.min_texts:
        raise InputError(f"the reference has {len(fitted):,} texts to fit to; expected {config.min_texts:,} or more")
    recipe = make(settings)
    drafts = _measured(recipe, fitted)
    views = [TextView(one.text, language, one.blocks) for one in fitted]
    script = Counter(view.script for view in views).most_common(1)[0][0]
    changes: dict[str, Any] = {}
    limits: list[dict[str, Any]] = []
    stop_words: list[dict[str, Any]] = []
    for section in _sections(recipe, settings):
        present = settings_in(section.step.settings, language, script)
        own = _fit(section, present, drafts, config, limits)
        if hasattr(present, STOP_WORDS) and section.step.name in MEASURES and MEASURES[section.step.name]:
            own |= _stop_words(section, present, views, config, stop_words)
        if own:
            changes = merge(changes, _nested((*section.path, BY_LANGUAGE, language), own))
    after = make(overlay(settings, changes))
    tried = {"before": _fates(recipe, held), "after": _fates(after, held)} if held else {}
    n_words = sum(TextView(one.text).n_words for one in texts)
    return Tuned(language, changes, limits, stop_words, len(texts), n_words, len(fitted), tried)


def _drawn(documents: Iterable[Document], most: int) -> list[Document]:
    """Return the documents of different texts, at most so many, by a hash of them; in the order of their ids."""
    drawn: dict[str, Document] = {}
    for document in documents:
        drawn[document.id] = document
        if len(drawn) >= 2 * most:
            drawn = {one.id: one for one in _least(drawn.values(), most)}
    return sorted(_least(drawn.values(), most), key=lambda one: one.id)


def _least(documents: Iterable[Document], n: int) -> list[Document]:
    return heapq.nsmallest(n, documents, key=lambda one: (keyed_hash("tune", one.id), one.id))


def _stages(recipe: Recipe) -> list[Sequence[Step]]:
    """Return the steps of each stage that looks at one document at a time; a fit has no step before it has a sample."""
    stages = [node.stage for node in recipe.nodes if node.stage.reads == "documents"]
    found = [
        stage.steps for stage in stages if hasattr(stage, "steps") and not isinstance(stage, (SurveyStage, FitStage))
    ]
    for steps in found:
        open_steps(steps)
    return found


def _measured(recipe: Recipe, documents: Sequence[Document]) -> list[Draft]:
    """Return the documents with all measures, whatever becomes of them."""
    drafts = [Draft(document) for document in documents]
    for steps in _stages(recipe):
        for draft in drafts:
            draft.drop = None
        run_steps(steps, drafts, Counter(), Counter(), lambda document_id: True)
    return drafts


def _fates(recipe: Recipe, documents: Sequence[Document]) -> dict[str, int]:
    """Return how many documents the recipe's steps keep, and drop by reason."""
    drafts = [Draft(document) for document in documents]
    for steps in _stages(recipe):
        run_steps(steps, [draft for draft in drafts if draft.alive], Counter(), Counter())
    return dict(sorted(Counter(draft.drop.reason if draft.drop else KEPT for draft in drafts).items()))


def _sections(recipe: Recipe, settings: Any) -> list[_Section]:
    """Return the steps whose settings may differ by language and are a section of the recipe's settings, each once."""
    paths = dict(_paths(settings, ()))
    steps = [step for steps in _stages(recipe) for step in steps if isinstance(step.settings, PerLanguage)]
    return [_Section(step, paths[id(step.settings)]) for step in steps if id(step.settings) in paths]


def _paths(settings: Any, path: tuple[str, ...]) -> Iterable[tuple[int, tuple[str, ...]]]:
    """Yield where in some settings each object of settings by language is."""
    for one in dataclasses.fields(settings):
        value = getattr(settings, one.name)
        if isinstance(value, PerLanguage):
            yield id(value), (*path, one.name)
        elif dataclasses.is_dataclass(value):
            yield from _paths(value, (*path, one.name))


def measures_of(step: Any) -> Mapping[str, str]:
    """Return the measure that each limit of a step is of."""
    if step.name in MEASURES:
        return MEASURES[step.name]
    if step.stats is None:
        return {}
    floats = {
        name for name, hint in typing.get_type_hints(step.stats).items() if float in (hint, *typing.get_args(hint))
    }
    names = [one.name for one in dataclasses.fields(step.settings.default)]
    return {name: name[len(MAX) :] for name in names if name.startswith((MAX, MIN)) and name[len(MAX) :] in floats}


def _fit(
    section: _Section, present: Any, drafts: Sequence[Draft], config: TuneConfig, limits: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the limits of one step that differ from those the language has; add to `limits` what all rest on."""
    own = {}
    for name, measure in measures_of(section.step).items():
        stats = [draft.measures.get(section.step.name) for draft in drafts]
        values = [value for one in stats if one is not None and (value := getattr(one, measure)) is not None]
        if not values:
            continue
        is_upper = name.startswith(MAX)
        fitted = fit_limit(values, is_upper, config.share, config.confidence)
        english, before = getattr(section.step.settings.default, name), getattr(present, name)
        limit = looser(fitted.limit, english, is_upper)
        if fitted.share < config.share:  # too few texts to say that nothing else is in the language
            limit = looser(limit, before, is_upper)
        limits.append({
            "setting": f"{section.name}.{name}", "measure": f"{section.step.name}.{measure}", "limit": limit,
            "fitted": fitted.limit, "english": english, "before": before, "texts": fitted.n_texts,
            "share": fitted.share, "quantiles": dict(zip(map(str, QUANTILES), fitted.quantiles, strict=True)),
        })  # fmt: skip
        if limit != before:
            own[name] = limit
    return own


def _stop_words(
    section: _Section, present: Any, views: Sequence[TextView], config: TuneConfig, found: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the stop words of a language, those that it had among them; none where too few texts have two of them."""
    new, shares = find_stop_words(views, config)
    words = list(dict.fromkeys([*new, *present.stop_words]))  # a reference may lack the words of talk
    with_some = share_with(views, words, getattr(present, MIN_STOP_WORDS, 2))
    judged = words if with_some >= config.share else []
    found.append({
        "setting": f"{section.name}.{STOP_WORDS}", "words": judged, "candidates": shares, "texts_with_some": with_some,
        "before": list(present.stop_words),
    })  # fmt: skip
    return {STOP_WORDS: judged} if tuple(judged) != tuple(present.stop_words) else {}


def _nested(path: Sequence[str], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return typing.cast(dict[str, Any], value)
