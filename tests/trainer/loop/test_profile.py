"""Traces of chosen steps."""

from __future__ import annotations

import json
from pathlib import Path

from tests.trainer.small import recipe_of, stage, train
from trainer.loop.profile import NAME
from trainer.recipe import LocalConfig


def test_chosen_steps_leave_a_trace_that_browsers_read(data: str, tmp_path: Path) -> None:
    recipe = recipe_of(data, stage("a", 3), stage("b", 3), local=LocalConfig(threads=1, profile=(1, 4, 99)))
    train(recipe, tmp_path / "run")
    paths = sorted((tmp_path / "run" / NAME).iterdir())
    assert [path.name for path in paths] == ["step-000000001-rank-000.json", "step-000000004-rank-000.json"]
    for path in paths:
        names = {event.get("name") for event in json.loads(path.read_bytes())["traceEvents"]}
        assert {"aten::mm", "Optimizer.step#AdamW.step"} <= names  # forward, backward and the update are in it
