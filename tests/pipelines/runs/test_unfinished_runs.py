"""A run that was begun and not finished: the next one ends it first, with the inputs it had."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from pipelines.runs.dataset import SourceFile, describe
from pipelines.runs.folder import RunFolder
from pipelines.runs.runner import VERSION
from schemas.errors import ConfigError, InputError
from tests.pipelines.dataset_bench import STAGES, Bench, snapshot, stop


def test_a_stopped_run_is_finished_first_with_its_own_inputs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.new()
    bench.add("c")
    stop(bench, monkeypatch)
    assert bench.inputs() == [["a", "b"], ["c"]]
    first = bench.dataset.runs()[1].manifest("first")
    bench.add("d")
    assert bench.new().new_inputs == 2
    assert bench.inputs() == [["a", "b"], ["c"], ["d"]]
    assert bench.dataset.runs()[1].manifest("first") == first, "a finished stage was done again"
    assert bench.dataset.unfinished() is None


def test_a_stopped_first_run_is_finished_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stop(bench, monkeypatch)
    assert bench.dataset.unfinished() == RunFolder(bench.dataset.path)
    assert ": done in " in bench.new().message
    assert bench.dataset.unfinished() is None
    assert bench.inputs() == [["a", "b"]]


def test_an_input_of_a_stopped_run_that_vanished_is_one_line(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.new()
    bench.add("c")
    stop(bench, monkeypatch)
    (bench.root / "in" / "c").unlink()
    with pytest.raises(InputError, match=r"in/c: cannot be read: .*runs/000001 is not finished and needs it") as caught:
        bench.new()
    assert "\n" not in str(caught.value)
    shutil.rmtree(bench.root / "out" / "runs" / "000001")
    assert bench.new().new_inputs == 0


def test_an_input_of_a_stopped_run_that_changed_is_read_as_it_is(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.new()
    bench.add("c")
    stop(bench, monkeypatch)
    (bench.root / "in" / "c").write_text("longer than it was")
    bench.new()
    run = bench.dataset.runs()[1]
    assert run.finished()
    assert run.inputs() == describe([SourceFile("web", str(bench.root / "in" / "c"))])
    assert len(bench.dataset.runs()) == 2


def test_a_run_that_knew_no_inputs_yet_is_begun_anew(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    RunFolder(f"{bench.dataset.path}/runs/000001").open("sieves", VERSION, STAGES)
    bench.new()
    assert bench.inputs() == [["a", "b"], ["c"]]


def test_a_refused_setting_leaves_earlier_runs_and_is_one_line(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    before = snapshot(bench.root / "out" / "second")
    bench.second = dataclasses.replace(bench.second, refuses=True)
    with pytest.raises(ConfigError, match="tokenizer: is another one"):
        bench.new()
    assert bench.first.calls["run"] == 1, "a worker ran before the settings were checked"
    bench.second = dataclasses.replace(bench.second, refuses=False)
    bench.new()
    assert bench.inputs() == [["a", "b"], ["c"]]
    assert snapshot(bench.root / "out" / "second") == before
