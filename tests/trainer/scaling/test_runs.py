"""Real runs, of models of a few thousand weights."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest
import yaml

from schemas.errors import ConfigError, RunError
from schemas.settings import overlay
from tests.trainer.scaling.texts import write_text
from trainer.commands.progress import Silent
from trainer.data.batches import Batch
from trainer.loop.run import run
from trainer.loop.step import Stepper, StepResult
from trainer.recipe import Recipe
from trainer.scaling import runs
from trainer.scaling.cli import app
from trainer.scaling.ladder import LadderConfig, make_cells
from trainer.scaling.points import Point, read_points
from trainer.scaling.valuation import ValuationConfig, differences, valuation_cells

LADDER = """
seq_len = 32
min_steps = 3
[recipe]
mix_block = 4
[recipe.evaluation]
tokens = 2048
[recipe.local]
threads = 1
[[budgets]]
flops = 2e8
batch_tokens = 256
[[budgets]]
flops = 4e8
batch_tokens = 256
[[rungs]]
name = "d8"
peak = 1e-2
model = { layers = 1, dim = 8, ffn_dim = 16, heads = 1, kv_heads = 1 }
[[rungs]]
name = "d16"
peak = 1e-2
model = { layers = 1, dim = 16, ffn_dim = 32, heads = 1, kv_heads = 1 }
"""


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources to train on, one of which speaks the held-out language."""
    folder = tmp_path_factory.mktemp("shards")
    write_text(folder / "train", "near", 20_000, language=1, seed=0)
    write_text(folder / "train", "other", 20_000, language=2, seed=0)
    write_text(folder / "held", "near", 4_000, language=1, seed=1)
    return folder


def _cli(*args: str) -> None:
    app(list(args), standalone_mode=False)


def _data(shards: Path) -> list[str]:
    return ["--data", str(shards / "train"), "--held-out", str(shards / "held")]


def test_a_ladder_is_trained_collected_and_passed_over_the_next_time(shards: Path, tmp_path: Path) -> None:
    path, output = tmp_path / "ladder.toml", tmp_path / "out"
    path.write_text(LADDER)
    _cli("run", str(path), "-o", str(output), "--only", "2e+08-d8-s0", *_data(shards))
    assert [folder.name for folder in output.glob("runs/*")] == ["2e+08-d8-s0"]
    before = (output / "runs" / "2e+08-d8-s0" / "journal.jsonl").read_bytes()
    # Two sizes make no parabola: all are trained and kept, and one line says what is missing.
    with pytest.raises(Exception, match=r"budget 2e\+08: runs of 2 sizes; a parabola needs 3"):
        _cli("run", str(path), "-o", str(output), *_data(shards))
    points = read_points(output / "points.jsonl")
    assert sorted(point.name for point in points) == ["2e+08-d16-s0", "2e+08-d8-s0", "4e+08-d16-s0", "4e+08-d8-s0"]
    assert (output / "runs" / "2e+08-d8-s0" / "journal.jsonl").read_bytes() == before
    for point in points:
        assert point.flops == pytest.approx(point.budget, rel=0.2)
        assert point.loss == point.losses["near"]
        assert 1.0 < point.loss < 3.466  # less than ln(32), that of no knowledge
    longest, shortest = max(points, key=lambda p: p.tokens), min(points, key=lambda p: p.tokens)
    assert longest.loss < shortest.loss


def _cells(shards: Path) -> list[runs.Cell]:
    import tomllib

    plain = tomllib.loads(LADDER)
    plain["recipe"] |= {"data": [str(shards / "train")]}
    plain["recipe"]["evaluation"]["held_out"] = [str(shards / "held")]
    config = overlay(LadderConfig(), plain)
    facts = runs.facts_of(config.recipe, config.seq_len)
    return make_cells(config, facts.vocab_size, facts.epoch_tokens)[0]


def test_what_is_not_there_is_named(shards: Path, tmp_path: Path) -> None:
    cells = _cells(shards)
    with pytest.raises(RunError, match=r"2e\+08-d8-s0: this run is not finished"):
        runs.point_of(cells[0], tmp_path)
    with pytest.raises(ConfigError, match=r"--only x: no such run; allowed: 2e\+08-d16-s0, "):
        runs.select(cells, ["x"])
    with pytest.raises(ConfigError, match=r"recipe.data: none"):
        runs.facts_of(dataclasses.replace(cells[0].recipe, data=()), 32)


def test_another_held_out_set_is_refused(shards: Path, tmp_path: Path) -> None:
    cell = _cells(shards)[0]
    runs.train(cell, tmp_path, Silent())
    evaluation = dataclasses.replace(cell.recipe.evaluation, tokens=1024)
    other = dataclasses.replace(cell, recipe=dataclasses.replace(cell.recipe, evaluation=evaluation))
    with pytest.raises(RunError, match="measured on other held-out shards"):
        runs.point_of(other, tmp_path)
    longer = dataclasses.replace(cell.stage, tokens=cell.stage.tokens * 2)
    another = dataclasses.replace(cell, recipe=dataclasses.replace(cell.recipe, stages=(longer,)))
    assert (runs.is_done(cell, tmp_path), runs.is_done(another, tmp_path)) == (True, False)


