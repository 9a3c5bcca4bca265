"""Runs the stages of a recipe in order: skips what is committed and unchanged, redoes what a change touches.

A stage that has to run does so into the data folder of its key, its counts are taken from the tables it wrote, the
ledger must balance, and its manifest is replaced in one atomic write.
"""

from __future__ import annotations

import errno
import json
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import storage
from pipelines.engines.engine import Engine
from pipelines.runs.counts import DROPPED, FAILED, KEPT, Counts, Fate, PartCounts, add_up
from pipelines.runs.folder import DataFolder, Manifest, RunFolder
from pipelines.runs.former import keep_former
from pipelines.runs.graph import Node, Recipe
from pipelines.runs.plan import DAMAGED, NO_EARLIER, VERSION, Inputs, PlannedStage, plan
from pipelines.runs.stage import PHASES, Earlier, Incremental, Stage, StageContext, StageResult
from pipelines.runs.tables import read_batches
from pipelines.runs.upstream import Upstream
from schemas.errors import RunError

Committed = dict[str, tuple[Manifest, DataFolder]]  # by stage id


class Watcher:
    """What a run tells of its course; the command line draws it, tests ignore it."""

    def run_planned(self, planned: Sequence[PlannedStage]) -> None: ...

    def stage_skipped(self, planned: PlannedStage, manifest: Manifest) -> None: ...

    def stage_started(self, planned: PlannedStage, target: DataFolder) -> None: ...

    def stage_parts(self, parts: int) -> None: ...

    def stage_committed(self, manifest: Manifest) -> None: ...


def run(
    recipe: Recipe,
    inputs: Inputs,
    folder: RunFolder,
    engine: Engine,
    watcher: Watcher,
    earlier: Earlier = NO_EARLIER,
    *,
    skip_unreadable: bool = False,
) -> list[Manifest]:
    """Run the recipe over `inputs` into `folder`, which is open, and return the manifests of all its stages.

    `earlier` is what the stages did in the earlier runs of the dataset that `folder` is the newest run of.
    With `skip_unreadable` an input that cannot be read to its end is a failure there, and the run goes on.
    Raises WinnowError when a stage cannot run or its ledger does not balance; what was committed stays valid.
    """
    refuse_foreign_inputs(recipe, inputs, folder)
    planned = plan(recipe, inputs, folder, earlier)
    engine.user_modules = {name: digest for step in planned for name, digest in step.code.user_modules.items()}
    for step in planned:
        if not step.skip:
            if isinstance(step.node.stage, Incremental):
                step.node.stage.check_earlier(step.earlier)
            step.node.stage.prepare()
    if not all(step.skip for step in planned):
        keep_former(folder, planned)
    watcher.run_planned(planned)
    done: Committed = {}
    for step in planned:
        manifest = folder.manifest(step.id) if step.skip else None
        if manifest is not None:
            watcher.stage_skipped(step, manifest)
        else:
            manifest = _run_stage(step, done, folder, engine, watcher, skip_unreadable)
        done[step.id] = (manifest, folder.data(step.id, manifest.key))
        _check_route(recipe, step.node, done)
    folder.settle()
    return [manifest for manifest, _ in done.values()]


def refuse_foreign_inputs(recipe: Recipe, inputs: Inputs, folder: RunFolder) -> None:
    """Raise RunError when the folder holds a run over entirely other inputs: most likely a mistyped folder."""
    manifests = [folder.manifest(node.id) for node in recipe.nodes if node.source]
    read = [entry["path"] for manifest in manifests if manifest for entry in manifest.inputs if entry["source"]]
    before = {path.rsplit("/", 1)[-1] for path in read}
    now = {entry["path"].rsplit("/", 1)[-1] for entry in inputs}
    if before and not before & now:
        raise RunError(
            f"{folder.path}: holds a run over other inputs ({min(before)}, ...); give a new folder or remove this one"
        )


def _check_route(recipe: Recipe, node: Node, done: Committed) -> None:
    """Raise RunError when the branches of a route, the last of which is `node`, have not read every document once."""
    if node.route is None:
        return
    siblings = [other for other in recipe.nodes if other.route is not None and other.upstream == node.upstream]
    if all(other.id in done for other in siblings):
        handed = sum(done[before][0].counts.kept for before in node.upstream)
        read = sum(done[other.id][0].counts.read for other in siblings)
        if read != handed:
            raise RunError(
                f"route after {node.upstream[0]}: its branches read {read} of {handed} documents; its choice must"
                " depend on the document alone"
            )


