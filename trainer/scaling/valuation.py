"""The value of a new source, by annealing a half-trained model on it.

L3 section 3.1.3: the learning rate of a model that is half trained goes linearly to 0 over 40B tokens, 30% of them from
the new source and 70% from the default mix; cheaper than scaling laws for every small source. Our choice: it is
compared with the same annealing on the default mix alone, over several seeds, each on a stretch of the data that the
model has not been trained on; with and without go together seed by seed, so that what the stretch does to both cancels.
On data that the model has seen, a new source would win for being new alone.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError, InputError
from schemas.settings import section, setting, validate
from trainer.model.llama import count_parameters, flops_per_token
from trainer.recipe import LINEAR, Recipe, ScheduleConfig, StageConfig
from trainer.scaling.fits.lines import LEVEL, t_quantile
from trainer.scaling.ladder import Cell
from trainer.scaling.points import Interval, Point
from trainer.stages.start import read_place

WITH, WITHOUT = "with", "without"
STAGE = "anneal"


@dataclass(frozen=True, kw_only=True)
class ValuationConfig:
    """Which source is valued, from which model on, and how."""

    recipe: Recipe = section(Recipe, "model, data (the new source among it), held-out shards; it has no stages")
    start: str = setting("", "checkpoint folder (DIR/stages/NN-name/checkpoint) or Hugging Face model to begin from")
    source: str = setting("", "the new source")
    weight: float = setting(0.3, "its share (L3: 0.3)", gt=0, le=1)
    mix: dict[str, float] = setting({}, "the default mix, without the new source; none: by their tokens", ge=0)
    tokens: int = setting(40_000_000_000, "of the annealing (L3: 40B)", ge=1)
    seq_len: int = setting(8192, "tokens of a sequence (ours: not in L3)", ge=2)
    batch_tokens: int = setting(4_194_304, "tokens of a batch (ours: not in L3)", ge=2)
    rate: float = setting(
        1.515e-4, "learning rate at which the model stopped; of the 8B halfway through its cosine", gt=0
    )
    seeds: int = setting(3, "runs with and without, with seeds that count up from the recipe's (ours)", ge=1)
    allow_seen: bool = setting(False, "anneal on data that the model has seen where no other is left (ours)")

    def __post_init__(self) -> None:
        validate(self)
        if self.recipe.stages:
            raise ConfigError("recipe.stages: must be empty; the valuation makes them")
        if self.source in self.mix:
            raise ConfigError(f"mix.{self.source}: the new source is not part of the default mix")


@dataclass(frozen=True)
class Difference:
    """Loss with the new source less that without, of one held-out source: below 0, the new source helps."""

    held_out: str
    without: float  # mean over seeds
    difference: float
    interval: Interval | None  # over seeds, Student's t of paired differences; None with one seed
    seeds: int


def mixes_of(config: ValuationConfig, epoch_tokens: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """Return the mixes of both arms. ConfigError when the new source, or any other, is not among the shards."""
    others = {name: float(n) for name, n in epoch_tokens.items() if name != config.source}
    default = config.mix or others
    allowed = ", ".join(sorted(epoch_tokens))
    if config.source not in epoch_tokens:
        raise ConfigError(f"source: {config.source!r} is not among the shards; allowed: {allowed}")
    if unknown := sorted(default.keys() - others.keys()):
        raise ConfigError(f"mix.{unknown[0]}: no such source; allowed: {allowed}")
    total = math.fsum(default.values())
    if total <= 0:
        raise ConfigError("mix: the default mix is empty; the shards hold no other source with a weight above 0")
    plain = {name: weight / total for name, weight in sorted(default.items())}
    rest = {name: share * (1 - config.weight) for name, share in plain.items()}
    return {WITHOUT: plain, WITH: {**rest, config.source: config.weight}}


def valuation_cells(config: ValuationConfig, vocab_size: int, epoch_tokens: Mapping[str, int]) -> list[Cell]:
    """Return the runs of both arms, seed by seed."""
    if not config.start:
        raise ConfigError("start: none; a valuation begins from a half-trained model")
    if not config.recipe.evaluation.held_out:
        raise ConfigError("recipe.evaluation.held_out: none; a source is valued by the loss on held-out shards")
    mixes = mixes_of(config, epoch_tokens)
    place = read_place(Path(config.start))
    order_seed = place.order_seed if place is not None else config.recipe.stream_seed
    seen = place.starts if place is not None else {}
    cells = []
    for seed in range(config.seeds):
        starts = starts_of(config, mixes, seen, epoch_tokens, seed)
        recipe = dataclasses.replace(config.recipe, order_seed=order_seed, data_starts=starts)
        cells += [_cell(config, recipe, arm, mixes[arm], seed, vocab_size) for arm in (WITHOUT, WITH)]
    return cells


def starts_of(
    config: ValuationConfig, mixes: Mapping[str, Mapping[str, float]], seen: Mapping[str, int],
    epoch_tokens: Mapping[str, int], seed: int,
) -> dict[str, int]:  # fmt: skip
    """Return the token of each source at which both arms of a seed begin: each seed a stretch further, while there are.

    `seen` is what the model has read of each. ConfigError for a source of which it has left too little for one run.
    """
    starts = {}
    for name in sorted({name for mix in mixes.values() for name in mix}):
        share = max(mix.get(name, 0.0) for mix in mixes.values())
        # Shares are whole sequences of a block: one block more than the tokens come to.
        block = config.recipe.mix_block * config.seq_len
        wanted = math.ceil((config.tokens + block) * share)
        stretch = -(-wanted // config.seq_len) * config.seq_len
        begin = -(-seen.get(name, 0) // config.seq_len) * config.seq_len
        stretches = (epoch_tokens[name] - begin) // stretch if stretch else 1
        if stretches < 1 and seen.get(name, 0) and not config.allow_seen:
            raise ConfigError(
                f"start: its run has read {begin:,} of the {epoch_tokens[name]:,} tokens of {name}; an annealing needs"
                f" {stretch:,} more (allow_seen)"
            )
        starts[name] = begin + seed % max(1, stretches) * stretch
    return starts


def _cell(
    config: ValuationConfig, base: Recipe, arm: str, mix: dict[str, float], seed: int, vocab_size: int
) -> Cell:  # fmt: skip
    stage = StageConfig(
        name=STAGE, tokens=config.tokens, seq_len=config.seq_len, batch_tokens=config.batch_tokens, mix=mix,
        schedule=ScheduleConfig(kind=LINEAR, peak=config.rate, floor=0.0),
    )  # fmt: skip
    name, evaluation = f"{arm}-s{seed}", dataclasses.replace(base.evaluation, needle_depths=1, needles=1)
    recipe = dataclasses.replace(
        base, name=name, seed=base.seed + seed, stages=(stage,), evaluation=evaluation, init_from=config.start
    )
    entries = base.model.vocab_size or vocab_size
    flops = stage.steps * stage.batch_tokens * flops_per_token(base.model, entries, stage.seq_len)
    return Cell(name, arm, "", flops, count_parameters(base.model, entries), flops, recipe, {})


def differences(points: Sequence[Point], level: float = LEVEL) -> list[Difference]:
    """Return what the new source does to the loss of each held-out source, and to their mean, '' by name, first.

    Points are of mix "with" or "without". InputError when a seed has not both.
    """
    arms = {arm: {p.seed: p for p in points if p.mix == arm} for arm in (WITH, WITHOUT)}
    if not arms[WITH] or arms[WITH].keys() != arms[WITHOUT].keys():
        raise InputError(
            f"seeds with the source are {sorted(arms[WITH])}, without {sorted(arms[WITHOUT])}; need the same"
        )
    pairs = [(arms[WITH][seed], arms[WITHOUT][seed]) for seed in sorted(arms[WITH])]
    mean = _difference("", [(new.loss, old.loss) for new, old in pairs], level)
    names = sorted(pairs[0][0].losses)
    return [mean, *(_difference(n, [(new.losses[n], old.losses[n]) for new, old in pairs], level) for n in names)]


def _difference(held_out: str, losses: Sequence[tuple[float, float]], level: float) -> Difference:
    gaps, n = [new - old for new, old in losses], len(losses)
    mean = math.fsum(gaps) / n
    interval = None
    if n > 1:
        error = math.sqrt(math.fsum((gap - mean) ** 2 for gap in gaps) / (n - 1) / n)
        half = t_quantile(level, n - 1) * error
        interval = Interval(mean - half, mean + half, level)
    return Difference(held_out, math.fsum(old for _, old in losses) / n, mean, interval, n)
