"""Runs the stages of a recipe in order: skips what is committed and unchanged, redoes what a change touches.

A stage's key is the hash of its settings, of the outside files it uses, of the source it runs (pipelines/runs/code.py),
of the key of the stage before it and, in a later run of a dataset, of its own keys in the earlier ones. If the
committed manifest has that key the stage is skipped. Otherwise the stage runs into the data folder of that key, its
counts are taken from the tables it wrote, the ledger must balance, and the manifest is replaced in one atomic write.
"""

from __future__ import annotations

import dataclasses
import errno
import functools
import json
import platform
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import storage
from pipelines.engines.engine import Engine
from pipelines.runs.code import source_digest
from pipelines.runs.folder import Counts, DataFolder, Manifest, RunFolder, stage_key
from pipelines.runs.stage import PHASES, Continued, Earlier, PartCounts, Stage, StageContext, StageResult, add_up
from pipelines.runs.tables import count_rows, read_batches
from schemas.errors import RunError
from schemas.settings import to_plain
from storage.inputs import describe_inputs

VERSION = metadata.version("winnow")
_LIBRARIES = (
    "apache-beam", "brotli", "datasketch", "fasttext", "ftfy", "isal", "lxml", "numpy", "pyarrow", "resiliparse",
    "selectolax", "tiktoken", "tokenizers", "trafilatura",
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """A named list of stages, each reading the one before it."""

    name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class PlannedStage:
    """What a run would do with a stage, and why."""

    stage: Stage
    upstream: str  # key of the stage before it
    inputs: list[dict[str, Any]]
    versions: dict[str, str]
    earlier: Sequence[tuple[Manifest, DataFolder]] = ()
    skip: bool = False
    why: str = ""

    @property
    def settings(self) -> Any:
        return to_plain(self.stage.settings)

    @property
    def earlier_keys(self) -> list[str]:
        return [manifest.key for manifest, _ in self.earlier]

    @functools.cached_property
    def key(self) -> str:
        return stage_key(self.stage.name, self.settings, self.inputs, self.upstream, self.versions, self.earlier_keys)


NO_EARLIER: Earlier = {}
DAMAGED = "its files are not those that were committed"


class Watcher:
    """What a run tells of its course; the command line draws it, tests ignore it."""

    def stage_skipped(self, planned: PlannedStage, manifest: Manifest) -> None: ...

    def stage_started(self, planned: PlannedStage, target: DataFolder) -> None: ...

    def stage_parts(self, parts: int) -> None: ...

    def stage_committed(self, manifest: Manifest) -> None: ...


def versions(stage: Stage) -> dict[str, str]:
    """Return the versions of all that a stage computes with: Python, the libraries, and a digest of its own source.

    They are part of its key: what another trafilatura or another rule made is not continued but made anew.
    """
    found = {name: metadata.version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), "winnow": VERSION, "source": source_digest(stage), **found}


def plan(
    recipe: Recipe, archives: list[dict[str, Any]], folder: RunFolder, earlier: Earlier = NO_EARLIER
) -> list[PlannedStage]:
    """Return what a run over `archives` into `folder` would do, stage by stage."""
    planned: list[PlannedStage] = []
    upstream, redone = "", ""
    for number, stage in enumerate(recipe.stages):
        inputs = (archives if number == 0 else []) + describe_inputs(sorted(stage.resources))
        step = PlannedStage(stage, upstream, inputs, versions(stage), earlier.get(stage.name, ()))
        manifest = folder.manifest(stage.name)
        why = _why(manifest, step, redone)
        if manifest is not None and not why and folder.listing(stage.name, step.key) != manifest.files:
            why = DAMAGED
        planned.append(dataclasses.replace(step, skip=not why, why=why or "committed and unchanged"))
        if why:
            redone = redone or stage.name
        upstream = step.key
    return planned


