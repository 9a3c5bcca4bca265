"""One run of the recipe in this process that tells the CPU time of our functions from that of Beam around them.

Started by steps.py. With one worker Beam calls everything in this process: the work on a part (`EachPart`) and the
functions over blocks of hashes (`beam.Map`, `beam.FlatMap`). Each is wrapped in a clock; what a pipeline costs beside
them is Beam's: building the graph, type checks, translation, workers, coders, grouping, progress. The guarded child
process of the extraction is ours.
"""

from __future__ import annotations

import functools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

STARTED_S = time.process_time()  # the interpreter alone

import apache_beam as beam  # noqa: E402

from pipelines.engines.engine import Engine  # noqa: E402
from pipelines.recipes import common_crawl  # noqa: E402
from pipelines.runs import runner  # noqa: E402
from pipelines.runs.dataset import SourceFile, describe  # noqa: E402
from pipelines.runs.folder import DataFolder, Manifest, RunFolder  # noqa: E402
from pipelines.runs.plan import VERSION, PlannedStage  # noqa: E402
from pipelines.runs.runner import Watcher  # noqa: E402
from pipelines.stages import parts  # noqa: E402
from schemas.settings import overlay  # noqa: E402

IMPORTED_S = time.process_time()


class Clock:
    """CPU seconds spent in our functions and in pipelines since the last stage began."""

    ours_s = 0.0
    pipelines_s = 0.0


def children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def metered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with a clock around what it does, and around each item if it makes a generator."""

    @functools.wraps(function)  # Beam reads its arguments and types
    def call(*args: Any, **kwargs: Any) -> Any:
        started = time.process_time()
        result = function(*args, **kwargs)
        Clock.ours_s += time.process_time() - started  # the class travels by name: there is one clock
        return metered_items(result) if isinstance(result, Iterator) else result

    return call


def metered_items(items: Iterator[Any]) -> Iterator[Any]:
    while True:
        started = time.process_time()
        try:
            item = next(items)
        except StopIteration:
            return
        finally:
            Clock.ours_s += time.process_time() - started
        yield item


class MeteredEngine(Engine):
    def run(self, *args: Any, **kwargs: Any) -> None:
        started = time.process_time()
        super().run(*args, **kwargs)
        Clock.pipelines_s += time.process_time() - started


class Meter(Watcher):
    """Collects the figures of each stage."""

    def __init__(self) -> None:
        self.stages: list[dict[str, Any]] = []
        self._before = (0.0, 0.0)

    def stage_started(self, planned: PlannedStage, target: DataFolder) -> None:
        Clock.ours_s = Clock.pipelines_s = 0.0
        self._before = (time.process_time(), children_s())

    def stage_committed(self, manifest: Manifest) -> None:
        own_s, child_s = time.process_time() - self._before[0], children_s() - self._before[1]
        self.stages.append(
            {
                "name": manifest.stage,
                "read": manifest.counts.read,
                "steps_s": manifest.cpu_s,
                "whole_s": own_s + child_s,
                "beam_s": Clock.pipelines_s - Clock.ours_s,
            }
        )


def wrap_ours() -> None:
    """Put the clock around everything of ours that Beam calls."""
    for name in ("Map", "FlatMap"):
        setattr(beam, name, _with_metered_function(getattr(beam, name)))
    for name in ("setup", "process"):
        setattr(parts._PartDoFn, name, metered(getattr(parts._PartDoFn, name)))


def _with_metered_function(transform: Callable[..., Any]) -> Callable[..., Any]:
    def build(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return transform(metered(function), *args, **kwargs)

    return build


def main(archive: str, changes: str) -> None:
    """Run over `archive` with the settings `changes` (JSON) and print the figures as one JSON line."""
    wrap_ours()
    recipe = common_crawl.recipe(overlay(common_crawl.CommonCrawlConfig(), json.loads(changes)))
    meter = Meter()
    with tempfile.TemporaryDirectory() as folder:
        engine = MeteredEngine([], Path(folder) / "beam.log")
        run = RunFolder(f"{folder}/run")
        run.open(common_crawl.NAME, VERSION, [node.id for node in recipe.nodes])
        (source,) = recipe.sources
        runner.run(recipe, describe([SourceFile(source, archive)]), run, engine, meter)
    told = {"start_up_s": IMPORTED_S, "whole_s": time.process_time() + children_s(), "stages": meter.stages}
    print(json.dumps(told))


if __name__ == "__main__":
    sys.exit("metered_run.py is started by steps.py: Beam's pickles must find its classes under its own name")
