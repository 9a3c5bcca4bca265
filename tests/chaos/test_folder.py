"""Output folders that are not what they must be: one line or a redo, never a silent wrong result."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.harness import STAGES, Running, Web, assert_one_line, shards

BROKEN = {"cut": b'{"stage":', "empty": b"", "binary": b"\xff\xfe\x00", "list": b"[]", "object": b"{}", "null": b"null"}


@pytest.fixture
def output(undisturbed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(undisturbed, tmp_path / "run"))


def test_foreign_folder_is_left_as_it_is(web: Web, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-a-friend.txt").write_text("dear")
    assert_one_line(web.run(tmp_path / "letters"), "not the output of a Winnow run")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["to-a-friend.txt"]


def test_output_is_a_file(web: Web, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("x")
    assert_one_line(web.run(tmp_path / "run"), "cannot be written")
    assert_one_line(web.run(tmp_path / "run" / "below"), "cannot be written")


def test_other_version(web: Web, output: Path) -> None:
    marker = output / "winnow.json"
    marker.write_bytes(marker.read_bytes().replace(b'"version": "', b'"version": "9.'))
    assert_one_line(web.run(output), "written by Winnow 9.")


def test_other_inputs(web: Web, output: Path, tmp_path: Path) -> None:
    (tmp_path / "crawl").mkdir()
    shutil.copy(web.crawl / "crawl-00000.warc.gz", tmp_path / "crawl" / "another.warc.gz")
    assert_one_line(web.run(output, crawl=tmp_path / "crawl"), "other inputs")


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_marker(web: Web, output: Path, kind: str) -> None:
    (output / "winnow.json").write_bytes(BROKEN[kind])
    assert_one_line(web.run(output), "winnow.json")


@pytest.mark.parametrize("stage", ["web/index", "shards"])
@pytest.mark.parametrize("kind", BROKEN)
def test_broken_manifest(web: Web, output: Path, stage: str, kind: str) -> None:
    (output / stage / "manifest.json").write_bytes(BROKEN[kind])
    assert_one_line(web.run(output), f"{stage}/manifest.json")
    assert_one_line(Running(["ledger", str(output)], web.root / "starts").wait(), f"{stage}/manifest.json")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "cut": _cut,
    "folder deleted": lambda path: shutil.rmtree(path.parents[1]),
}
TABLES = {"web/index": "headers", "web/extract": "documents", "tokenize": "tokens", "mix": "mixed"}


def _data_file(output: Path, stage: str) -> Path:
    table = TABLES.get(stage, "source=*")
    return min(output.glob(f"{stage}/*/{table}/*.parquet"))


def _assert_redone_or_said(web: Web, output: Path, undisturbed: Path) -> None:
    ended = web.run(output)
    if ended.code:
        assert_one_line(ended)
    else:
        assert shards(output) == shards(undisturbed)


@pytest.mark.parametrize("stage", [*TABLES, "shards"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_data_of_a_committed_stage(web: Web, output: Path, undisturbed: Path, stage: str, damage: str) -> None:
    path = _data_file(output, stage)
    whole = path.read_bytes()
    DAMAGES[damage](path)
    ended = web.run(output)
    if ended.code:
        assert_one_line(ended)
    else:
        assert path.exists(), "a run over a folder with a hole in it ended as if all were well"
        assert path.read_bytes() == whole
        assert shards(output) == shards(undisturbed)


@pytest.mark.parametrize("stage", list(TABLES))
@pytest.mark.parametrize("damage", [*DAMAGES, "flipped"])
def test_damaged_data_that_the_next_stage_reads(
    web: Web, output: Path, undisturbed: Path, stage: str, damage: str
) -> None:
    {**DAMAGES, "flipped": _flip}[damage](_data_file(output, stage))
    shutil.rmtree(output / STAGES[STAGES.index(stage) + 1])
    _assert_redone_or_said(web, output, undisturbed)


def test_second_run_while_one_is_going_on(web: Web, undisturbed: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    first = web.start(output)
    assert first.until((output / "web" / "extract").exists)
    assert_one_line(web.run(output), "another run is going on", str(first.process.pid), code=3)
    assert first.wait().code == 0
    assert shards(output) == shards(undisturbed)
