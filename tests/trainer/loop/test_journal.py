from __future__ import annotations

import json
import random
import tracemalloc
from pathlib import Path

import pytest

from tests.trainer.small import lineage
from trainer.commands.status import status
from trainer.loop import journal as journal_module
from trainer.loop.journal import NAME, History, Journal, read_journal, recent_losses, rollbacks_of, worth


def _step(step: int, s: float = 1.0, **more: object) -> dict:
    return {"event": "step", "t": 0.0, "step": step, "s": s, **more}


def _start(step: int, t: float = 0.0) -> dict:
    return {"event": "start", "t": t, "step": step}


def _back(step: int, skip: list[int], stage: str = "a", **more: object) -> dict:
    return {"event": "rollback", "t": 0.0, "step": step, "stage": stage, "skip": skip, **more}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write("start", step=0)
    journal.write("step", step=0, loss=1.5)
    journal.close()
    assert [(event["event"], event["step"]) for event in read_journal(tmp_path)] == [("start", 0), ("step", 0)]


def test_a_torn_last_line_is_cut_off_and_gone(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'{"event":"step","step":1}\n{"event":"st')
    assert [event["step"] for event in read_journal(tmp_path)] == [1]
    journal = Journal(tmp_path)
    journal.write("stop", step=1)
    journal.close()
    assert [event["event"] for event in read_journal(tmp_path)] == ["step", "stop"]


def test_a_torn_line_longer_than_a_block_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_BLOCK", 8)
    for whole in (b"", b'{"event":"step","step":1}\n'):
        (tmp_path / NAME).write_bytes(whole + b'{"event":"st' * 5)
        Journal(tmp_path).close()
        assert (tmp_path / NAME).read_bytes() == whole


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert read_journal(tmp_path) == []


def test_the_lineage_leaves_out_what_was_lost() -> None:
    events = [_start(0), _step(0), _step(1), _step(2), _start(1), _step(1, 5.0), _step(2), _back(2, [2]), _step(2, 7.0)]
    history = History(events)
    assert dict(zip(history.steps, history.columns["s"], strict=True)) == {0: 1.0, 1: 5.0, 2: 7.0}


def test_roll_backs_are_those_of_the_stage_and_its_key() -> None:
    events = [_back(0, [3, 4]), _back(0, [9], "b"), _back(0, [6], key="k", at=6), _back(0, [7], key="other", at=7)]
    found = rollbacks_of([_step(0), *events], "a", "k")
    assert (found.skipped, found.turned, found.total) == ({3, 4, 6}, (6,), 4)


def _random_events(draw: random.Random, n: int) -> list[dict]:
    """Return what a run could write that is killed and rolled back now and then, and goes on from a step before."""
    events, step = [_start(0)], 0
    for _ in range(n):
        if draw.random() < 0.1:
            step = draw.randrange(max(0, step - 6), step + 1)
            events.append(_start(step) if draw.random() < 0.5 else _back(step, []))
        events.append(_step(step, loss=draw.random(), applied=draw.random() < 0.8))
        step += 1
    return events


@pytest.mark.parametrize("seed", range(20))
def test_recent_losses_read_from_the_end_are_those_of_thelineage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    monkeypatch.setattr(journal_module, "_BLOCK", draw.choice([7, 64, 1000]))  # lines cut by blocks in all ways
    journal = Journal(tmp_path)
    events = _random_events(draw, 60)
    for event in events:
        journal.write(**{name: value for name, value in event.items() if name != "t"})
    journal.close()
    if draw.random() < 0.5:
        with (tmp_path / NAME).open("ab") as file:
            file.write(b'{"event":"step","step":1,"lo')
    steps = lineage(events)
    assert list(History(events).steps) == sorted(steps)
    assert list(History(events).columns["loss"]) == [steps[n]["loss"] for n in sorted(steps)]
    for begin, n in ((0, 5), (0, 1000), (10, 1000), (max(steps) + 1, 5)):
        end = max(steps) + 1 - draw.randrange(3)
        wanted = [steps[k]["loss"] for k in sorted(steps) if begin <= k < end and steps[k]["applied"]][-n:]
        assert recent_losses(tmp_path, begin, end, n) == wanted
    assert [e["step"] for e in read_journal(tmp_path, only=("rollback",))] == [
        e["step"] for e in events if e["event"] == "rollback"
    ]


def test_a_stage_reads_no_further_back_than_its_window(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for step in range(3000):
        journal.write("step", step=step, loss=1.0, applied=True)
    journal.close()
    with (tmp_path / NAME).open("r+b") as file:
        file.write(b"\n" * 100_000)  # what is older cannot be read any more
    assert recent_losses(tmp_path, 0, 3000, 128) == [1.0] * 128


def test_worth_adds_up() -> None:
    events = [
        _start(0, 100.0), _step(0, 10.0), _step(1, 10.0), {"event": "save", "t": 0.0, "paused_s": 2.0}, _step(2, 10.0),
        _start(2, 140.0), _step(2, 10.0),
    ]  # fmt: skip
    found = worth(events, now=150.0)
    assert (found.elapsed_s, found.effective, found.lost) == (50.0, pytest.approx(0.6), pytest.approx(0.2))
    assert (found.saving, found.other) == (pytest.approx(0.04), pytest.approx(0.16))


def test_worth_of_nothing() -> None:
    assert worth([], now=5.0).effective == 0.0


def test_a_long_journal_is_told_of_in_little_memory(tmp_path: Path) -> None:
    n = 5000
    with (tmp_path / NAME).open("w") as file:
        file.write('{"event":"start","t":0.0,"step":0}\n')
        for step in range(n):
            event = {"event": "step", "t": 1.0, "step": step, "stage": "ab"[step > n // 2], "loss": 1.0, "norm": 1.0,
                     "rate": 1.0, "tokens": 64, "applied": True, "s": 0.5, "waited_s": 0.0}  # fmt: skip
            file.write(json.dumps(event, separators=(",", ":")) + "\n")
    (tmp_path / "recipe.json").write_text('{"name": "x", "stages": [{"name": "a"}, {"name": "b"}]}')
    tracemalloc.start()
    try:
        found = status(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found["step"], found["stage"], found["tokens"], found["tokens_per_s"]) == (n, "b", 64 * n, 128.0)
    assert peak < 150 * n  # the events themselves take 1,500 bytes each
