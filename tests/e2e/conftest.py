"""The command as a user starts it, in a process of its own, and the runs that the tests look at."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from demo_web import make_web
from demo_web.config import write_config
from demo_web.truth import Truth
from pipelines.runs.folder import DataFolder, Manifest, RunFolder

ROOT = Path(__file__).resolve().parents[2]
START = "from pipelines.command import main; main()"
TIMEOUT_S = 1200  # a guard against waiting for ever; nine jobs on a cluster and a busy machine take minutes

Winnow = Callable[..., str]


def run_winnow(*args: object, check: bool = True, before: str = "") -> str:
    """Run `winnow ARGS` in a new interpreter, after the statements `before`; return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    environment.pop("PYTHONWARNINGS", None)
    done = subprocess.run(
        [sys.executable, "-c", before + START, *map(str, args)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=TIMEOUT_S,
    )
    assert not check or done.returncode == 0, f"winnow {args}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run: its folder, what the command printed, and the tables of its stages."""

    folder: Path
    printed: str

    def stages(self) -> dict[str, tuple[Manifest, DataFolder]]:
        return {manifest.stage: (manifest, data) for manifest, data in RunFolder(str(self.folder)).committed()}

    def manifest(self, stage: str) -> Manifest:
        return self.stages()[stage][0]

    def rows(self, stage: str, table: str) -> list[dict[str, Any]]:
        files = sorted(Path(self.stages()[stage][1].table(table)).glob("*.parquet"))
        return [row for file in files for row in pq.read_table(file).to_pylist()]

    def shards(self) -> dict[str, str]:
        """Return SHA-256 by path, as the last stage tells."""
        return {shard["path"]: shard["sha256"] for shard in self.manifest("shards").facts["shards"]}

    def shard_files(self) -> list[Path]:
        manifest, data = self.stages()["shards"]
        return [Path(data.root) / shard["path"] for shard in manifest.facts["shards"]]


@dataclasses.dataclass(frozen=True)
class Web:
    """A small web on the disk, its truth, and the options of `winnow run` for it."""

    folder: Path
    truth: Truth
    options: tuple[str, ...]

    @property
    def crawl(self) -> Path:
        return self.folder / "crawl"

    def run(self, output: Path, *more: object, inputs: Sequence[object] = (), **how: Any) -> Run:
        given = inputs or [self.crawl]
        return Run(output, run_winnow("run", "--input", *given, "--output", output, *self.options, *more, **how))


def build_web(folder: Path, pages: int) -> Web:
    """Write a web and train the quality classifier of its demo."""
    truth = make_web(folder, pages=pages)
    config, model, pin = write_config(folder), folder / "quality.bin", folder / "quality.yaml"
    labels, settings = folder / "quality_labels.jsonl", ("epoch=25", "lr=0.5", "dim=32")
    chosen = [word for setting in settings for word in ("--set", setting)]
    run_winnow("train-classifier", "--input", labels, "--output", model, "--pin", pin, *chosen)
    return Web(folder, truth, ("--config", str(config), "--config", str(pin)))


@pytest.fixture(scope="session")
def winnow() -> Winnow:
    """The command line in a process of its own."""
    return run_winnow


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Web:
    """The demo's web, as `make demo` writes it."""
    return build_web(tmp_path_factory.mktemp("web"), pages=1200)


@pytest.fixture(scope="session")
def demo(web: Web, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo's run."""
    return web.run(tmp_path_factory.mktemp("demo") / "run")


@pytest.fixture(scope="session")
def documents(demo: Run) -> dict[str, dict[str, Any]]:
    """The documents that the tokenizer read, by id."""
    return {row["id"]: row for row in demo.rows("dedup", "documents")}


@pytest.fixture(scope="session")
def small_web(tmp_path_factory: pytest.TempPathFactory) -> Web:
    """A quarter of the demo's web, for tests that need several runs."""
    return build_web(tmp_path_factory.mktemp("small_web"), pages=300)


@pytest.fixture(scope="session")
def small_run(small_web: Web, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The undisturbed run of one worker that others are compared with; tests must not change its folder."""
    return small_web.run(tmp_path_factory.mktemp("small") / "run")


@pytest.fixture(scope="session")
def run_of() -> Callable[[Path, str], Run]:
    """Wrap the folder of a run."""
    return Run


@pytest.fixture(scope="session")
def archives() -> list[Path]:
    """The real archives beside the checkout."""
    folder = ROOT.parent / "shared" / "data" / "warc"
    found = sorted(path for path in folder.glob("*") if ".warc" in path.name)
    if not found:
        pytest.skip(f"no real archives: {folder} is absent")
    return found
