"""A run seen from a terminal: the first rank prints, a stopped run ends with SIGTERM's code."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from trainer.commands.progress import ConsoleWatcher, Silent
from trainer.commands.terminal import TERMINATED, is_first_rank, watching
from trainer.loop.loop import StoppedError
from trainer.recipe import Recipe


def ended(monkeypatch: pytest.MonkeyPatch, rank: str) -> tuple[bool, object]:
    """Stop a run; return whether its watcher was closed, and the exit code."""
    monkeypatch.setenv("RANK", rank)
    closed: list[bool] = []
    monkeypatch.setattr(ConsoleWatcher, "close", lambda _: closed.append(True))
    try:
        with watching(Console(file=io.StringIO()), Recipe()) as watcher:
            assert isinstance(watcher, ConsoleWatcher if rank == "0" else Silent)
            raise StoppedError("SIGTERM")
    except SystemExit as end:
        return bool(closed), end.code


def test_the_first_rank_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(monkeypatch, "0") == (True, TERMINATED)
    assert capsys.readouterr().err == "winnow-train: stopped and saved; run the same command again to go on\n"


def test_other_ranks_are_silent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(monkeypatch, "3") == (False, TERMINATED)
    assert capsys.readouterr() == ("", "")


def test_a_run_alone_is_the_first_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert is_first_rank()
