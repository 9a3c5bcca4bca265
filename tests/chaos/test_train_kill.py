"""Training that is killed ten times in each kind of stage ends with the bits of a run that was not (`make chaos`).

The runs are forks of this process, which computes nothing itself: to import torch takes longer than all their steps.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.row_files import answers, dialogues, row_stage, write
from tests.trainer.small import Listener, lineage, recipe_of, stage, train, write_shards
from trainer.loop.journal import read_journal
from trainer.recipe import EvalConfig, GateConfig, Recipe, RopeConfig, ScheduleConfig

KILLS, STEPS, ATTEMPTS = 10, 40, 80
ANNEAL = ScheduleConfig(kind="linear", floor=0.0)
OPEN = GateConfig(enabled=True, tolerance=9.0, needle_accuracy=0.0)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """Pre-training, a gated stage of longer sequences, an averaged anneal, two branches, their mean, a reward model."""
    folder = tmp_path_factory.mktemp("inputs")
    talks, ranked = write(folder / "talks", dialogues()), write(folder / "ranked", answers())
    return recipe_of(
        write_shards(folder / "shards"),
        stage("first", STEPS), stage("gated", STEPS, seq_len=32, gate=OPEN),
        stage("anneal", STEPS, average=True, average_every=2, schedule=ANNEAL),
        row_stage("talks", "weighted_next_token", talks, STEPS, begin=("gated",)),
        stage("mean", STEPS, begin=("anneal", "talks"), rope=RopeConfig(theta=10_000.0)),
        row_stage("reward", "pairwise", ranked, STEPS, begin=("mean",)),
        evaluation=EvalConfig(held_out_shards=1, tokens=64, needle_depths=1, needles=1),
    )  # fmt: skip


def forked(recipe: Recipe, folder: Path, kill_in: str = "", seed: int = 0) -> bool:
    """Run in a fork, which kills itself soon after a step of a stage; return whether it came to the end."""
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, (status, kill_in)
        return not os.WIFSIGNALED(status)
    draw = random.Random(f"{kill_in}:{seed}")
    delay, left = draw.uniform(0, 0.05), [1]

    def on_step(event: Mapping[str, Any]) -> None:
        left[0] -= event["stage"] == kill_in
        if not left[0]:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()

    code = 1
    try:
        train(recipe, folder, Listener(on_step))
        code = 0
    finally:
        os._exit(code)


def results(folder: Path) -> dict[str, Any]:
    """Return the weights' digest of each stage, and the loss of each step that they are made of."""
    found: dict[str, Any] = {
        path.parent.name: json.loads(path.read_bytes())["state"]["weights_sha256"]
        for path in sorted(folder.glob("stages/*/done.json"))
    }
    return {**found, "losses": {n: event["loss"] for n, event in lineage(read_journal(folder)).items()}}


def test_killed_ten_times_in_each_kind_of_stage_a_run_ends_with_the_same_bits(recipe: Recipe, tmp_path: Path) -> None:
    assert forked(recipe, tmp_path / "undisturbed")
    killed = tmp_path / "killed"
    kills = dict.fromkeys((config.name for config in recipe.stages), 0)
    for name in kills:
        for attempt in range(ATTEMPTS):
            if kills[name] == KILLS or forked(recipe, killed, name, attempt):
                break
            kills[name] += any(event["event"] == "step" and event["stage"] == name for event in read_journal(killed))
    assert forked(recipe, killed)
    assert kills == dict.fromkeys(kills, KILLS)
    assert results(killed) == results(tmp_path / "undisturbed")
    assert len(results(killed)) == len(kills) + 1
