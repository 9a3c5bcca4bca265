"""A run as a person sees it on a terminal, narrow and wide; in a pipe; and when it is stopped by Ctrl-C."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.terminal.pty_screen import Terminal, open_terminal

Call = Callable[..., Any]
STAGES = ["web/index", "web/extract", "web/clean", "dedup", "tokenize", "mix", "shards"]
REASONS = ["same_payload 1", "malformed_json 1", "language_not_kept 2", "too_few_words 2", "c4_lines:javascript 1"]
TWO_PROCESSES = ("--direct_num_workers=2", "--direct_running_mode=multi_processing")
OURS = re.compile(
    r"[+=] [\w/]+ .*|stage +read +kept.*|[\w/]+ +\d+ +\d+ .*|[\w/]+ +\d+ +\d+|mix: .*|group +.*|common_crawl/.*"
    r"|\d+ shards, .*|former result kept: .*|/.*: done in .*| {20,}\S.*"
)
COLOUR = re.compile(r"\x1b\[[\d;]*3[0-7][\d;]*m")


def shards(folder: Path) -> list[str]:
    manifest = json.loads((folder / "shards" / "manifest.json").read_text())
    return [shard["sha256"] for shard in manifest["facts"]["shards"]]


def strangers(lines: list[str]) -> list[str]:
    """Return the lines that are not ours."""
    return [line for line in lines if not OURS.fullmatch(line)]


@pytest.fixture(scope="module", params=[60, 200])
def screen(request: Any, jsonl: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Terminal, Path]:
    """A whole run on a terminal of some columns, and its folder."""
    folder = tmp_path_factory.mktemp("terminal") / "run"
    terminal = open_terminal(request.param, "run", "-i", jsonl, "-o", folder, "-c", config)
    assert terminal.end() == 0, terminal.text
    return terminal, folder


def columns_of(request: pytest.FixtureRequest) -> int:
    return int(request.node.callspec.params["screen"])


def test_no_line_is_beams_and_its_log_is_in_the_file(screen: tuple[Terminal, Path]) -> None:
    terminal, folder = screen
    assert strangers(terminal.lines) == []
    assert [line.split()[1] for line in terminal.lines if line.startswith("+ ")] == STAGES
    (log,) = (folder / "logs").iterdir()
    text = log.read_text(encoding="utf-8")
    for stage in STAGES:
        assert f"pipelines.engines.engine: stage {stage}" in text
    assert "apache_beam" in text
    assert "apache_beam" not in terminal.text


def test_no_reason_is_cut(screen: tuple[Terminal, Path]) -> None:
    terminal, _ = screen
    words = " ".join(terminal.lines).replace(",", "").replace(";", "")
    for reason in REASONS:
        assert reason in re.sub(" +", " ", words), reason
    assert "…" not in "".join(terminal.lines)


def test_progress_fits_its_line_and_says_the_stage_and_the_end(
    screen: tuple[Terminal, Path], request: pytest.FixtureRequest
) -> None:
    terminal, _ = screen
    plain = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", terminal.text)
    drawn = [line for line in re.split(r"[\r\n]+", plain) if line.startswith("> ")]
    assert {int(found[1]) for line in drawn if (found := re.match(r"> stage (\d) of 7  ", line))} >= {1, 4}
    assert all(re.search(r"  parts \d+/(\d+|\?)  ETA (-|\d+:\d\d)", line) for line in drawn)
    assert max(map(len, drawn)) < columns_of(request)
    committed = [line for line in terminal.lines if line.startswith("+ ")]
    assert max(map(len, committed)) <= columns_of(request)


def test_a_looked_at_ledger_is_not_cut_either(screen: tuple[Terminal, Path], request: pytest.FixtureRequest) -> None:
    _, folder = screen
    for columns in (columns_of(request), 40):
        ledger = open_terminal(columns, "ledger", folder)
        assert ledger.end() == 0
        assert strangers(ledger.lines) == [] or columns == 40
        assert "…" not in ledger.text
        assert "language_not_kept" in ledger.text


@pytest.fixture
def redo(small_run: Path, jsonl: Path, config: Path, tmp_path: Path) -> tuple[object, ...]:
    """The words of a run whose last stage alone is left to do."""
    folder = shutil.copytree(small_run, tmp_path / "run")
    return ("run", "-i", jsonl, "-o", folder, "-c", config, "--set", "shards.row_tokens=256")


def test_no_colour_where_none_is_wanted(redo: tuple[object, ...]) -> None:
    terminal = open_terminal(100, *redo, NO_COLOR="1")
    assert terminal.end() == 0
    assert not COLOUR.search(terminal.text)
    assert strangers(terminal.lines) == []


def test_a_dumb_terminal_is_written_line_by_line(redo: tuple[object, ...]) -> None:
    terminal = open_terminal(100, *redo, TERM="dumb")
    assert terminal.end() == 0
    assert "\x1b" not in terminal.text
    assert strangers(terminal.text.replace("\r", "").splitlines()) == []


def test_a_pipe_gets_plain_lines(redo: tuple[object, ...], command: Call) -> None:
    said = command(*redo)
    assert (said.code, said.err) == (0, "")
    assert "\x1b" not in said.out
    assert strangers([line.rstrip() for line in said.out.splitlines()]) == []


def test_the_demos_other_commands_show_no_line_that_is_not_ours(tmp_path: Path) -> None:
    web, model = tmp_path / "web", tmp_path / "quality.bin"
    ours = {
        ("demo-web", "-o", web): [rf"{web}: 1,268 records"],
        ("train-classifier", "-i", web / "quality_labels.jsonl", "-o", model, "--set", "dim=8"): [
            rf"{model}: sha256 [0-9a-f]{{64}}",
            r"held out, at score >= [\d.]+: precision [\d.]+, recall [\d.]+",
            rf"the card is in {model}.md, the whole report in {model}.json",
        ],
    }
    for words, lines in ours.items():
        terminal = open_terminal(200, *words)
        assert terminal.end() == 0, terminal.text
        assert len(terminal.lines) == len(lines)
        assert all(map(re.fullmatch, lines, terminal.lines)), terminal.lines


# --- Ctrl-C


def stopped(terminal: Terminal) -> None:
    """Check the end of a command that Ctrl-C was typed to: one line, exit code 130, nobody left behind."""
    assert terminal.end() == 130, terminal.text
    after = terminal.lines[next(n for n, line in enumerate(terminal.lines) if "stopped" in line) :]
    assert [line.removeprefix("^C") for line in after] == ["winnow: stopped; run the same command again to go on"]
    assert "Traceback" not in terminal.text
    assert "Error" not in terminal.text
    assert terminal.seconds_to_end < 30
    assert terminal.survivors() == []


@pytest.mark.parametrize("seconds", [0.3, 0.6])
def test_ctrl_c_within_the_imports_is_one_line(seconds: float, small_run: Path) -> None:
    terminal = open_terminal(100, "ledger", small_run)
    end = time.monotonic() + seconds
    terminal.read_until(lambda: time.monotonic() > end)
    terminal.interrupt()
    stopped(terminal)


@pytest.mark.parametrize(
    ("stage", "more"),
    [
        ("web/index", ()),
        ("web/index", TWO_PROCESSES),  # a worker that was still starting never heard that it was to end
        ("web/clean", TWO_PROCESSES),
    ],
)
def test_ctrl_c_ends_a_run_that_goes_on_to_the_same_bytes(
    jsonl: Path, config: Path, small_run: Path, tmp_path: Path, command: Call, stage: str, more: tuple[str, ...]
) -> None:
    words = ("run", "-i", jsonl, "-o", tmp_path / "run", "-c", config)
    terminal = open_terminal(100, *words, *more)
    terminal.read_until(lambda: f"{stage} " in terminal.text)
    terminal.interrupt()
    stopped(terminal)
    said = command(*words)
    assert said.code == 0, said.err
    done_before = STAGES.index(stage)
    assert said.out.count("committed and unchanged") in (done_before, done_before + 1)
    assert shards(tmp_path / "run") == shards(small_run)