def test_the_mix_that_speaks_the_held_out_language_wins(shards: Path, tmp_path: Path) -> None:
    text = LADDER.replace("[recipe", "[ladder.recipe").replace("[[budgets", "[[ladder.budgets")
    text = text.replace("[[rungs", "[[ladder.rungs").replace("seq_len", "ladder.seq_len")
    text = text.replace(
        "min_steps = 3", "ladder.min_steps = 3\nladder.paired = true\ntarget = 1e9\nfloor = 0.5\nas_found = false"
    )
    shares = {"near": "near = 1.0", "both": "near = 0.5, other = 0.5"}
    text += "".join(f'[[mixes]]\nname = "{name}"\nshares = {{ {dealt} }}\n' for name, dealt in shares.items())
    path, output = tmp_path / "mixes.toml", tmp_path / "out"
    path.write_text(text)
    _cli("mixes", str(path), "-o", str(output), *_data(shards))
    fits = json.loads((output / "fits.json").read_bytes())
    assert [mix["name"] for mix in fits["mixes"]] == ["near", "both"]
    assert yaml.safe_load((output / "mix.yaml").read_text()) == {"mix": {"source_shares": {"near": 1.0}}}


def test_a_source_of_the_held_out_language_is_worth_something(shards: Path, tmp_path: Path) -> None:
    """A model of the other language, annealed with and without the near one, from its checkpoint and from its model."""
    base = _cells(shards)[0].recipe
    stage = dataclasses.replace(base.stages[0], tokens=30 * 256, mix={"other": 1.0})
    run(dataclasses.replace(base, stages=(stage,)), tmp_path / "base", Silent())
    config = _valuation(base, tmp_path / "base")
    found = differences(_annealed(config, tmp_path / "checkpoint"))
    assert [(one.held_out, one.seeds) for one in found] == [("", 2), ("near", 2)]
    assert found[0].difference < -0.05
    assert found[0].interval is not None
    model = dataclasses.replace(config, seeds=1, start=str(tmp_path / "base" / "stages" / "00-ladder" / "model"))
    assert differences(_annealed(model, tmp_path / "model"))[0].difference < -0.05


def _valuation(base: Recipe, folder: Path) -> ValuationConfig:
    """Return two seeds of a valuation of `near` from the end of a run."""
    return ValuationConfig(
        recipe=dataclasses.replace(base, stages=()), source="near", tokens=20 * 256, seq_len=32, batch_tokens=256,
        rate=5e-3, seeds=2, start=str(folder / "stages" / "00-ladder" / "checkpoint"),
    )  # fmt: skip


def test_a_valuation_trains_on_what_the_model_has_not_seen(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[bytes]] = []
    honest = Stepper.backward

    def backward(self: Stepper, batch: Batch, sequences: int) -> StepResult:
        seen[-1] |= {row.tobytes() for row in batch.tokens}
        return honest(self, batch, sequences)

    monkeypatch.setattr(Stepper, "backward", backward)
    base = dataclasses.replace(_cells(shards)[0].recipe, seed=5)
    stage = dataclasses.replace(base.stages[0], tokens=30 * 256, mix={"other": 1.0})
    seen.append(set())
    run(dataclasses.replace(base, stages=(stage,)), tmp_path / "base", Silent())
    # Another seed than the base's: the order of the data is the base's still.
    config = _valuation(dataclasses.replace(base, seed=9), tmp_path / "base")
    facts = runs.facts_of(config.recipe, config.seq_len)
    for cell in valuation_cells(config, facts.vocab_size, facts.epoch_tokens):
        seen.append(set())
        runs.train(cell, tmp_path / "value", Silent())
        assert runs.is_done(cell, tmp_path / "value")
    trained, first_without, first_with, second_without, _ = seen
    assert [len(rows & trained) for rows in seen[1:]] == [0, 0, 0, 0]
    assert not first_without & second_without  # each seed a stretch of its own
    assert first_without & first_with  # both arms of a seed the same
    # So does any run that begins from the base's checkpoint, or from its model.
    for start in (config.start, config.start.replace("checkpoint", "model")):
        seen.append(set())
        more = dataclasses.replace(stage, tokens=20 * 256)
        run(dataclasses.replace(base, seed=9, init_from=start, stages=(more,)), tmp_path / Path(start).name, Silent())
        assert len(seen[-1] & trained) == 0
    longer = dataclasses.replace(config, tokens=60 * 256)
    with pytest.raises(ConfigError, match=r"start: its run has read 7,680 of the 20,\d+ tokens of other; an annealing"):
        valuation_cells(longer, facts.vocab_size, facts.epoch_tokens)
    assert valuation_cells(dataclasses.replace(longer, allow_seen=True), facts.vocab_size, facts.epoch_tokens)


def _annealed(config: ValuationConfig, folder: Path) -> list[Point]:
    facts = runs.facts_of(config.recipe, config.seq_len)
    cells = valuation_cells(config, facts.vocab_size, facts.epoch_tokens)
    for cell in cells:
        runs.train(cell, folder, Silent())
    return [runs.point_of(cell, folder) for cell in cells]


def test_other_ranks_report_nothing(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.environ.get("RANK", "0") == "0"
    path = tmp_path / "ladder.toml"
    path.write_text(LADDER)
    _cli("run", str(path), "-o", str(tmp_path), "--only", "2e+08-d8-s0", *_data(shards))
    monkeypatch.setenv("RANK", "1")
    _cli("run", str(path), "-o", str(tmp_path), "--only", "2e+08-d8-s0", *_data(shards))
    assert not (tmp_path / "points.jsonl").exists()
