"""Four ranks that hold the model whole, in halves and in quarters take the steps that one rank takes."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from schemas.errors import ConfigError
from tests.trainer.small import FACTS, recipe_of, stage, write_shards
from trainer.commands.progress import Silent
from trainer.data.sources import open_streams, training_shards
from trainer.faults.watchdog import Watchdog
from trainer.loop import run as run_module
from trainer.loop.checkpoints import State
from trainer.loop.loop import make_mixture
from trainer.loop.ranks import Ranks, joined
from trainer.loop.step import Stepper
from trainer.loop.training import Training
from trainer.recipe import LocalConfig

WORLD, STEPS = 4, 2
CHAT = dataclasses.replace(FACTS, special_ids=(13, 62, 63))  # one amid the rows, two of the last rank's
CASES = [(1, False), (2, False), (2, True), (4, False)]  # replicas, reshard


def taken(ranks: Ranks, data: str, folder: Path, replicas: int, reshard: bool) -> dict[str, Any]:
    """Take some steps; return losses and norms, the digest of the weights before, and how many this rank holds."""
    local = LocalConfig(threads=1, replicas=replicas, reshard=reshard)
    recipe = recipe_of(data, stage("a", STEPS, sequences=8), local=local)
    streams = open_streams(recipe, training_shards(recipe))
    watchdog = Watchdog(3600.0, ranks)
    training = Training(recipe, folder, streams, ranks, None, Silent(), watchdog)
    training.begin_anew()
    drawn = training.digest()
    mixture = make_mixture(recipe, streams, recipe.stages[0], State())
    stepper = Stepper(training, 8)
    found = []
    for step in range(STEPS):
        result = stepper.backward(mixture.batch(step, ranks.rank, ranks.world), 8 // ranks.world)
        stepper.apply(1e-2)
        found += [result.loss, result.grad_norm]
    watchdog.close()
    shares = [getattr(weight, "to_local", lambda weight=weight: weight)() for weight in training.model.parameters()]
    return {"found": found, "drawn": drawn, "held": sum(share.numel() for share in shares)}


def four_ranks(data: str, folder: str) -> None:
    """Run the cases in four processes; the first prints. They are forked: each import of torch takes seconds."""
    for rank in range(WORLD):
        if os.fork() == 0:
            os.environ.update(WORLD_SIZE=str(WORLD), RANK=str(rank))
            with joined(60.0) as ranks:
                found = [taken(ranks, data, Path(folder), *case) for case in CASES]
            if rank == 0:
                print(json.dumps(found), flush=True)  # noqa: T201
            os._exit(0)
    for _ in range(WORLD):
        os.wait()


def test_replicas_of_shards_train_as_one_rank_does(tmp_path: Path) -> None:
    data = write_shards(tmp_path / "shards", tokenizer=CHAT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    program = f"from {__name__} import four_ranks; four_ranks({data!r}, {str(tmp_path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", program], env=shared, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout, done.stderr
    alone = taken(Ranks(0, 1, torch.device("cpu"), None), data, tmp_path, 1, False)
    for (replicas, _), four in zip(CASES, json.loads(done.stdout), strict=True):
        assert four["drawn"] == alone["drawn"]  # the mean rows of special tokens are the same bits too
        assert four["found"] == pytest.approx(alone["found"], abs=1e-5)
        assert four["held"] == pytest.approx(alone["held"] * replicas / WORLD, rel=0.02)  # norms do not divide by four


def test_replicas_that_do_not_divide_the_ranks_are_refused(data: str) -> None:
    recipe = recipe_of(data, stage("a", 4), local=LocalConfig(replicas=2))
    for world in (1, 3):
        with pytest.raises(ConfigError, match=rf"local\.replicas: 2 is not allowed; must divide the {world} ranks"):
            run_module._refuse_before_drawing(recipe, Ranks(0, world, torch.device("cpu"), None))
    two = dataclasses.replace(recipe, local=LocalConfig(replicas=2))
    run_module._refuse_before_drawing(two, Ranks(0, 4, torch.device("cpu"), None))
