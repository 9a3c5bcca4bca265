"""The example of docs/objectives.md, run as a reader would run it."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest

from trainer.commands.cli import main
from trainer.commands.status import status
from trainer.loop.journal import read_journal

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "objectives.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    rows, mine = (code for kind, code in BLOCKS if kind == "python")
    Path("rows.py").write_text(rows)
    Path("mine.py").write_text(mine)
    Path("post.toml").write_text(next(code for kind, code in BLOCKS if kind == "toml"))
    runpy.run_path("rows.py")
    lines = next(code for kind, code in BLOCKS if not kind).splitlines()
    for line in lines:
        with pytest.raises(SystemExit) as ended:
            main(line.split()[1:])
        assert ended.value.code == 0, line
    told = capsys.readouterr().out
    assert "of the last steps: accuracy" in told
    assert "\n> 7 8 9 10 11 12\n" in told  # of `better`, not of the reward model after it

    found = status(Path("models/post"))
    assert found["finished"]
    assert found["metrics"]["accuracy"] > 0.9
    by_stage: dict[str, list[dict[str, float]]] = {}
    for event in read_journal(Path("models/post"), only=("step",)):
        by_stage.setdefault(event["stage"], []).append(event)
    assert {name: len(events) for name, events in by_stage.items()} == {"learn": 20, "better": 20, "judge": 40}
    assert by_stage["learn"][-1]["loss"] < by_stage["learn"][0]["loss"] - 0.3
    assert by_stage["better"][-1]["loss"] < by_stage["better"][0]["loss"]  # good answers alone count
    assert {event["metrics"]["reward"] for event in by_stage["better"]} == {0.5}
    config = json.loads(Path("judge/config.json").read_bytes())
    assert config["architectures"] == ["LlamaForSequenceClassification"]
