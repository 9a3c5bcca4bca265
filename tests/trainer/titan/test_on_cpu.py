"""torchtitan itself, on the CPU: launches that train, measure, are held by a gate and go on. A minute and a half."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from schemas.errors import RunError
from tests.trainer.titan.jobs import FIRST, recipe
from tests.trainer.titan.local import LocalModel
from trainer.commands.progress import Silent
from trainer.loop.journal import read_journal
from trainer.loop.run import run
from trainer.model.export import export
from trainer.recipe import EvalConfig, GateConfig
from trainer.titan.settings import TitanConfig

LAUNCH = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1",
          str(Path(__file__).with_name("on_cpu.py")))  # fmt: skip


def test_torchtitan_trains_as_the_local_runner_does_and_is_held_by_a_gate(engine: ModuleType, tmp_path: Path) -> None:
    plain = recipe(tmp_path)
    export(LocalModel(plain).model, tmp_path / "model", is_first=True)
    held = GateConfig(enabled=True, tolerance=9.0, needle_accuracy=1.0, max_tokens=5 * FIRST.batch_tokens)
    second = replace(FIRST, name="held", gate=held)
    titan = TitanConfig(gpus=1, micro_sequences=2, compile=False, recompute="none", launch=LAUNCH)
    first = replace(FIRST, gate=GateConfig(enabled=True, tolerance=9.0, needle_accuracy=0.0))
    whole = replace(
        plain, titan=titan, stages=(first, second),
        init_from=str(tmp_path / "model"), evaluation=EvalConfig(held_out_shards=1, tokens=512),
    )  # fmt: skip
    still_shut = r"stage held: its gate is still shut after 5 steps \(gate.max_tokens\)"
    for runner in ("titan", "local"):
        with pytest.raises(RunError, match=still_shut):
            run(replace(whole, runner=runner), tmp_path / runner, Silent())
    theirs, ours = (read_journal(tmp_path / runner, only=("eval",)) for runner in ("titan", "local"))
    assert [(event["stage"], event["step"]) for event in theirs] == [
        ("init_from", 0),
        ("first", 4),
        ("held", 8),
        ("held", 9),
    ]
    losses = [[event["short_loss"]["web"] for event in events] for events in (theirs, ours)]
    assert losses[0] == pytest.approx(losses[1], abs=2e-3)  # torchtitan multiplies in bfloat16
    assert losses[0][3] < losses[0][0] - 0.05
