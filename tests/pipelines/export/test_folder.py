"""An export is there whole or not at all, goes on after a kill, and never touches what it did not write."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from pipelines.export import export as module
from pipelines.export.export import Exported, ExportOptions, export
from pipelines.export.folder import ExportFolder
from pipelines.locks.lock import locked
from pipelines.runs.dataset import Dataset
from schemas.errors import LockHeldError, RunError
from tests.object_store import ObjectStore, object_store
from tests.pipelines.conftest import ROOT

TEXT = ExportOptions(kind="parquet", file_tokens=400)
TOKENS = ExportOptions(kind="nanotron", file_tokens=400)
START = "from pipelines.command import main; main()"
# Kills the process when the record of the n-th file is about to be written: the file is there, its record is not.
KILL = """
import os, signal
from pipelines.export.folder import ExportFolder
of = ExportFolder.record
seen = []
def record(self, unit, record):
    seen.append(unit)
    if len(seen) == {n}:
        os.kill(os.getpid(), signal.SIGKILL)
    of(self, unit, record)
ExportFolder.record = record
"""


def make(run: Path, to: object, options: ExportOptions = TEXT) -> Exported:
    return export(Dataset(str(run)), str(to), options, lambda done, files: None)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole(exported_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, bytes]]:
    """The bytes of an undisturbed export, by format."""
    folder = tmp_path_factory.mktemp("whole")
    done: dict[str, dict[str, bytes]] = {}

    def of(kind: str) -> dict[str, bytes]:
        if kind not in done:
            make(exported_run, folder / kind, ExportOptions(kind=kind, file_tokens=400))
            done[kind] = bytes_of(folder / kind)
        return done[kind]

    return of


def kill(run: Path, to: str, kind: str, n: int) -> None:
    """Start the command and kill it with its n-th file."""
    command = [sys.executable, "-c", KILL.format(n=n) + START, "export", str(run), "--to", to, "--format", kind]
    done = subprocess.run([*command, "--file-tokens", "400"], env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "n"), [("parquet", 2), ("megatron", 3), ("bin", 1)])
def test_a_killed_export_shows_nothing_and_goes_on(
    exported_run: Path, whole: Callable[[str], dict[str, bytes]], tmp_path: Path, kind: str, n: int
) -> None:
    target = tmp_path / "out"
    kill(exported_run, str(target), kind, n)
    assert not target.exists()
    hidden = tmp_path / ".out.winnow-export"
    times = {path: path.stat().st_mtime_ns for path in hidden.rglob("*.json") if ".unfinished" in str(path)}
    made = {str(path.relative_to(hidden)): path.stat().st_ino for path in hidden.rglob("*0000*")}
    assert len(times) == n  # the key, and the records of the files before
    make(exported_run, target, ExportOptions(kind=kind, file_tokens=400))
    assert bytes_of(target) == whole(kind)
    assert not hidden.exists()
    kept = [name for name, inode in made.items() if (target / name).exists() and (target / name).stat().st_ino == inode]
    assert len(kept) >= n - 2  # what was on record was not written again


def test_other_options_after_a_break_begin_anew(
    exported_run: Path, whole: Callable[[str], dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_file", broken_after(1))
        with pytest.raises(KeyboardInterrupt):
            make(exported_run, tmp_path / "out", ExportOptions(kind="parquet", file_tokens=10**6))
    assert not (tmp_path / "out").exists()
    make(exported_run, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == whole("parquet")


def broken_after(n: int) -> Any:
    original, calls = module.write_file, []

    def write(*args: Any) -> Any:
        calls.append(args)
        if len(calls) > n:
            raise KeyboardInterrupt
        return original(*args)

    return write


def test_the_same_export_again_does_nothing(exported_run: Path, tmp_path: Path) -> None:
    assert make(exported_run, tmp_path / "out").is_new
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    again = make(exported_run, tmp_path / "out")
    assert not again.is_new
    assert again.counts["rows"] > 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_another_export_replaces_one(
    exported_run: Path, whole: Callable[[str], dict[str, bytes]], tmp_path: Path
) -> None:
    make(exported_run, tmp_path / "out", TOKENS)
    make(exported_run, tmp_path / "out", TEXT)
    assert bytes_of(tmp_path / "out") == whole("parquet")


def test_an_empty_folder_is_taken(exported_run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert make(exported_run, tmp_path / "out").is_new


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "data/x.parquet", "README.md"])
def test_a_folder_of_somebody_else_is_refused(exported_run: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(RunError, match="not empty and not written by winnow export; give a new folder"):
        make(exported_run, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == {name: b"mine"}


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_or_a_link_is_never_replaced(exported_run: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out"
    if kind == "file":
        target.write_text("mine")
    else:
        (tmp_path / "empty").mkdir()
        target.symlink_to(tmp_path / "empty")
    with pytest.raises(RunError, match=f"is a {kind}; give a new folder"):
        make(exported_run, target)
    assert target.is_symlink() or target.read_text() == "mine"


def test_a_mount_point_is_told_before_any_work(exported_run: Path) -> None:
    with pytest.raises(RunError, match="/proc: is a mount point"):
        make(exported_run, "/proc")


def test_a_full_disk_is_one_line_and_the_export_goes_on(
    exported_run: Path, whole: Callable[[str], dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_file", full)
        with pytest.raises(RunError, match="no space left; make room and run the same command again to go on"):
            make(exported_run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    make(exported_run, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == whole("parquet")


@pytest.mark.parametrize("options", [TEXT, TOKENS])
def test_a_file_that_was_added_is_never_removed(exported_run: Path, tmp_path: Path, options: ExportOptions) -> None:
    make(exported_run, tmp_path / "out")
    (tmp_path / "out" / "common_crawl" / "notes.txt").write_text("mine")
    before = bytes_of(tmp_path / "out")
    with pytest.raises(RunError, match=r"holds common_crawl/notes.txt, which winnow export did not write"):
        make(exported_run, tmp_path / "out", options)
    assert bytes_of(tmp_path / "out") == before


@pytest.mark.parametrize("options", [TEXT, TOKENS])
@pytest.mark.parametrize("data", [None, b"short"])
def test_an_export_that_was_damaged_is_told(
    exported_run: Path, tmp_path: Path, options: ExportOptions, data: bytes | None
) -> None:
    make(exported_run, tmp_path / "out")
    path = max((tmp_path / "out").rglob("train-*"))
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    with pytest.raises(RunError, match=f"{path.name} is not as it was exported; give a new folder or remove this one"):
        make(exported_run, tmp_path / "out", options)


def test_a_card_that_was_added_to_is_never_replaced(exported_run: Path, tmp_path: Path) -> None:
    make(exported_run, tmp_path / "out")
    card = tmp_path / "out" / "README.md"
    card.write_text(f"{card.read_text()}\nLicence: CC-BY-4.0\n")
    assert not make(exported_run, tmp_path / "out").is_new
    with pytest.raises(RunError, match=r"README.md is not as it was exported"):
        make(exported_run, tmp_path / "out", TOKENS)
    assert "CC-BY-4.0" in card.read_text()


def test_a_file_that_was_lost_is_told(exported_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = ExportFolder.finish

    def finish(self: ExportFolder, *args: Any) -> None:
        next(Path(self.root).rglob("train-*")).unlink()
        original(self, *args)

    monkeypatch.setattr(ExportFolder, "finish", finish)
    with pytest.raises(RunError, match="was changed while the export ran"):
        make(exported_run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_at_a_time_are_refused(exported_run: Path, tmp_path: Path) -> None:
    with locked(str(tmp_path / ".out.winnow-export")), pytest.raises(LockHeldError):
        make(exported_run, tmp_path / "out")


def test_export_json_has_the_hash_of_every_file(exported_run: Path, tmp_path: Path) -> None:
    import hashlib

    make(exported_run, tmp_path / "out", TOKENS)
    files = bytes_of(tmp_path / "out")
    said = json.loads(files.pop("export.json"))
    assert said["files"] == {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
    }
    assert "/" not in str(said["stages"]).replace("web/", "")  # no path of the run: moved, it gives the same bytes


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "n"), [("parquet", 2), ("megatron", 3)])
def test_an_object_store_holds_the_same_bytes(
    exported_run: Path, whole: Callable[[str], dict[str, bytes]], store: ObjectStore, kind: str, n: int
) -> None:
    options = ExportOptions(kind=kind, file_tokens=400)
    kill(exported_run, "s3://box/out", kind, n)
    objects = store.objects("box", "out/")
    assert "out/export.json" not in objects
    assert b"this-export-is-not-finished" in objects["out/README.md"]
    make(exported_run, "s3://box/out", options)
    assert {key.removeprefix("out/"): data for key, data in store.objects("box", "out/").items()} == whole(kind)
    assert not make(exported_run, "s3://box/out", options).is_new
    store.client.put_object(Bucket="box", Key="out/notes.txt", Body=b"mine")
    with pytest.raises(RunError, match=r"holds notes.txt"):
        make(exported_run, "s3://box/out", options)


def test_a_run_in_a_store_is_exported(
    exported_run: Path, whole: Callable[[str], dict[str, bytes]], tmp_path: Path
) -> None:
    fs = fsspec.filesystem("memory")
    try:
        fs.put(str(exported_run), "/run", recursive=True)
        for to in (str(tmp_path / "out"), "memory://out"):
            make_at("memory://run", to)
        assert bytes_of(tmp_path / "out") == whole("parquet")
        found = {name.removeprefix("/out/"): fs.cat_file(name) for name in fs.find("/out")}
        assert found == whole("parquet")
    finally:
        fs.store.clear()


def make_at(run: str, to: str) -> Exported:
    return export(Dataset(run), to, TEXT, lambda done, files: None)
