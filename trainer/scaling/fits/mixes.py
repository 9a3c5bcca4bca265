"""Which data mix is best at a budget that cannot be tried: small models on each, and a line through their losses.

L3 section 3.1.2: "we train several small models on a data mix and use that to predict the performance of a large model
on that same mix", several times for several mixes; the form of the prediction is not given. Our choice:
ln(loss - floor) is a straight line in ln(operations) for each mix, through the lowest loss over sizes at each budget
and seed. The scatter about the lines is pooled over the mixes. `floor`, the loss that no compute removes, belongs to
the held-out text and is one for all mixes; it is a setting, since a short ladder cannot determine it (0: a plain power
law).

The winner is the lowest of several uncertain figures, so its expected loss is a little too good; `win_share`, the share
of draws from all intervals together in which it is still the lowest, shows how certain the choice is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import yaml

from schemas.errors import ConfigError, InputError
from schemas.identity import keyed_hash
from schemas.settings import section, setting, validate
from trainer.scaling.candidates import propose
from trainer.scaling.fits.lines import LEVEL, Line, fit_line, t_quantile
from trainer.scaling.ladder import Cell, LadderConfig, LeftOut, make_cells
from trainer.scaling.points import FLAGSHIP_FLOPS, Interval, Point

SALT = "trainer.scaling.win_share"
DRAWS = 10_000
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
    target: float = setting(FLAGSHIP_FLOPS, "operations at which mixes are compared (L3: of the 405B model)", gt=0)
    floor: float = setting(0.0, "nats a token that no compute removes, of the held-out text (ours)", ge=0)

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
    line: Line  # ln(loss - floor) against ln(operations), with the pooled variance
    loss: float
    interval: Interval | None
    behind: Interval | None  # nats above the winner
    win_share: float | None  # of draws in which this mix is the lowest


@dataclass(frozen=True)
class Comparison:
    """All mixes, the one with the lowest expected loss first."""

    target: float
    floor: float
    forecasts: tuple[MixForecast, ...]

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
    """Return the runs of all mixes, those left out, and the shares of each mix."""
    shares = candidates(config, epoch_tokens)
    cells: list[Cell] = []
    left_out: list[LeftOut] = []
    for name, mix in shares.items():
        done, not_done = make_cells(dataclasses.replace(config.ladder, mix=mix), vocab_size, epoch_tokens, name)
        cells += done
        left_out += not_done
    return cells, left_out, shares


def compare(
    points: Sequence[Point], target: float, floor: float = 0.0, key: str = "0", level: float = LEVEL
) -> Comparison:
    """Return the mixes in the order of their expected loss at `target`, ties by name; `key` draws the win shares.

    InputError when there are no points or a mix has less than two budgets, ConfigError for a floor above a loss.
    """
    lines = {mix: _line([p for p in points if p.mix == mix], floor) for mix in sorted({p.mix for p in points})}
    if not lines:
        raise InputError("no runs to compare")
    dof = sum(line.dof for line in lines.values())
    variance = sum(line.rss for line in lines.values()) / dof if dof else 0.0
    pooled = {mix: dataclasses.replace(line, variance=variance, dof=dof) for mix, line in lines.items()}
    x = math.log(target)
    order = sorted(pooled, key=lambda mix: (pooled[mix].at(x), mix))
    shares = _win_shares([pooled[mix] for mix in order], x, key)
    best = pooled[order[0]]
    forecasts = tuple(
        _forecast(mix, pooled[mix], best, x, floor, level, share) for mix, share in zip(order, shares, strict=True)
    )
    return Comparison(target, floor, forecasts)


def _line(points: Sequence[Point], floor: float) -> Line:
    """Return the line of one mix through its lowest loss at each budget and seed."""
    lowest: dict[tuple[float, int], float] = {}
    for point in points:
        at = (point.budget, point.seed)
        lowest[at] = min(point.loss, lowest.get(at, math.inf))
    if (worst := min(lowest.values())) <= floor:
        raise ConfigError(f"floor: {floor} is not allowed; must be below every loss, and one is {worst:.4f}")
    runs = sorted(lowest.items())
    what = f"loss against operations of mix {points[0].mix!r}"
    return fit_line([math.log(at[0]) for at, _ in runs], [math.log(loss - floor) for _, loss in runs], what)


def _forecast(
    mix: str, line: Line, best: Line, x: float, floor: float, level: float, win_share: float | None
) -> MixForecast:
    interval, behind = line.interval(x, level), None
    if interval is not None:
        interval = Interval(floor + math.exp(interval.low), floor + math.exp(interval.high), level)
        error = math.sqrt(line.variance * (line.leverage(x) + best.leverage(x))) if line is not best else 0.0
        half, gap, above = t_quantile(level, line.dof) * error, line.at(x) - best.at(x), math.exp(best.at(x))
        behind = Interval(above * math.expm1(gap - half), above * math.expm1(gap + half), level)
    return MixForecast(mix, line, floor + math.exp(line.at(x)), interval, behind, win_share)


def _win_shares(lines: Sequence[Line], x: float, key: str) -> list[float | None]:
    """Return the share of draws in which each line is the lowest at x; None without degrees of freedom."""
    dof = lines[0].dof
    if not dof:
        return [None] * len(lines)
    draws = np.random.default_rng(keyed_hash(SALT, key))
    heights = np.array([line.at(x) for line in lines])
    errors = np.sqrt([line.variance * line.leverage(x) for line in lines])
    scale = np.sqrt(dof / draws.chisquare(dof, (DRAWS, 1)))
    drawn = heights + errors * scale * draws.standard_normal((DRAWS, len(lines)))
    counts = np.bincount(drawn.argmin(axis=1), minlength=len(lines))
    return [float(n) / DRAWS for n in counts]


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
