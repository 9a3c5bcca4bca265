"""What the fault tests share: start `winnow` as a process group of its own, hurt it, and look at what it left.

Every process that a run starts inherits a mark in its environment, so one that outlives the run is found whatever its
parent has become.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WINNOW = str(Path(sys.executable).with_name("winnow"))
STAGES = ("web/index", "web/extract", "web/clean", "dedup", "tokenize", "mix", "shards")
MARK = "WINNOW_FAULT_TEST"
LIMIT_S = 300.0  # no run of the small web takes a tenth of it
POLL_S = 0.005


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str
    wall_s: float

    @property
    def error_lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.strip()]


def _as_from_a_terminal(before: Callable[[], None] | None) -> None:
    """Let Ctrl-C be heard: what a shell starts in the background ignores it, as all that is started from there does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if before is not None:
        before()


class Running:
    """A `winnow` process, the leader of its own group."""

    def __init__(
        self,
        arguments: Sequence[str],
        logs: Path,
        before: Callable[[], None] | None = None,
        prefix: Sequence[str] = (),
        folder: Path | None = None,
    ) -> None:
        """Start `winnow` with `arguments`, in `folder`; what it prints goes below `logs`."""
        self.mark = uuid.uuid4().hex
        self._log = logs / f".fault-{self.mark}"
        self._log.mkdir(parents=True)
        self.started = time.monotonic()
        with (self._log / "out").open("wb") as out, (self._log / "err").open("wb") as err:
            self.process = subprocess.Popen(
                [*prefix, WINNOW, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=lambda: _as_from_a_terminal(before),
                cwd=folder,
                env={**os.environ, MARK: self.mark},
            )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def wait(self, timeout_s: float = LIMIT_S) -> Ended:
        """Return how it ended; the whole group is killed and the test fails when it does not within the limit."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.signal_group(signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"still running after {timeout_s:.0f} s: {self._text('err')[-2000:]}") from None
        return Ended(self.process.returncode, self._text("out"), self._text("err"), time.monotonic() - self.started)

    def signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def until(self, condition: Callable[[], bool], timeout_s: float = LIMIT_S) -> bool:
        """Wait for `condition`; False when the run ended first."""
        end = time.monotonic() + timeout_s
        while not condition():
            if not self.alive:
                return False
            assert time.monotonic() < end, "the moment to strike never came"
            time.sleep(POLL_S)
        return True

    def processes(self, holding: str = "") -> list[int]:
        """Return the living processes of this run but its leader, those with `holding` in their command line."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) not in (self.process.pid, os.getpid()):
                with contextlib.suppress(OSError):  # it may end while it is looked at
                    ours = self.mark.encode() in (entry / "environ").read_bytes()
                    zombie = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                    if ours and not zombie and holding.encode() in (entry / "cmdline").read_bytes():
                        found.append(int(entry.name))
        return found

    def orphans(self, grace_s: float = 15.0) -> list[int]:
        """Return what is still alive `grace_s` after the end."""
        end = time.monotonic() + grace_s
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.1)
        return left

    def _text(self, name: str) -> str:
        return (self._log / name).read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Web:
    """The small web of the demo, its quality model, and how a run over it is started."""

    root: Path
    engine: str = "resiliparse"

    @property
    def crawl(self) -> Path:
        return self.root / "web" / "crawl"

    def arguments(self, output: Path | str, *more: str, crawl: Path | str | None = None) -> list[str]:
        return [
            "run", "--input", str(crawl or self.crawl), "--output", str(output),
            "--config", str(self.root / "web" / "demo.yaml"), "--config", str(self.root / "quality.yaml"),
            "--set", f"extract.engine={self.engine}", *more,
        ]  # fmt: skip

    def start(self, output: Path | str, *more: str, crawl: Path | str | None = None, **how: Any) -> Running:
        return Running(self.arguments(output, *more, crawl=crawl), self.root / "starts", **how)

    def run(self, output: Path | str, *more: str, crawl: Path | str | None = None, **how: Any) -> Ended:
        return self.start(output, *more, crawl=crawl, **how).wait()


def make_web(root: Path) -> Web:
    """Write the small web below `root` and train its quality model."""
    labels, model, pin = root / "web" / "quality_labels.jsonl", root / "quality.bin", root / "quality.yaml"
    train = ["train-classifier", "--input", str(labels), "--output", str(model), "--pin", str(pin)]
    train += ["--set", "epoch=25", "--set", "lr=0.5", "--set", "dim=32"]
    for arguments in (["demo-web", "--output", str(root / "web")], train):
        ended = Running(arguments, root / "starts").wait()
        assert ended.code == 0, ended.err
    return Web(root)


def shards(output: Path) -> dict[str, str]:
    """Return the SHA-256 of each committed shard by its name, computed from its bytes and equal to what is recorded."""
    manifest = json.loads((output / "shards" / "manifest.json").read_text())
    found = {}
    for shard in manifest["facts"]["shards"]:
        path = output / "shards" / manifest["key"] / shard["path"]
        found[shard["path"]] = hashlib.sha256(path.read_bytes()).hexdigest()
        assert found[shard["path"]] == shard["sha256"], f"{path} is not what its manifest says"
    return found


def commits(output: Path) -> dict[str, tuple[bytes, int]]:
    """Return bytes and modification time of each manifest there is."""
    paths = sorted([*output.glob("*/manifest.json"), *output.glob("web/*/manifest.json")])
    return {str(path.parent.relative_to(output)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def fates(output: Path) -> list[dict[str, Any]]:
    """Return what the ledger says of each stage, clock readings left out."""
    ended = Running(["ledger", str(output), "--json"], output.parent / "starts").wait()
    assert ended.code == 0, ended.err
    book = json.loads(ended.out)
    return [{key: stage[key] for key in ("name", "read", "kept", "dropped", "failed")} for stage in book["stages"]]


def assert_balanced(output: Path) -> None:
    """Check that each committed stage gives every record one fate and reads what the one before it kept."""
    before = None
    for stage in fates(output):
        lost = sum(stage["dropped"].values()) + sum(stage["failed"].values())
        assert stage["read"] == stage["kept"] + lost, stage
        assert before in (None, stage["read"]), stage
        before = stage["kept"]


def assert_one_line(ended: Ended, *holding: str, code: int = 1) -> None:
    """Check that a failed run told a person what is wrong in one line, without a stack trace, and ended with `code`."""
    said = ended.out + ended.err
    assert "Traceback" not in said, said
    assert ended.code == code, (ended.code, said)
    assert len(ended.error_lines) == 1, ended.err
    assert ended.err.startswith("winnow: "), ended.err
    for text in holding:
        assert text in ended.err, ended.err


def half_written(output: Path) -> Iterator[Path]:
    """Yield the files that a reader would take for whole and that are not: unreadable Parquet, JSON cut short."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in output.rglob("*"):
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            if path.suffix == ".parquet":
                pq.ParquetFile(path).read()
            elif path.suffix == ".json":
                json.loads(path.read_bytes())
        except (pa.ArrowException, OSError, ValueError):
            yield path