def _why(manifest: Manifest | None, step: PlannedStage, redone: str) -> str:
    """Return why a stage has to run; '' when it has not."""
    if manifest is None:
        return "not done yet"
    if manifest.key == step.key:
        return ""
    changes = changed_settings(manifest.config, step.settings)
    if changes:
        return "changed: " + ", ".join(changes)
    if manifest.inputs != step.inputs:
        before, now = ({entry["path"]: entry for entry in entries} for entries in (manifest.inputs, step.inputs))
        new, gone = len(now.keys() - before.keys()), len(before.keys() - now.keys())
        other = sum(1 for path in now.keys() & before.keys() if now[path] != before[path])
        return f"inputs: {new} new, {gone} gone, {other} changed"
    if manifest.earlier != step.earlier_keys:
        return "the dataset's earlier runs are not those it was made after"
    if manifest.versions != step.versions:
        return "versions: " + ", ".join(changed_settings(manifest.versions, step.versions))
    return f"{redone} is redone" if redone else "made from another state of the stage before it"


def changed_settings(before: Any, now: Any, where: str = "") -> list[str]:
    """Return `key: old -> new` for each setting that differs between two plain configurations."""
    if isinstance(before, dict) and isinstance(now, dict):
        changes = []
        for key in sorted(before.keys() | now.keys()):
            changes += changed_settings(before.get(key), now.get(key), f"{where}.{key}" if where else key)
        return changes
    return [] if before == now else [f"{where}: {before} -> {now}"]


def run(
    recipe: Recipe,
    archives: list[dict[str, Any]],
    folder: RunFolder,
    engine: Engine,
    watcher: Watcher,
    earlier: Earlier = NO_EARLIER,
) -> list[Manifest]:
    """Run the recipe over `archives` into `folder` and return the manifests of all its stages.

    `earlier` is what the stages did in the earlier runs of the dataset that `folder` is the newest run of.
    Raises WinnowError when a stage cannot run or its ledger does not balance; what was committed stays valid.
    """
    folder.open(recipe.name, VERSION, [stage.name for stage in recipe.stages])
    refuse_foreign_inputs(recipe, archives, folder)
    manifests: list[Manifest] = []
    planned = plan(recipe, archives, folder, earlier)
    for step in planned:
        if not step.skip:
            if isinstance(step.stage, Continued):
                step.stage.check_earlier(step.earlier)
            step.stage.prepare()
    for step in planned:
        committed = folder.manifest(step.stage.name)
        if step.skip and committed is not None:
            watcher.stage_skipped(step, committed)
            manifests.append(committed)
            continue
        manifests.append(_run_stage(step, archives, manifests, folder, engine, watcher))
    return manifests


def refuse_foreign_inputs(recipe: Recipe, archives: list[dict[str, Any]], folder: RunFolder) -> None:
    """Raise RunError when the folder holds a run over entirely other inputs: most likely a mistyped folder."""
    first = folder.manifest(recipe.stages[0].name)
    if first is None:
        return
    before = {entry["path"].rsplit("/", 1)[-1] for entry in first.inputs}
    now = {entry["path"].rsplit("/", 1)[-1] for entry in archives}
    if before and not before & now:
        raise RunError(
            f"{folder.path}: holds a run over other inputs ({min(before)}, ...); give a new folder or remove this one"
        )


