"""Each kind of stage, killed at once and taken up again, and shared by ranks: in processes of their own."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.settings import to_plain
from tests.trainer.row_files import answers, dialogues, row_stage, write
from tests.trainer.small import FACTS, Listener, recipe_of, stage, train, write_shards
from trainer.recipe import FaultConfig, MixChange, Recipe

RARE, EACH_STEP = (FaultConfig(checkpoint_s=every, stall_s=120.0) for every in (1e9, 1e-9))
CHAT = dataclasses.replace(FACTS, special_ids=(62, 63))
KILLED = (1, 4, 7, 8, 11)  # after these steps: one in each stage

# Children are forked before torch has threads of its own; a killed one leaves the folder as it is.
PROGRAM = """
import json, os, signal, sys
from pathlib import Path
from schemas.settings import overlay
from tests.trainer.small import Listener, train
from trainer.data.rows import RowFolder
from trainer.recipe import Recipe
from trainer.stages import inputs

reads = []
content_of, check = inputs.content_of, RowFolder._open
inputs.content_of = lambda *of: reads.append("hash") or content_of(*of)
RowFolder._open = lambda *of: reads.append("check") or check(*of)
recipe = overlay(Recipe(), json.loads(Path(sys.argv[1]).read_text()))
folder = Path(sys.argv[2])
for step in map(int, sys.argv[3:]):
    if (child := os.fork()) == 0:
        train(recipe, folder, Listener(lambda event: event["step"] == step and os.kill(os.getpid(), signal.SIGKILL)))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
heard = Listener()
state = train(recipe, folder, heard)
print(json.dumps([state.weights_sha256, heard.losses, reads]))
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    folder = tmp_path_factory.mktemp("inputs")
    write_shards(folder / "shards", tokenizer=CHAT)
    data = write_shards(folder / "shards", source="b", step=5, tokenizer=CHAT)
    talks, ranked = write(folder / "talks", dialogues(), CHAT), write(folder / "ranked", answers(), CHAT)
    return recipe_of(
        data,
        stage("base", 3, mix={"a": 1.0}, mix_changes=(MixChange(batch=1, mix={"b": 1.0}),)),
        row_stage("sft", "weighted_next_token", talks, 3, units=5),
        stage("anneal", 2, begin=("base",), average=True),
        stage("soup", 2, begin=("sft", "anneal")),
        row_stage("reward", "pairwise", ranked, 3, units=5, begin=("base",)),
        faults=RARE,
    )


def start(recipe: Recipe, folder: Path, *words: object, **environment: str) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    path = folder.with_suffix(".json")
    path.write_text(json.dumps(to_plain(recipe)))
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path), str(folder), *map(str, words)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def result(process: subprocess.Popen[str]) -> tuple[str, list[float], list[str]]:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    sha256, losses, reads = json.loads(out)
    return sha256, losses, reads


@pytest.fixture(scope="module")
def undisturbed(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[float]]:
    heard = Listener()
    return train(recipe, tmp_path_factory.mktemp("undisturbed"), heard).weights_sha256, heard.losses


def test_a_run_that_is_killed_in_each_kind_of_stage_ends_with_the_same_bits(
    recipe: Recipe, undisturbed: tuple[str, list[float]], tmp_path: Path
) -> None:
    often = dataclasses.replace(recipe, faults=EACH_STEP)
    sha256, losses, _ = result(start(often, tmp_path / "run", *KILLED))
    assert sha256 == undisturbed[0]
    assert losses == undisturbed[1][-len(losses) :]


@pytest.mark.parametrize("world", [2, 3])  # a batch is four sequences: three ranks do not share it evenly
def test_ranks_take_the_same_steps(
    recipe: Recipe, undisturbed: tuple[str, list[float]], world: int, tmp_path: Path
) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    shared = {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [start(recipe, tmp_path / "run", **shared, RANK=str(rank)) for rank in range(world)]
    (first, losses, reads), *rest = map(result, ranks)
    assert {sha256 for sha256, _, _ in rest} == {first}
    assert sorted(reads) == ["check", "check", "hash", "hash"]  # each folder once, however many ranks there are
    assert all(others == [] for _, _, others in rest)
    assert losses == pytest.approx(undisturbed[1], abs=1e-5)
    assert len(losses) == 13
