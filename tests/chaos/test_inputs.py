"""Inputs that are missing, forbidden, change under the run, or are no archives at all."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.harness import Web, assert_balanced, assert_one_line, commits, fates, shards


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(".new")
    new.write_bytes(data)
    new.replace(path)


def _swap_words(path: Path) -> None:
    """Write another text of the same layout: every record keeps its place and its length."""
    data = path.read_bytes()
    changed = data.replace(b" the ", b" hte ").replace(b" und ", b" nud ").replace(b" de ", b" ed ")
    assert changed != data
    path.write_bytes(changed)


def _sibling(path: Path) -> Path:
    return path.with_name("crawl-00000.warc.gz")


CHANGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "vanishes": ("crawl-00002.warc.gz", Path.unlink),
    "is cut": ("crawl-00002.warc.gz", lambda path: os.truncate(path, path.stat().st_size // 2)),
    "becomes rubbish": ("crawl-00002.warc.gz", lambda path: _replace(path, b"rubbish" * 5000)),
    "becomes another": ("crawl-00002.warc.gz", lambda path: _replace(path, _sibling(path).read_bytes())),
    "is rewritten in place": ("crawl-00003.warc", _swap_words),
}  # fmt: skip


@pytest.fixture
def crawl(web: Web, tmp_path: Path) -> Path:
    return Path(shutil.copytree(web.crawl, tmp_path / "crawl"))


def test_missing(web: Web, tmp_path: Path) -> None:
    assert_one_line(web.run(tmp_path / "run", crawl=tmp_path / "nowhere"), "nowhere", "no such file")
    assert not (tmp_path / "run").exists()


def test_folder_without_files(web: Web, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_one_line(web.run(tmp_path / "run", crawl=tmp_path / "empty"), "empty", "nothing in it")


def test_forbidden(open_web: Web, nobody: list[str]) -> None:
    (open_web.crawl / "crawl-00001.warc.gz").chmod(0)
    ended = open_web.run(open_web.root / "run", prefix=nobody)
    assert_one_line(ended, "crawl-00001.warc.gz", "permission denied")


def test_output_forbidden(open_web: Web, nobody: list[str]) -> None:
    (open_web.root / "ours").mkdir(mode=0o755)
    ended = open_web.run(open_web.root / "ours" / "run", prefix=nobody)
    assert_one_line(ended, "cannot be written", "Permission denied")


@pytest.mark.parametrize("change", CHANGES)
def test_archive_changes_between_index_and_extract(web: Web, crawl: Path, tmp_path: Path, change: str) -> None:
    """The index no longer fits, so the run ends with a line that names the file; the next one begins anew with it."""
    output = tmp_path / "run"
    name, spoil = CHANGES[change]
    running = web.start(output, crawl=crawl)
    assert running.until((output / "web" / "index" / "manifest.json").exists)
    spoil(crawl / name)
    assert_one_line(running.wait(), name)
    indexed = commits(output)["web/index"]
    again = web.run(output, crawl=crawl)
    assert again.code == 0, again.err
    assert commits(output)["web/index"] != indexed
    assert_balanced(output)


def test_archive_changes_between_runs(web: Web, undisturbed: Path, crawl: Path, tmp_path: Path) -> None:
    output, path = tmp_path / "run", crawl / "crawl-00002.warc.gz"
    whole, date = path.read_bytes(), path.stat()
    assert web.run(output, crawl=crawl).code == 0
    os.truncate(path, len(whole) // 2)
    assert web.run(output, crawl=crawl).code == 0
    assert_balanced(output)
    assert fates(output)[0]["failed"]["truncated_member"] == fates(undisturbed)[0]["failed"]["truncated_member"] + 1
    path.write_bytes(whole)
    os.utime(path, ns=(date.st_atime_ns, date.st_mtime_ns))
    assert web.run(output, crawl=crawl).code == 0
    assert shards(output) == shards(undisturbed)


def test_no_archives(web: Web, undisturbed: Path, crawl: Path, tmp_path: Path) -> None:
    """What is no archive goes to `failed` with its cause, and all the rest goes on to the same tokens."""
    rubbish = random.Random(1).randbytes(20_000)
    files = {
        "a.warc.gz": rubbish, "b.warc.gz": b"", "c.warc.gz": b"<!DOCTYPE html><html><body>404</body></html>" * 50,
        "d.warc": rubbish, "e.warc": b"", "f.warc.gz": gzip.compress(b"<html>" * 1000), "g.arc.gz": rubbish,
        "h.parquet": rubbish, "i.warc.zst": rubbish, "j.warc.lz4": rubbish, "k.txt": b"hello",
        "l.jsonl": b'{"text": ',
    }  # fmt: skip
    for name, data in files.items():
        (crawl / name).write_bytes(data)
    ended = web.run(tmp_path / "run", crawl=crawl)
    assert ended.code == 0, ended.err
    assert_balanced(tmp_path / "run")
    failed, before = fates(tmp_path / "run")[0]["failed"], fates(undisturbed)[0]["failed"]
    assert sum(failed.values()) == sum(before.values()) + len(files)
    assert shards(tmp_path / "run") == shards(undisturbed)


def test_nothing_but_rubbish(web: Web, tmp_path: Path) -> None:
    (tmp_path / "crawl").mkdir()
    (tmp_path / "crawl" / "a.warc.gz").write_bytes(random.Random(2).randbytes(1000))
    ended = web.run(tmp_path / "run", crawl=tmp_path / "crawl")
    assert ended.code == 0, ended.err
    assert fates(tmp_path / "run")[0]["failed"] == {"not_a_member": 1}
    assert shards(tmp_path / "run") == {}
