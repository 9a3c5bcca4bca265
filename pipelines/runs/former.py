"""The former result of a folder: what the last rerun replaced, kept until it is dropped or replaced in turn.

When a run is about to redo stages of a result that is whole, their manifests are kept as DIR/<stage>/former.json, and
their data folders stay; a stage that is not redone is a part of both results. DIR/former.json, written last, names the
stages. A run that is killed and started again, or started with yet other settings before it came to its end, leaves the
former result as it is: what it replaced was never whole. One former result is kept, that of the run before the last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import storage
from pipelines.runs.folder import FORMER, MANIFEST, Manifest, RunFolder
from pipelines.runs.plan import PlannedStage
from schemas.errors import RunError


@dataclass(frozen=True)
class FormerResult:
    """What of a former result the present one does not share."""

    stages: list[str]
    size_bytes: int

    @property
    def plain(self) -> dict[str, Any]:
        return {"stages": self.stages, "bytes": self.size_bytes}


def former_result(folder: RunFolder) -> FormerResult | None:
    """Return what is kept of a folder's former result; None when nothing is."""
    if not folder.former_stages():
        return None
    manifests = _of_former_alone(folder)
    sizes = [int(manifest.files.get("bytes", 0)) for manifest in manifests]
    return FormerResult([manifest.stage for manifest in manifests], sum(sizes))


def _of_former_alone(folder: RunFolder) -> list[Manifest]:
    present = {(manifest.stage, manifest.key) for manifest, _ in folder.committed()}
    former = [manifest for manifest, _ in RunFolder(folder.path, former=True).committed()]
    return [manifest for manifest in former if (manifest.stage, manifest.key) not in present]


def keep_former(folder: RunFolder, planned: Sequence[PlannedStage]) -> None:
    """Keep the folder's result as the former one when the planned stages would replace a part of it."""
    keys = {step.id: step.key for step in planned}
    whole = folder.whole()
    replaced = [manifest for manifest in whole if keys.get(manifest.stage) != manifest.key]
    if not replaced:
        return
    older = folder.former_stages()
    storage.remove_tree(f"{folder.path}/{FORMER}")
    for manifest in replaced:
        storage.write_atomic(f"{folder.stage(manifest.stage)}/{FORMER}", manifest.to_json().encode())
    parts = {manifest.stage for manifest in replaced}
    for stage in [*older, *(manifest.stage for manifest in whole)]:
        if stage not in parts:
            _forget(folder, stage, is_part=stage in keys)
    stages = [manifest.stage for manifest in whole]
    storage.write_atomic(f"{folder.path}/{FORMER}", (json.dumps({"stages": stages}) + "\n").encode())


def drop_former(folder: RunFolder) -> FormerResult:
    """Remove what only the former result of a folder holds, and return it. RunError when there is none."""
    dropped = former_result(folder)
    if dropped is None:
        raise RunError(f"{folder.path}: keeps no former result")
    stages, present = folder.former_stages(), set(folder.stages())
    storage.remove_tree(f"{folder.path}/{FORMER}")
    for stage in stages:
        _forget(folder, stage, is_part=stage in present)
    return dropped


def _forget(folder: RunFolder, stage: str, is_part: bool) -> None:
    """Remove a stage's former commit, and the present one of a stage that is no part of the present result; then the
    data that nothing names any more."""
    present, former = folder.manifest(stage), folder.former_manifest(stage)
    keys = {manifest.key for manifest in (former, None if is_part else present) if manifest is not None}
    storage.remove_tree(f"{folder.stage(stage)}/{FORMER}")
    if not is_part:
        storage.remove_tree(f"{folder.stage(stage)}/{MANIFEST}")
    elif present is not None:
        keys.discard(present.key)
    for key in sorted(keys):
        storage.remove_tree(folder.data(stage, key).root)
