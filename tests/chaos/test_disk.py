"""No space left, a read-only disk, a file that may not grow: one line, exit code 1, and later the same bytes."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.harness import Web, assert_balanced, assert_one_line, commits, half_written, shards


class Disk:
    """A small disk in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mount(self, options: str) -> None:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", str(self.path)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"mount is not permitted here: {done.stderr.strip()}")

    def remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.path)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    yield Disk(path)
    subprocess.run(["umount", str(path)], capture_output=True, check=False)


@pytest.mark.parametrize("size", ["4k", "12k", "40k", "200k", "700k", "1200k", "2m", "4m"])
def test_disk_full(web: Web, undisturbed: Path, disk: Disk, size: str) -> None:
    disk.mount(f"size={size}")
    output = disk.path / "run"
    assert_one_line(web.run(output), "o space left")
    assert list(half_written(output)) == []
    done = commits(output)
    disk.remount("size=64m")
    ended = web.run(output)
    assert ended.code == 0, ended.err
    after = commits(output)
    assert {stage: after[stage] for stage in done} == done
    assert shards(output) == shards(undisturbed)


def test_disk_full_in_worker_processes(web: Web, undisturbed: Path, disk: Disk) -> None:
    disk.mount("size=1200k")
    two = ("--", "--direct_num_workers", "2", "--direct_running_mode", "multi_processing")
    assert_one_line(web.run(disk.path / "run", *two), "o space left")
    disk.remount("size=64m")
    assert web.run(disk.path / "run", *two).code == 0
    assert shards(disk.path / "run") == shards(undisturbed)


@pytest.mark.parametrize("limit", [0, 2_000, 20_000, 100_000])
def test_file_may_not_grow(web: Web, undisturbed: Path, tmp_path: Path, limit: int) -> None:
    output = tmp_path / "run"

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    if limit < 2_000:  # not even the line that says so could be written to a file
        assert web.run(output, before=limited).code == 1
    else:
        assert_one_line(web.run(output, before=limited), "File too large")
    assert list(half_written(output)) == []
    ended = web.run(output)
    assert ended.code == 0, ended.err
    assert shards(output) == shards(undisturbed)
    assert_balanced(output)


def test_read_only_disk(web: Web, disk: Disk) -> None:
    disk.mount("size=1m,ro")
    assert_one_line(web.run(disk.path / "run"), "Read-only file system")


def test_disk_turns_read_only(web: Web, undisturbed: Path, disk: Disk) -> None:
    disk.mount("size=64m")
    output = disk.path / "run"
    running = web.start(output)
    assert running.until((output / "web" / "extract" / "manifest.json").exists)
    if subprocess.run(["mount", "-o", "remount,ro", str(disk.path)], capture_output=True, check=False).returncode:
        running.signal_group(9)  # files are open for writing: the kernel refuses, as it mostly does
        running.wait()
    else:
        assert_one_line(running.wait(), "Read-only file system")
    disk.remount("rw")
    assert web.run(output).code == 0
    assert shards(output) == shards(undisturbed)