def _run_stage(
    step: PlannedStage, done: Committed, folder: RunFolder, engine: Engine, watcher: Watcher, skip_unreadable: bool
) -> Manifest:
    stage = step.node.stage
    upstream = Upstream(tuple(done[before] for before in step.node.upstream), step.node.route, step.node.measures)
    target = folder.data(step.id, step.key)
    if step.why == DAMAGED:
        storage.remove_tree(target.root)
    folder.remove_stale(step.id, keep=step.key)
    watcher.stage_started(step, target)
    started = time.monotonic()
    context = StageContext(
        stage=step.id,
        inputs=step.files,
        upstream=upstream,
        target=target,
        chain=done,
        earlier=step.earlier,
        run_pipeline=lambda build, work: engine.run(step.id, build, work),
        shuffles_in_memory=engine.is_local,
        set_parts=watcher.stage_parts,
        skip_unreadable=skip_unreadable,
    )
    try:
        result = stage.run(context)
        counted = _count(step.id, stage, target, result, upstream)
        files = folder.listing(step.id, step.key)
        manifest = _manifest(step, result, counted, files, time.monotonic() - started)
        folder.commit(manifest)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(
                f"{folder.path}: no space left while writing stage {step.id}; nothing was committed"
            ) from error
        raise RunError(f"stage {step.id}: {error}") from error
    watcher.stage_committed(manifest)
    return manifest


def _count(
    name: str, stage: Stage, target: DataFolder, result: StageResult, upstream: Upstream
) -> tuple[Counts, PartCounts]:
    """Count the fates from the tables and check them against the parts' own counts and against what was read."""
    of_parts = add_up(
        path for phase in PHASES for path in storage.list_files(target.table(phase)) if path.endswith(".json")
    )
    if result.counts is not None:
        return _balanced(name, result.counts, of_parts, upstream), of_parts
    fates = {
        **_tally(target, stage.kept_table, KEPT, ""),
        **_tally(target, "rejected", DROPPED, "reason"),
        **_tally(target, "failed", FAILED, "cause"),
    }
    if fates != {fate: n for fate, n in of_parts.fates.items() if n}:
        raise RunError(f"stage {name}: its tables do not hold what its parts counted; run again with a new folder")
    counts = Counts.of(of_parts.read, fates, of_parts.edits, of_parts.text_bytes)
    return _balanced(name, counts, of_parts, upstream), of_parts


def _balanced(name: str, counts: Counts, of_parts: PartCounts, upstream: Upstream) -> Counts:
    """Return `counts`, or raise RunError when a record has no fate, two, or one that was not handed over."""
    wrong = counts.unbalanced()
    if wrong:
        raise RunError(f"stage {name}: the ledger does not balance: {wrong[0]}")
    handed = upstream.counts.kept
    read = counts.read + of_parts.not_routed
    if upstream.stages and read != handed:
        raise RunError(f"stage {name}: read {read} records, but {handed} were kept before it")
    return counts


def _tally(target: DataFolder, table: str, fate: str, reason: str) -> dict[Fate, int]:
    """Return how often each source, language and reason occurs in a table."""

    def count(path: str) -> Counter[Fate]:
        found: Counter[Fate] = Counter()
        for batch in read_batches(path, ["source", "language", *([reason] if reason else [])]):
            names = batch.schema.names
            columns = [
                batch.column(name).to_pylist() if name in names else [""] * batch.num_rows
                for name in ("source", "language", reason)
            ]
            found.update(Fate(source, language, fate, why) for source, language, why in zip(*columns, strict=True))
        return found

    total: Counter[Fate] = Counter()
    with ThreadPoolExecutor(max_workers=16) as pool:
        for part in pool.map(count, target.files(table)):
            total.update(part)
    return dict(total)


def _manifest(
    step: PlannedStage, result: StageResult, counted: tuple[Counts, PartCounts], files: dict[str, Any], wall_s: float
) -> Manifest:
    counts, of_parts = counted
    return Manifest(
        stage=step.id,
        key=step.key,
        version=VERSION,
        upstream=step.upstream,
        config=json.loads(json.dumps(step.config)),
        inputs=step.inputs,
        parts=result.parts,
        counts=counts,
        facts=result.facts,
        cpu_s={name: round(ns / 1e9, 3) for name, ns in sorted(of_parts.cpu_ns.items())},
        wall_s=round(wall_s, 3),
        versions=step.versions,
        files=files,
        earlier=step.earlier_keys,
    )
