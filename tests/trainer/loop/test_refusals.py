"""What ends a run in one line: before any weight is drawn where that can be known, and when files cannot be written."""

from __future__ import annotations

import dataclasses
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from schemas.errors import ConfigError, RunError, WinnowError
from tests.trainer.small import Listener, recipe_of, stage, train
from trainer.loop import run as run_module
from trainer.loop.journal import read_journal
from trainer.loop.ranks import Ranks
from trainer.recipe import EvalConfig, FaultConfig, GateConfig, LocalConfig, Recipe


@pytest.fixture
def recipe(data: str) -> Recipe:
    return recipe_of(data, stage("a", 4), stage("b", 4))


def _refused(recipe: Recipe) -> list[tuple[Recipe, str]]:
    first, second = recipe.stages
    gated = dataclasses.replace(second, gate=GateConfig(enabled=True))
    unmixed = dataclasses.replace(second, mix={"nowhere": 1.0})
    return [
        (dataclasses.replace(recipe, stages=(first, gated)), "evaluation.held_out: none"),
        (dataclasses.replace(recipe, stages=(first, unmixed)), "mix.nowhere: no such source"),
        (dataclasses.replace(recipe, evaluation=EvalConfig(tasks=("/not/there.yaml",))), "/not/there.yaml"),
        (dataclasses.replace(recipe, local=LocalConfig(attention="flex_attention")), "local.attention"),
    ]


@pytest.mark.parametrize("nth", range(4))
def test_a_recipe_that_cannot_work_is_refused_before_weights_are_drawn(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    def draw(*_: object) -> None:
        raise AssertionError("weights are drawn")

    monkeypatch.setattr(run_module, "Training", draw)
    wrong, message = _refused(recipe)[nth]
    with pytest.raises(WinnowError) as caught:
        train(wrong, tmp_path / "run")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_more_ranks_than_a_later_stage_has_sequences_are_refused(recipe: Recipe) -> None:
    thin = dataclasses.replace(recipe, stages=(recipe.stages[0], stage("b", 4, sequences=1)))
    two = Ranks(0, 2, torch.device("cpu"), None)
    with pytest.raises(ConfigError, match="stages: b: a batch of 1 sequences cannot be shared by 2 ranks"):
        run_module._refuse_before_drawing(thin, two)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file grow beyond what the journal needs: the error that a full disk gives, too, comes from the write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("average", [False, True], ids=["checkpoint", "snapshot for the average"])
def test_what_cannot_be_written_is_one_line(data: str, tmp_path: Path, average: bool) -> None:
    faults = FaultConfig(checkpoint_s=1e9 if average else 1e-9, stall_s=60.0)
    recipe = recipe_of(data, stage("a", 4, average=average), faults=faults)
    with pytest.raises((RunError, OSError)) as caught:
        train(recipe, tmp_path / "run", Listener())
    assert "\n" not in str(caught.value)
    if not average:
        assert "a checkpoint cannot be written or read: " in str(caught.value)
    assert read_journal(tmp_path / "run", only=("save",)) == []  # one that is not complete is not told of
