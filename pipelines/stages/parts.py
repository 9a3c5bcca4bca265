"""Beam's side of a stage: parts are the elements, and one worker reads and writes one part at a time.

A part is one file of the stage before it, or a byte range of an archive. Its number names its files in every stage,
and with the row in the file it is the address that travels through shuffles in place of the text.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

import storage
from pipelines.runs.counts import PartCounts
from pipelines.runs.folder import DataFolder
from pipelines.runs.stage import StageContext


class PartWork(abc.ABC):
    """What is done with one part; pickled to the workers. `verdicts` are the blocks that shuffles sent to the part."""

    def open(self) -> None:  # noqa: B027  most work needs nothing
        """Load models and start processes; once in a worker."""

    def close(self) -> None:  # noqa: B027
        """Let go of what `open` took."""

    @abc.abstractmethod
    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterable[Any]:
        """Read the part's files, write its tables, yield what is to be shuffled."""


def tell_cpu(target: DataFolder, phase: str, part: int, step: str, spent_ns: int) -> None:
    """Leave the CPU time that a pass before the last one spent on a part where the stage's counts are added up."""
    counts = PartCounts()
    counts.cpu_ns[step] = spent_ns
    storage.write_atomic(target.done(part, phase), counts.to_json())


class _PartDoFn(beam.DoFn):
    def __init__(self, work: PartWork) -> None:
        self._work = work

    def setup(self) -> None:
        self._work.open()

    def process(self, element: tuple[int, dict[str, Iterable[bytes]]]) -> Iterator[Any]:
        part, verdicts = element
        yield from self._work.run(part, {name: [b for b in blocks if b] for name, blocks in verdicts.items()})

    def teardown(self) -> None:
        self._work.close()


def part_numbers(pipeline: beam.Pipeline, parts: Sequence[int]) -> PCollection[Any]:
    """Return PCollection[tuple[int, bytes]]: each part once, with an empty block.

    The graph holds ranges of numbers and workers count them out: as the elements of a Create, a million parts would
    take 27 s to translate for Dataflow and 1.2 MB of the graph; as one range they take neither.
    """
    marks = beam.FlatMap(_marks, runs_of(parts)).with_output_types(tuple[int, bytes])
    numbered: PCollection[Any] = pipeline | "Start" >> beam.Impulse() | "PartNumbers" >> marks
    return numbered


def runs_of(parts: Iterable[int]) -> tuple[range, ...]:
    """Return ascending numbers as the fewest ranges."""
    runs: list[range] = []
    for part in parts:
        if runs and runs[-1].stop == part:
            runs[-1] = range(runs[-1].start, part + 1)
        else:
            runs.append(range(part, part + 1))
    return tuple(runs)


def _marks(_: bytes, runs: Sequence[range]) -> Iterator[tuple[int, bytes]]:
    for run in runs:
        for part in run:
            yield part, b""


def run_parts(context: StageContext, parts: int, work: PartWork, work_s: float) -> None:
    """Run `work`, about `work_s` CPU seconds in all, on those of the parts 0 to `parts` - 1 that are not done yet."""
    context.set_parts(parts)
    todo = context.todo(parts)
    if todo:
        context.run_pipeline(lambda pipeline: part_numbers(pipeline, todo) | "Parts" >> EachPart(work), work_s)


class EachPart(beam.PTransform[Any, Any]):
    """Run `work` on each part.

    In: the parts of `part_numbers`, or a dict of them under "" and of verdicts, PCollection[tuple[int, bytes]] keyed by
    part. Every part is run once, also those of which no verdict speaks. With verdicts the transform waits for all that
    they depend on: it is the barrier of a stage.
    """

    def __init__(self, work: PartWork, output: Any = Any) -> None:
        super().__init__()
        self._work, self._output = work, output

    def expand(self, parts: Any) -> PCollection[Any]:
        if isinstance(parts, dict):
            joined = parts | "Join" >> beam.CoGroupByKey()
        else:
            # Spreads the parts over the workers as Reshuffle would, with four transforms less in every graph.
            joined = parts | "Spread" >> beam.GroupByKey() | "NoVerdicts" >> beam.MapTuple(_no_verdicts)
        done: PCollection[Any] = joined | "Run" >> beam.ParDo(_PartDoFn(self._work)).with_output_types(self._output)
        return done


def _no_verdicts(part: int, _: Iterable[bytes]) -> tuple[int, dict[str, list[bytes]]]:
    return part, {}
