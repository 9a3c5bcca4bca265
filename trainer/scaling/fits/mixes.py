"""Which data mix is best at a budget that cannot be tried: small models on each, and a law through their losses.

L3 section 3.1.2: "we train several small models on a data mix and use that to predict the performance of a large model
on that same mix", several times for several mixes; the form of the prediction is not given. Our choice: the loss of a
mix is floor + a / C**power, through its lowest loss at each budget and seed: the minimum of the curve over sizes where
every budget has one, else the lowest run. `floor`, the loss that no compute removes, belongs to the held-out text and
is one for all mixes. It is fitted jointly (`floor.py`), or given. A power law to zero, carried seven orders of
magnitude, forecast half of the true loss and was sure of the worse mix: a target may lie `max_orders` beyond the
largest budget at most.

The winner is the lowest of several uncertain figures, so its expected loss is a little too good; `win_share`, the share
of draws from all that is not known in which it is still the lowest, shows how certain the choice is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import yaml

from schemas.errors import ConfigError, InputError
from schemas.settings import section, setting, validate
from trainer.scaling.candidates import propose
from trainer.scaling.fits.floor import FloorFit, fit_floor, too_few
from trainer.scaling.fits.isoflops import COEFFICIENTS, fit_window
from trainer.scaling.fits.lines import LEVEL
from trainer.scaling.fits.settings import FitConfig, too_far
from trainer.scaling.ladder import Cell, LadderConfig, LeftOut, make_cells
from trainer.scaling.points import Interval, Point

PLACES = 30  # between the smallest budget and the target, at which a mix is drawn
SLACK = 1e-9  # shares written with rounded decimals still add up to 1
AS_FOUND = "as-found"


@dataclass(frozen=True, kw_only=True)
class NamedMix:
    """One mix to try."""

    name: str = setting("", "unique")
    shares: dict[str, float] = setting({}, "of each source; they add up to 1", ge=0, le=1)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class MixesConfig:
    """Which mixes are compared, by which ladder, for which budget."""

    ladder: LadderConfig = section(LadderConfig, "the runs of each mix; it has no mix of its own")
    mixes: tuple[NamedMix, ...] = setting((), "mixes to try")
    as_found: bool = setting(True, "try also the sources by their tokens")
    proposals: int = setting(0, "mixes drawn from a grid, by the recipe's seed", ge=0)
    parts: int = setting(10, "the grid's shares are multiples of 1 / parts", ge=1, le=1000)
    least: int = setting(0, "parts that each source of a drawn mix has at least", ge=0)
    target: float = setting(
        0.0, "operations at which mixes are compared; 0: as far beyond the largest budget as max_orders allows", ge=0
    )
    max_orders: float = setting(2.0, "orders of magnitude beyond the largest budget of `target` at most (ours)", ge=0)
    floor: float = setting(
        0.0, "nats a token of the held-out text that no compute removes; 0: fitted, one for all mixes (ours)", ge=0
    )

    def __post_init__(self) -> None:
        validate(self)
        for mix in self.mixes:
            total = math.fsum(mix.shares.values())
            if not mix.name or "/" in mix.name or abs(total - 1) > SLACK:
                raise ConfigError(f"mixes: {mix.name!r} with shares {total:g} is not allowed; a name, and shares of 1")
        names = [mix.name for mix in self.mixes]
        if len(set(names)) < len(names) or AS_FOUND in names:
            raise ConfigError(f"mixes: names {names} are not allowed; each another, and none {AS_FOUND!r}")
        if self.ladder.mix:
            raise ConfigError("ladder.mix: must be empty; `mixes` says what is tried")


@dataclass(frozen=True)
class MixForecast:
    """What one mix is expected to reach at the target."""

    name: str
    loss: float  # nats a token: the middle of what the runs leave possible
    interval: Interval | None
    behind: Interval | None  # nats above the winner
    win_share: float | None  # of draws in which this mix is the lowest


@dataclass(frozen=True)
class Comparison:
    """All mixes, the one with the lowest expected loss first."""

    target: float
    floor: float  # nats a token: as given, or the middle of what is possible
    floor_interval: Interval | None  # None: it was given
    forecasts: tuple[MixForecast, ...]
    runs: Mapping[str, tuple[tuple[float, float], ...]]  # of each mix: operations and loss that the law goes through
    bands: Mapping[str, npt.NDArray[np.float64]] = field(compare=False, repr=False)
    """[4, places] of each mix: operations, and the lower end, middle and upper end of the loss there."""

    @property
    def winner(self) -> MixForecast:
        return self.forecasts[0]


def candidates(config: MixesConfig, epoch_tokens: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """Return the mixes to try by name: as found, the named, and those drawn. ConfigError for an unknown source."""
    total = sum(epoch_tokens.values())
    found = {AS_FOUND: {name: n / total for name, n in sorted(epoch_tokens.items())}} if config.as_found else {}
    found |= {mix.name: mix.shares for mix in config.mixes}
    for name, shares in found.items():
        if unknown := sorted(shares.keys() - epoch_tokens.keys()):
            raise ConfigError(f"mixes.{name}.{unknown[0]}: no such source; allowed: {', '.join(sorted(epoch_tokens))}")
    seed = str(config.ladder.recipe.seed)
    drawn = propose(list(epoch_tokens), config.parts, config.least, config.proposals, seed) if config.proposals else {}
    return {**drawn, **found}


def mix_cells(
    config: MixesConfig, vocab_size: int, epoch_tokens: Mapping[str, int]
) -> tuple[list[Cell], list[LeftOut], dict[str, dict[str, float]]]:
    """Return the runs of all mixes, those left out, and the shares of each mix.

    ConfigError for a target too far out, or too few runs to tell the floor: before anything is trained.
    """
    if config.ladder.budgets:
        target_of(config.target, max(budget.flops for budget in config.ladder.budgets), config.max_orders)
    shares = candidates(config, epoch_tokens)
    cells: list[Cell] = []
    left_out: list[LeftOut] = []
    for name, mix in shares.items():
        done, not_done = make_cells(dataclasses.replace(config.ladder, mix=mix), vocab_size, epoch_tokens, name)
        cells += done
        left_out += not_done
    count = len({(cell.mix, cell.budget, cell.recipe.seed) for cell in cells})
    if not config.floor and (why := too_few(count, len(shares))):
        raise ConfigError(f"floor: {why}")
    return cells, left_out, shares


def compare(
    points: Sequence[Point], target: float = 0.0, floor: float = 0.0, key: str = "0", level: float = LEVEL,
    max_orders: float = MixesConfig.max_orders,
) -> Comparison:  # fmt: skip
    """Return the mixes in the order of their expected loss at `target`, ties by name; `key` makes the draws.

    InputError when there are no points, a mix has less than two budgets or all are too few to tell a floor, ConfigError
    for a floor above a loss or a target too far out.
    """
    if not points:
        raise InputError("no runs to compare")
    target = target_of(target, max(point.budget for point in points), max_orders)
    runs = {mix: _lowest([p for p in points if p.mix == mix]) for mix in sorted({p.mix for p in points})}
    fit = fit_floor(runs, floor)
    first = min(point.budget for point in points)
    places = np.geomspace(min(first, target), target, PLACES).tolist()
    if not fit.dof:
        middle = np.stack([fit.losses(place) for place in places])
        return _comparison(fit, target, runs, (middle, middle, middle), places, None, level)
    drawn = fit.draws([*places, target], key)
    low, middle, high = np.quantile(drawn, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=2)
    found = _comparison(fit, target, runs, (low[:-1], middle[:-1], high[:-1]), places, drawn[-1], level)
    if floor:
        return found
    ends = np.quantile(fit.drawn_floors(key), [(1 - level) / 2, 0.5, (1 + level) / 2]).tolist()
    return dataclasses.replace(found, floor=ends[1], floor_interval=Interval(ends[0], ends[2], level))


def target_of(target: float, last: float, max_orders: float) -> float:
    """Return where mixes are compared, given the largest budget. ConfigError when that is too far out."""
    if not target:
        return last * 10**max_orders
    if far := too_far(target, last, max_orders):
        raise ConfigError(f"target: {far}")
    return target


def _lowest(points: Sequence[Point]) -> tuple[tuple[float, float], ...]:
    """Return operations and lowest loss of one mix at each budget and seed.

    It is that of the curve over sizes if each has one: the lowest run is too low by its noise, and too high by how far
    the next size lies from the minimum, which differs from budget to budget.
    """
    groups: dict[tuple[float, int], list[Point]] = {}
    for point in points:
        groups.setdefault((point.budget, point.seed), []).append(point)
    found = sorted(groups.items())
    if all(len({p.tokens for p in group}) >= COEFFICIENTS for _, group in found):
        curves = [fit_window(group, FitConfig.window) for _, group in found]
        if all(curve.is_inside for curve in curves):
            return tuple((curve.budget, curve.lowest) for curve in curves)
    return tuple((budget, min(p.loss for p in group)) for (budget, _), group in found)


def _comparison(
    fit: FloorFit, target: float, runs: Mapping[str, tuple[tuple[float, float], ...]],
    ends: tuple[npt.NDArray[np.float64], ...], places: Sequence[float], drawn: npt.NDArray[np.float64] | None,
    level: float,
) -> Comparison:  # fmt: skip
    """Lay out what was found: `ends` are [places, mixes] each, `drawn` the losses at the target, [mixes, draws]."""
    middles = [float(loss) for loss in ends[1][-1]]
    order = sorted(range(len(middles)), key=lambda n: (round(middles[n], 9), fit.names[n]))
    best = order[0]
    shares = np.bincount(drawn.argmin(axis=0), minlength=len(order)) / drawn.shape[1] if drawn is not None else None
    forecasts = tuple(
        MixForecast(
            fit.names[n], middles[n],
            _interval(drawn[n], level) if drawn is not None else None,
            _interval(drawn[n] - drawn[best], level) if drawn is not None else None,
            float(shares[n]) if shares is not None else None,
        )
        for n in order
    )  # fmt: skip
    bands = {name: np.stack([places, *(end[:, n] for end in ends)]) for n, name in enumerate(fit.names)}
    return Comparison(target, float(fit.floors[fit.best]), None, forecasts, runs, bands)


def _interval(values: npt.NDArray[np.float64], level: float) -> Interval:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level)


def mix_file(shares: Mapping[str, float], comparison: Comparison) -> str:
    """Return the settings of the pipeline's mix step for the winner, as YAML for `winnow run --config`."""
    winner = comparison.winner
    about = [
        f"mix {winner.name}: expected held-out loss {winner.loss:.4f} nats a token at {comparison.target:.3g} FLOPs"
    ]
    if winner.interval is not None:
        about.append(f"{winner.interval.level:.0%} interval {winner.interval.low:.4f} to {winner.interval.high:.4f}")
    if winner.win_share is not None:
        about.append(f"the lowest of {len(comparison.forecasts)} mixes in {winner.win_share:.0%} of draws")
    plain = {"mix": {"source_shares": dict(sorted(shares.items()))}}
    return "".join(f"# {line}\n" for line in about) + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