def _run_stage(
    step: PlannedStage,
    archives: list[dict[str, Any]],
    manifests: list[Manifest],
    folder: RunFolder,
    engine: Engine,
    watcher: Watcher,
) -> Manifest:
    stage = step.stage
    upstream = manifests[-1] if manifests else None
    target = folder.data(stage.name, step.key)
    if step.why == DAMAGED:
        storage.remove_tree(target.root)
    folder.remove_stale(stage.name, keep=step.key)
    watcher.stage_started(step, target)
    started = time.monotonic()
    context = StageContext(
        stage=stage.name,
        inputs=archives,
        upstream=upstream,
        source=folder.data(upstream.stage, upstream.key) if upstream else target,
        target=target,
        chain={manifest.stage: (manifest, folder.data(manifest.stage, manifest.key)) for manifest in manifests},
        earlier=step.earlier,
        run_pipeline=lambda build, work: engine.run(stage.name, build, work),
        shuffles_in_memory=engine.is_local,
        set_parts=watcher.stage_parts,
    )
    try:
        result = stage.run(context)
        counted = _count(stage, target, result, upstream)
        files = folder.listing(stage.name, step.key)
        manifest = _manifest(step, result, counted, upstream, files, time.monotonic() - started)
        folder.commit(manifest)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(
                f"{folder.path}: no space left while writing stage {stage.name}; nothing was committed"
            ) from error
        raise RunError(f"stage {stage.name}: {error}") from error
    watcher.stage_committed(manifest)
    return manifest


def _count(
    stage: Stage, target: DataFolder, result: StageResult, upstream: Manifest | None
) -> tuple[Counts, PartCounts]:
    """Count the fates from the tables and check them against the parts' own counts and against what was read."""
    told = add_up(
        path for phase in PHASES for path in storage.list_files(target.table(phase)) if path.endswith(".json")
    )
    if result.counts is not None:
        return _balanced(stage, result.counts, upstream), told
    counts = Counts(
        read=told.read,
        kept=sum(_map(count_rows, _parquet(target, stage.kept_table))),
        dropped=_tally(target, "rejected", "reason"),
        failed=_tally(target, "failed", "cause"),
        edits=dict(sorted(told.edits.items())),
    )
    if (counts.kept, counts.dropped, counts.failed) != (told.kept, dict(told.dropped), dict(told.failed)):
        raise RunError(
            f"stage {stage.name}: its tables do not hold what its parts counted; run again with a new folder"
        )
    return _balanced(stage, counts, upstream), told


def _balanced(stage: Stage, counts: Counts, upstream: Manifest | None) -> Counts:
    """Return `counts`, or raise RunError when a record has no fate, two, or one that was not handed over."""
    if not counts.balanced:
        raise RunError(
            f"stage {stage.name}: the ledger does not balance: read {counts.read} is not kept {counts.kept} + dropped"
            f" {sum(counts.dropped.values())} + failed {sum(counts.failed.values())}"
        )
    if upstream is not None and counts.read != upstream.counts.kept:
        raise RunError(
            f"stage {stage.name}: read {counts.read} records, but stage {upstream.stage} kept {upstream.counts.kept}"
        )
    return counts


def _parquet(target: DataFolder, table: str) -> list[str]:
    return [path for path in storage.list_files(target.table(table)) if path.endswith(".parquet")]


def _map(function: Callable[[str], Any], paths: list[str]) -> list[Any]:
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(function, paths))


def _tally(target: DataFolder, table: str, column: str) -> dict[str, int]:
    """Return how often each value of `column` stands in a table."""

    def count(path: str) -> Counter[str]:
        return Counter(value for batch in read_batches(path, [column]) for value in batch.column(column).to_pylist())

    total: Counter[str] = Counter()
    for part in _map(count, _parquet(target, table)):
        total.update(part)
    return dict(sorted(total.items()))


def _manifest(
    step: PlannedStage,
    result: StageResult,
    counted: tuple[Counts, PartCounts],
    upstream: Manifest | None,
    files: dict[str, Any],
    wall_s: float,
) -> Manifest:
    counts, told = counted
    return Manifest(
        stage=step.stage.name,
        key=step.key,
        version=VERSION,
        upstream=upstream.key if upstream else "",
        config=json.loads(json.dumps(step.settings)),
        inputs=step.inputs,
        parts=result.parts,
        counts=counts,
        facts={**{name: told.facts[name] for name in sorted(told.facts)}, **result.facts},
        cpu_s={name: round(ns / 1e9, 3) for name, ns in sorted(told.cpu_ns.items())},
        wall_s=round(wall_s, 3),
        versions=step.versions,
        files=files,
        earlier=step.earlier_keys,
    )
