from __future__ import annotations

from pathlib import Path

import pytest

from trainer.loop.journal import NAME, Journal, lineage, read_journal, skipped_batches, worth


def _step(step: int, s: float = 1.0, **more: object) -> dict:
    return {"event": "step", "t": 0.0, "step": step, "s": s, **more}


def _start(step: int, t: float = 0.0) -> dict:
    return {"event": "start", "t": t, "step": step}


def _back(step: int, skip: list[int], stage: str = "a") -> dict:
    return {"event": "rollback", "t": 0.0, "step": step, "stage": stage, "skip": skip}


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


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert read_journal(tmp_path) == []


def test_the_lineage_leaves_out_what_was_lost() -> None:
    events = [_start(0), _step(0), _step(1), _step(2), _start(1), _step(1, 5.0), _step(2), _back(2, [2]), _step(2, 7.0)]
    assert {n: event["s"] for n, event in lineage(events).items()} == {0: 1.0, 1: 5.0, 2: 7.0}


def test_skipped_batches_are_those_of_the_stage() -> None:
    events = [_back(0, [3, 4]), _back(0, [9], "b"), _back(0, [6])]
    assert skipped_batches(events, "a") == {3, 4, 6}


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
