"""The mix: how many times each document is taken, so that sources, languages and quality bands get their shares.

A group is `source/language/band`, the unit that is counted and rated. The shares wanted on each axis are fitted to the
groups that exist by iterative proportional fitting (Deming and Stephan 1940), which changes the existing mix as little
as the shares allow; so every group gets a rate, the times its documents are taken on average: 0.3 keeps three in ten,
2.5 takes each twice and half of them a third time. Rates are capped at `max_epochs`; the shortfall is reported, and no
other group grows to fill it.

Copies come from a keyed hash of the document id alone: a higher rate only ever adds copies, so one sample holds the
other, and a document's copies do not depend on any other document.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError, RunError
from schemas.identity import keyed_fraction
from schemas.settings import setting, to_plain, validate
from transforms.step import Drop
from transforms.text.scripts import UNDETERMINED

AXES = ("source", "language", "quality")
SALT = "mix.copies"
UNSCORED = "unscored"
_ROUNDS = 1000
_TOLERANCE = 1e-12  # relative change of a weight in a round at which the fit is done
_SLACK = 1e-9  # shares written with rounded decimals still add up to 1

Shares = Mapping[str, float]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MixConfig:
    """What the token shards are made of. Shares are of tokens; the names left out divide what the named leave."""

    token_budget: int | None = setting(None, "total tokens wanted; null: as many as there are", ge=1)
    source_shares: dict[str, float] = setting({}, "share of each source; {}: unchanged", ge=0, le=1)
    language_shares: dict[str, float] = setting(
        {}, "share of each language code; 'und' has none; {}: unchanged", ge=0, le=1
    )
    quality_shares: dict[str, float] = setting(
        {}, "share of each quality band, q0 (lowest), q1, ... or 'unscored'; {}: unchanged", ge=0, le=1
    )
    quality_bands: tuple[float, ...] = setting(
        (), "edges of quality bands (scores, or bins), ascending; a band includes its lower edge"
    )
    max_epochs: float = setting(4.0, "maximum copies of a document; 4 per arXiv:2305.16264", gt=0, le=1000)

    def __post_init__(self) -> None:
        validate(self)
        for axis in AXES:
            total = math.fsum(self.shares(axis).values())
            if total > 1 + _SLACK:
                raise ConfigError(f"{axis}_shares: they add up to {total:g}; must be <= 1")
        if any(low >= high for low, high in zip(self.quality_bands, self.quality_bands[1:], strict=False)):
            raise ConfigError(f"quality_bands: {list(self.quality_bands)} is not allowed; expected ascending scores")
        bands = [f"q{n}" for n in range(len(self.quality_bands) + 1)] + [UNSCORED]
        for name in self.quality_shares:
            if name not in bands:
                raise ConfigError(f"quality_shares.{name}: no such band; allowed: {', '.join(bands)}")

    def shares(self, axis: str) -> dict[str, float]:
        """Return the shares wanted on one of AXES."""
        return {
            "source": self.source_shares,
            "language": self.language_shares,
            "quality": self.quality_shares,
        }[axis]


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """Tokens and rate of one group."""

    group: str
    available_tokens: int
    wanted_share: float  # of the budget
    wanted_tokens: float  # before the cap
    rate: float  # copies of a document on average, capped


@dataclass(frozen=True)
class MixPlan:
    """The rates of all groups, and what the shares asked for."""

    budget: int
    groups: tuple[GroupPlan, ...]  # sorted by group
    wanted: Mapping[str, Mapping[str, float]]  # axis -> name -> share asked for; absent names included
    absent: tuple[str, ...]  # 'language_shares.xx' of shares above 0 that no token of the input can fill
    rates: Mapping[str, float]

    def rate(self, group: str) -> float:
        """Return the rate of a group; RunError if it was not counted."""
        if group not in self.rates:
            raise RunError(f"mix: group {group!r} was not counted when the mix was planned")
        return self.rates[group]


@dataclass(frozen=True, slots=True)
class MixRow:
    """One line of the report: a group, or one name on one axis."""

    axis: str  # 'group', 'source', 'language' or 'quality'
    name: str
    available_tokens: int
    wanted_share: float
    reached_share: float
    reached_tokens: int
    rate: float  # planned copies of a token
    epochs: float  # reached copies of a token
    shortfall_tokens: int  # of what was wanted, left out by the cap


@dataclass(frozen=True)
class MixReport:
    """The wanted and the actual mix, side by side."""

    budget: int
    available_tokens: int
    reached_tokens: int
    shortfall_tokens: int
    absent: tuple[str, ...]
    rows: tuple[MixRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        plain: dict[str, Any] = to_plain(self)
        return plain


def quality_band(score: float | None, edges: tuple[float, ...]) -> str:
    """Return the band of a score: q0 below the first edge, qN from the Nth edge on; 'unscored' without a score."""
    if score is None or math.isnan(score):
        return UNSCORED
    return f"q{sum(score >= edge for edge in edges)}"


def group_of(source: str, language: str, band: str) -> str:
    """Return the group of a document. Only the source may hold a slash."""
    return f"{source}/{language or UNDETERMINED}/{band}"


def source_of(group: str) -> str:
    """Return the source of a group."""
    return group.rsplit("/", 2)[0]


def plan_mix(tokens_by_group: Mapping[str, int], config: MixConfig) -> MixPlan:
    """Return the rate of each group, from the tokens each has."""
    groups = sorted(tokens_by_group)
    available = np.array([tokens_by_group[group] for group in groups], np.float64)
    total = sum(tokens_by_group.values())
    budget = total if config.token_budget is None else config.token_budget
    wanted, absent, targets = {}, [], {}
    for axis in AXES:
        present = _sum_by(axis, groups, tokens_by_group)
        shares = config.shares(axis)
        wanted[axis] = _asked(shares, present)
        missing = [name for name, share in shares.items() if share > 0 and not present.get(name)]
        absent += [f"{axis}_shares.{name}" for name in sorted(missing)]
        if shares and total:
            targets[axis] = _targets(axis, wanted[axis], present)
    weights = _fit(groups, available, targets)
    plans = tuple(
        _plan_group(group, tokens_by_group[group], float(weight), budget, config.max_epochs)
        for group, weight in zip(groups, weights, strict=True)
    )
    return MixPlan(budget, plans, wanted, tuple(absent), {plan.group: plan.rate for plan in plans})


def copies(doc_id: str, rate: float, salt: str = SALT) -> int:
    """Return how many times a document is taken at `rate`: floor(rate), and one more for the fraction by its id."""
    whole = math.floor(rate)
    return whole + (keyed_fraction(salt, doc_id) < rate - whole)


def drop_of(doc_id: str, rate: float, salt: str = SALT) -> Drop | None:
    """Return the drop of a document that the mix takes no copy of: its fraction, and the rate it had to be under."""
    return None if copies(doc_id, rate, salt) else Drop("over_mix_share", keyed_fraction(salt, doc_id), rate)


def report_mix(plan: MixPlan, reached_by_group: Mapping[str, int]) -> MixReport:
    """Return the report, from the tokens that were taken of each group, copies counted."""
    unknown = sorted(set(reached_by_group) - set(plan.rates))
    if unknown:
        raise RunError(f"mix: group {unknown[0]!r} was not counted when the mix was planned")
    reached_total = sum(reached_by_group.values())
    rows = []
    for axis in AXES:
        members: dict[str, list[GroupPlan]] = {name: [] for name in plan.wanted[axis]}
        for group in plan.groups:
            members[_name_on(axis, group.group)].append(group)
        for name in sorted(members):
            share = plan.wanted[axis][name]
            rows.append(_row(axis, name, members[name], share, reached_by_group, reached_total))
    rows += [
        _row("group", group.group, [group], group.wanted_share, reached_by_group, reached_total)
        for group in plan.groups
    ]
    return MixReport(
        plan.budget,
        sum(group.available_tokens for group in plan.groups),
        reached_total,
        _shortfall(plan.groups),
        plan.absent,
        tuple(rows),
    )


def _plan_group(group: str, available: int, share: float, budget: int, max_epochs: float) -> GroupPlan:
    # Twelve decimals: a group wanted whole must get exactly 1, despite rounding in the fit.
    rate = min(round(share * budget / available, 12), max_epochs) if available else 0.0
    return GroupPlan(group, available, share, share * budget, rate)


def _asked(shares: Shares, present: Mapping[str, int]) -> dict[str, float]:
    """Return the share asked for each name: as given, and for the names left out their part of the rest."""
    rest = 1 - math.fsum(shares.values())
    others = {name: tokens for name, tokens in present.items() if name not in shares}
    others_total = sum(others.values())
    part = rest / others_total if rest > _SLACK and others_total else 0.0
    return {**shares, **{name: tokens * part for name, tokens in others.items()}}


def _targets(axis: str, asked: Shares, present: Mapping[str, int]) -> dict[str, float]:
    """Return shares of the names that exist, adding up to 1."""
    found = {name: asked[name] for name, tokens in present.items() if tokens}
    total = math.fsum(found.values())
    if total <= 0:
        raise ConfigError(f"{axis}_shares: nothing of the input has a share above 0; it has {', '.join(sorted(found))}")
    return {name: share / total for name, share in found.items()}


def _fit(groups: list[str], available: Floats, targets: Mapping[str, Shares]) -> Floats:
    """Return the groups' shares. Where the axes contradict each other the one fitted last, the source, is met."""
    weights = available / max(available.sum(), 1.0)
    axes = []
    for axis in reversed(AXES):
        if axis in targets:
            names = sorted(targets[axis])
            index = np.array([names.index(n) if (n := _name_on(axis, g)) in targets[axis] else 0 for g in groups])
            axes.append((index, np.array([targets[axis][name] for name in names])))
    for _ in range(_ROUNDS if axes else 0):
        before = weights
        for index, wanted in axes:
            sums = np.bincount(index, weights, len(wanted))
            weights = weights * np.divide(wanted, sums, out=np.zeros_like(sums), where=sums > 0)[index]
        if (np.abs(weights - before) <= _TOLERANCE * before).all():
            break
    shares: Floats = weights / (weights.sum() or 1.0)
    return shares


def _row(
    axis: str, name: str, members: Iterable[GroupPlan], wanted: float, reached: Mapping[str, int], reached_total: int
) -> MixRow:
    members = list(members)
    available = sum(group.available_tokens for group in members)
    planned = math.fsum(group.rate * group.available_tokens for group in members)
    got = sum(reached.get(group.group, 0) for group in members)
    return MixRow(
        axis=axis,
        name=name,
        available_tokens=available,
        wanted_share=wanted,
        reached_share=got / reached_total if reached_total else 0.0,
        reached_tokens=got,
        rate=planned / available if available else 0.0,
        epochs=got / available if available else 0.0,
        shortfall_tokens=_shortfall(members),
    )


def _shortfall(groups: Iterable[GroupPlan]) -> int:
    return round(math.fsum(max(0.0, group.wanted_tokens - group.rate * group.available_tokens) for group in groups))


def _name_on(axis: str, group: str) -> str:
    return group.rsplit("/", 2)[AXES.index(axis)]


def _sum_by(axis: str, groups: list[str], tokens: Mapping[str, int]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for group in groups:
        name = _name_on(axis, group)
        sums[name] = sums.get(name, 0) + tokens[group]
    return sums
