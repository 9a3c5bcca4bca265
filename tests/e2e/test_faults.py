"""The quick part of the fault tests (the whole: `make chaos`): killed, full, foreign: one line, or the same end."""

from __future__ import annotations

import resource
import shutil
import signal
from pathlib import Path

import pytest

from tests.chaos.harness import Web, assert_balanced, assert_one_line, commits, half_written, make_web, shards


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Web:
    """A web of one archive: the faults are the same, the runs are short."""
    web = make_web(tmp_path_factory.mktemp("faults"))
    for path in web.crawl.iterdir():
        if path.name != "crawl-00003.warc":
            path.unlink()
    return web


@pytest.fixture(scope="module")
def undisturbed(web: Web) -> Path:
    output = web.root / "undisturbed"
    ended = web.run(output)
    assert ended.code == 0, ended.err
    assert shards(output)
    return output


def _finish(web: Web, output: Path, undisturbed: Path, done: dict[str, tuple[bytes, int]]) -> None:
    ended = web.run(output)
    assert ended.code == 0, ended.err
    after = commits(output)
    assert {stage: after[stage] for stage in done} == done, "a finished stage was done again"
    assert shards(output) == shards(undisturbed)
    assert_balanced(output)


@pytest.mark.parametrize(
    ("number", "code", "stages"),
    [
        (signal.SIGKILL, -9, ("web/extract", "dedup", "shards")),
        (signal.SIGTERM, 143, ("web/clean",)),
        (signal.SIGINT, 130, ("web/extract",)),
    ],
    ids=["SIGKILL", "SIGTERM", "Ctrl-C"],
)
def test_stopped_and_started_again(
    web: Web, undisturbed: Path, tmp_path: Path, number: int, code: int, stages: tuple[str, ...]
) -> None:
    output = tmp_path / "run"
    done: dict[str, tuple[bytes, int]] = {}
    for stage in stages:
        running = web.start(output)
        assert running.until((output / stage).exists)
        running.signal_group(number)
        ended = running.wait(60)
        assert ended.code == code
        assert len(ended.error_lines) == (0 if number == signal.SIGKILL else 1), ended.err
        assert running.orphans() == []
        assert list(half_written(output)) == []
        done = commits(output)
    _finish(web, output, undisturbed, done)


def test_no_room(web: Web, undisturbed: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    limited = web.run(output, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)))
    assert_one_line(limited, "File too large")
    assert list(half_written(output)) == []
    _finish(web, output, undisturbed, commits(output))


def test_missing_input(web: Web, tmp_path: Path) -> None:
    assert_one_line(web.run(tmp_path / "run", crawl=tmp_path / "nowhere"), "nowhere", "no such file")


def test_foreign_folder_is_left_as_it_is(web: Web, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-a-friend.txt").write_text("dear")
    assert_one_line(web.run(tmp_path / "letters"), "not the output of a Winnow run")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["to-a-friend.txt"]


def test_damaged_folder_is_redone_or_said(web: Web, undisturbed: Path, tmp_path: Path) -> None:
    output = Path(shutil.copytree(undisturbed, tmp_path / "run"))
    next(output.glob("shards/*/source=*/*.parquet")).unlink()
    next(output.glob("web/clean/*/documents/*.parquet")).write_bytes(b"PAR1")
    ended = web.run(output)
    assert ended.code == 0, ended.err
    assert shards(output) == shards(undisturbed)


def test_second_run_while_one_is_going_on(web: Web, undisturbed: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    first = web.start(output)
    assert first.until((output / "web" / "extract").exists)
    assert_one_line(web.run(output), "another run is going on", str(first.process.pid), code=3)
    assert first.wait().code == 0
    assert shards(output) == shards(undisturbed)


def test_modules_of_the_working_folder_are_not_ours(web: Web, undisturbed: Path, tmp_path: Path) -> None:
    (tmp_path / "here" / "schemas").mkdir(parents=True)
    (tmp_path / "here" / "schemas" / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    two = ("--", "--direct_num_workers", "2", "--direct_running_mode", "multi_processing")
    shutil.copytree(undisturbed, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "mix")
    ended = web.run(tmp_path / "run", *two, folder=tmp_path / "here")
    assert ended.code == 0, ended.err
    assert shards(tmp_path / "run") == shards(undisturbed)
