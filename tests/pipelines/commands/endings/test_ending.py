"""How commands end: exit codes, lines, and who is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from pipelines.commands.endings import ending
from pipelines.commands.endings.ending import GO_ON, Ending, TerminatedError, exit_of
from pipelines.reports.outcome import Outcome
from schemas.errors import ConfigError, LockHeldError, RunError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RunError("no"), (1, "no")),
        (LockHeldError("held"), (3, "held")),
        (KeyboardInterrupt(), (130, GO_ON)),
        (typer.Abort(), (130, GO_ON)),
        (TerminatedError(), (143, GO_ON)),
        (BrokenPipeError(), (141, "")),
        (FileNotFoundError(2, "No such file", "x"), (1, "x: No such file")),
        (OSError("odd"), (1, "a file: odd")),
        (typer.BadParameter("--x"), (2, "Invalid value: --x")),
        (ZeroDivisionError(), None),
        (SystemExit(5), None),
    ],
)
def test_exit_of(error: BaseException, expected: Any) -> None:
    assert exit_of(error) == expected


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Outcome]]:
    """What the metrics file and the hook are told."""
    heard: list[tuple[str, Outcome]] = []

    def hear(place: str, *rest: Any) -> None:
        heard.append((place, rest[-1]))

    monkeypatch.setattr(ending, "write_metrics", hear)
    monkeypatch.setattr(ending, "notify", hear)
    return heard


def test_a_good_end_is_told_to_both(told: list[tuple[str, Outcome]]) -> None:
    with Ending("run", "/data", "m.prom", "mail") as end:
        end.message, end.new_inputs, end.run = "done", 3, "/data/runs/000001"
    (file, first), (hook, second) = told
    assert (file, hook) == ("m.prom", "mail")
    assert first == second
    assert (first.command, first.output, first.exit_code, first.message) == ("run", "/data", 0, "done")
    assert (first.new_inputs, first.run, first.kind) == (3, "/data/runs/000001", "done")
    assert first.started_at.tzinfo is not None
    assert 0 <= first.wall_s < 5


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ConfigError("a\nb"), 2, "a b"),
        (LockHeldError("held"), 3, "held"),
        (KeyboardInterrupt(), 130, GO_ON),
        (TerminatedError(), 143, GO_ON),
        (BrokenPipeError(), 141, ""),
        (ZeroDivisionError("by 0"), 1, "internal error: ZeroDivisionError: by 0"),
    ],
)
def test_a_bad_end_is_told_and_stays_what_it_is(
    told: list[tuple[str, Outcome]], error: BaseException, code: int, message: str
) -> None:
    with pytest.raises(type(error)), Ending("run", "/data", "m.prom", None):
        raise error
    ((_, outcome),) = told
    assert (outcome.exit_code, outcome.message) == (code, message)


def test_nobody_is_told_who_did_not_ask(told: list[tuple[str, Outcome]]) -> None:
    with Ending("run", "/data") as end:
        end.check()
    assert told == []


@pytest.mark.parametrize(("metrics", "hook"), [("m.txt", None), (None, "'"), (None, "https://")])
def test_what_cannot_be_told_is_refused_before(metrics: str | None, hook: str | None) -> None:
    with pytest.raises(ConfigError, match=r"^--(metrics|notify)"):
        Ending("run", "/data", metrics, hook).check()


def test_a_command_line_that_fails_is_told(call: Any, tmp_path: Path) -> None:
    hook = f"sh -c 'cat > {tmp_path}/told.json'"
    said = call("run", "--input", tmp_path / "nothere", "--output", tmp_path / "d", "--notify", hook)
    assert said.code == 1
    assert "nothere" in (tmp_path / "told.json").read_text()
    assert not (tmp_path / "d").exists()
