"""A folder of inputs and a dataset of runs over them, by a recipe of two stages of a few lines."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.commands.endings.ending import Ending
from pipelines.commands.run import Job
from pipelines.engines.engine import Engine
from pipelines.recipes.common_crawl import CommonCrawlConfig
from pipelines.recipes.find import RecipeMaker
from pipelines.runs.dataset import Dataset, SourceFile, describe
from pipelines.runs.graph import Node, Recipe
from pipelines.runs.stage import StageContext, StageResult
from schemas.errors import ConfigError
from tests.pipelines.runs.test_runner import Sieve

STAGES = ["first", "second"]


@dataclasses.dataclass(frozen=True)
class Rememberer(Sieve):
    """A sieve that counts what its earlier runs have kept."""

    refuses: bool = False
    seen: list[list[int]] = dataclasses.field(default_factory=list, compare=False)

    def check_earlier(self, earlier: Any) -> None:
        if earlier and self.refuses:
            raise ConfigError("tokenizer: is another one")

    def run(self, context: StageContext) -> StageResult:
        self.seen.append([manifest.counts.kept for manifest, data in context.earlier if Path(data.root).is_dir()])
        return super().run(context)


@dataclasses.dataclass
class Bench:
    """A folder of inputs, a dataset, and a recipe of two stages that run over them."""

    root: Path
    first: Rememberer = dataclasses.field(default_factory=lambda: Rememberer("first", made=4))
    second: Rememberer = dataclasses.field(default_factory=lambda: Rememberer("second", settings={"limit": 3}))
    said: list[str] = dataclasses.field(default_factory=list)

    @property
    def dataset(self) -> Dataset:
        return Dataset(str(self.root / "out"))

    @property
    def recipe(self) -> Recipe:
        nodes = (Node("first", self.first, (), source="web"), Node("second", self.second, ("first",)))
        return Recipe("sieves", nodes, {"web": None}, CommonCrawlConfig())

    @property
    def files(self) -> list[SourceFile]:
        return [SourceFile("web", path) for path in self.paths]

    def add(self, *names: str) -> None:
        for name in names:
            (self.root / "in").mkdir(exist_ok=True)
            (self.root / "in" / name).write_text(name)

    @property
    def paths(self) -> list[str]:
        return sorted(str(path) for path in (self.root / "in").iterdir())

    def job(self) -> Job:
        engine, console = Engine([], self.root / "log"), Console(file=io.StringIO())
        maker = RecipeMaker("sieves", lambda settings: self.recipe, CommonCrawlConfig)
        return Job(maker, self.recipe, self.dataset, engine, console, Ending("run", self.dataset.path))

    def new(self, limit: int = 0) -> Ending:
        job = self.job()
        job.run_new(self.files, limit)
        return job.ending

    def whole(self) -> Ending:
        job = self.job()
        job.run_whole(describe(self.files))
        return job.ending

    def inputs(self) -> list[list[str]]:
        """Return the names of the inputs of each run."""
        return [[Path(entry["path"]).name for entry in run.inputs() or []] for run in self.dataset.runs()]


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return bytes and time of every file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def stop(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin a run that is stopped in its second stage."""
    with monkeypatch.context() as patch:
        patch.setattr(Rememberer, "run", stopping(Rememberer.run))
        with pytest.raises(KeyboardInterrupt):
            bench.new()


def stopping(run: Any) -> Any:
    def stopped(self: Rememberer, context: StageContext) -> StageResult:
        if self.name == "second":
            raise KeyboardInterrupt
        result: StageResult = run(self, context)
        return result

    return stopped
