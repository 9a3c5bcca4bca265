"""A dataset: the runs of one output folder, each over inputs that no run before it has read.

    DIR/               the first run, a run folder as `winnow run` makes it (pipelines/runs/folder.py)
    DIR/runs/000001/   the second, DIR/runs/000002/ the third: whole run folders

A run starts only when those before it are finished, and none is touched after that: what they hold is what the hashes
of a later run are compared with (`StageContext.earlier`), whatever version of Winnow wrote it. So only the newest run
can be unfinished. An input is known by its path and its checksum, one on a web server by its address alone, because
to ask for each of the 90,000 archives of a crawl would take longer than to decide that there is nothing to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import storage
from pipelines.runs.folder import DataFolder, Manifest, RunFolder
from pipelines.runs.stage import Earlier
from schemas.errors import RunError
from storage.listing.inputs import Unreadable, describe_inputs

RUNS = "runs"
FORMER_ADDRESS = "@former"  # after a folder: the result that its last rerun has replaced
_NAME = re.compile(r"\d{6}")
_LATER = re.compile(rf"(.+)/{RUNS}/\d{{6}}")


class SourceFile(NamedTuple):
    """A file of a source."""

    source: str
    path: str


def describe(files: Sequence[SourceFile], unreadable: Unreadable | None = None) -> list[dict[str, Any]]:
    """Return path, size, checksum and source of each file.

    InputError for one that cannot be read; `unreadable` takes it instead if it may be left out.
    """
    found = {entry["path"]: entry for entry in describe_inputs([file.path for file in files], unreadable)}
    return [{**found[file.path], "source": file.source} for file in files if file.path in found]


@dataclass(frozen=True)
class Dataset:
    """The runs of an output folder; with `former` the one result that the last rerun of the first has replaced."""

    path: str
    former: bool = False

    def runs(self) -> list[RunFolder]:
        """Return the runs that were begun, oldest first."""
        if self.former:
            return [RunFolder(self.path, former=True)]
        names = [name for name in storage.list_names(f"{self.path}/{RUNS}") if _NAME.fullmatch(name)]
        folders = [RunFolder(self.path), *(RunFolder(f"{self.path}/{RUNS}/{name}") for name in names)]
        return [folder for folder in folders if storage.exists(f"{folder.path}/winnow.json")]

    def number(self, run: RunFolder) -> int:
        """Return the number of a run: 0 is the first, the others have it in their name."""
        return 0 if run.path == self.path else int(run.path.rpartition("/")[2])

    def run(self, number: int) -> RunFolder:
        """Return the run of a number. RunError when there is none."""
        found = {self.number(run): run for run in self.runs()}
        if number not in found:
            raise RunError(f"--run {number}: no such run in {self.path}; {_numbered(sorted(found))}")
        return found[number]

    def check(self, recipe: str | None, version: str) -> list[RunFolder]:
        """Return the runs. RunError unless there is one, and all are of this recipe (None: any) and format."""
        runs = self.runs() or [RunFolder(self.path)]
        for run in runs:
            run.check(recipe, version, any_version=True)
        if self.former and not runs[0].former_stages():
            raise RunError(f"{self.path}: keeps no former result")
        return runs

    def check_usable(self, recipe: str, version: str) -> None:
        """Raise RunError unless a run can be added, or a first one be made."""
        if self.runs():
            self.check(recipe, version)
        else:
            RunFolder(self.path).check_usable(recipe, version)

    def unfinished(self) -> RunFolder | None:
        """Return the newest run when it was begun and did not come to its end."""
        newest = next(reversed(self.runs()), None)
        return newest if newest is not None and newest.inputs() is not None and not newest.finished() else None

    def next(self) -> RunFolder:
        """Return the folder of the next run."""
        runs = self.runs()
        if not runs:
            return RunFolder(self.path)
        if runs[-1].inputs() is None:  # killed before it knew what it was to read
            return runs[-1]
        return RunFolder(f"{self.path}/{RUNS}/{self.number(runs[-1]) + 1:06d}")

    def new_inputs(
        self, files: Sequence[SourceFile], limit: int = 0, unreadable: Unreadable | None = None
    ) -> list[dict[str, Any]]:
        """Return those of `files` that no run has read, `limit` at most (0: all), each with size and checksum.

        Only what has to be is looked up: known paths that may have changed, and what is returned. An input that
        `unreadable` takes gives its place to the next one.
        """
        known = self._known()
        seen = describe([file for file in files if file in known and not storage.is_web(file.path)], unreadable)
        now = {SourceFile(entry["source"], entry["path"]): entry["checksum"] for entry in seen}
        new = [file for file in files if file not in known or (file in now and now[file] not in known[file])]
        found: list[dict[str, Any]] = []
        while new and (not limit or len(found) < limit):
            some = limit - len(found) if limit else len(new)
            found += describe(new[:some], unreadable)
            new = new[some:]
        return found

    def _known(self) -> dict[SourceFile, set[str]]:
        """Return the checksums that each file had when a run read it."""
        known: dict[SourceFile, set[str]] = {}
        with ThreadPoolExecutor(max_workers=16) as pool:
            for inputs in pool.map(RunFolder.inputs, self.runs()):
                for entry in inputs or ():
                    known.setdefault(SourceFile(entry["source"], entry["path"]), set()).add(entry["checksum"])
        return known

    def earlier(self, run: RunFolder) -> Earlier:
        """Return what each stage did in the runs before `run`. RunError when one of them is not whole."""
        before = [other for other in self.runs() if self.number(other) < self.number(run)]
        found: dict[str, list[tuple[Manifest, DataFolder]]] = {}
        with ThreadPoolExecutor(max_workers=16) as pool:
            for other, chain in zip(before, pool.map(_whole, before), strict=True):
                if not chain:
                    raise RunError(f"{other.path}: this run is not finished, and {run.path} was begun after it")
                for manifest, data in chain:
                    found.setdefault(manifest.stage, []).append((manifest, data))
        return found


def _whole(run: RunFolder) -> list[tuple[Manifest, DataFolder]]:
    return run.committed() if run.finished() else []


def refuse_later_run(path: str) -> None:
    """Raise RunError when `path` is a later run of a dataset or a former result: only the dataset itself can be run."""
    base = path.removesuffix(FORMER_ADDRESS)
    if base != path and storage.exists(f"{base}/winnow.json"):
        raise RunError(f"{path}: is what {base} held before its last rerun; it can be looked at, not run")
    found = _LATER.fullmatch(path)
    if found and storage.exists(f"{found[1]}/winnow.json"):
        raise RunError(f"{path}: is a run of the dataset {found[1]}; give that, with --new")


def _numbered(numbers: Sequence[int]) -> str:
    """Return which runs there are."""
    if len(numbers) == 1:
        return f"there is one, run {numbers[0]}"
    return f"there are runs {', '.join(map(str, numbers))}" if numbers else "there is none"
