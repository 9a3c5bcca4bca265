"""What a run would do with each stage, and why.

A stage's key is the hash of its settings, of the outside files it uses, of the code it runs and the libraries that this
code imports (code.py), of the keys of the stages it reads and, in a later run of a dataset, of its own keys in the
earlier ones. If the committed manifest has that key, the stage is skipped.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.runs.code import CodeIdentity, code_identity
from pipelines.runs.folder import DataFolder, Manifest, RunFolder, stage_key
from pipelines.runs.graph import Node, Recipe
from pipelines.runs.stage import Earlier
from schemas.distribution import version
from schemas.settings import to_plain
from storage.listing.inputs import describe_inputs

VERSION = version()
NO_EARLIER: Earlier = {}
DAMAGED = "its files are not those that were committed"
UNCHANGED = "committed and unchanged"
Inputs = list[dict[str, Any]]  # path, size, checksum, source


@dataclass(frozen=True)
class PlannedStage:
    """What a run would do with a stage, and why."""

    node: Node
    upstream: dict[str, str]  # keys of the stages it reads, by id
    inputs: Inputs  # the files it reads: those of its source, then models and lists
    code: CodeIdentity
    earlier: Sequence[tuple[Manifest, DataFolder]] = ()
    skip: bool = False
    why: str = ""

    @property
    def id(self) -> str:
        return self.node.id

    @property
    def files(self) -> Inputs:
        """Those of the run's inputs that the stage reads."""
        return [entry for entry in self.inputs if entry.get("source")]

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        plain: dict[str, Any] = to_plain(dict(self.node.stage.settings))
        return plain

    @property
    def versions(self) -> dict[str, str]:
        return {"winnow": VERSION, **self.code.versions, "source": self.code.digest}

    @property
    def earlier_keys(self) -> list[str]:
        return [manifest.key for manifest, _ in self.earlier]

    @functools.cached_property
    def key(self) -> str:
        return stage_key(self.id, self.config, self.inputs, self.upstream, self.versions, self.earlier_keys)


def plan(recipe: Recipe, inputs: Inputs, folder: RunFolder, earlier: Earlier = NO_EARLIER) -> list[PlannedStage]:
    """Return what a run over `inputs` into `folder` would do, stage by stage."""
    planned: list[PlannedStage] = []
    keys: dict[str, str] = {}
    redone: dict[str, str] = {}  # stages that will run, each with the first one that it follows from
    for node in recipe.nodes:
        files = [entry for entry in inputs if node.source and entry["source"] == node.source]
        resources = [{**entry, "source": ""} for entry in describe_inputs(sorted(node.stage.resources))]
        upstream = {before: keys[before] for before in node.upstream}
        identity = code_identity([*node.stage.code, *([node.route] if node.route else [])])
        step = PlannedStage(node, upstream, files + resources, identity, earlier.get(node.id, ()))
        manifest = folder.manifest(node.id)
        root = next((redone[before] for before in node.upstream if before in redone), "")
        why = _why(manifest, step, root)
        if manifest is not None and not why and folder.listing(node.id, step.key) != manifest.files:
            why = DAMAGED
        planned.append(dataclasses.replace(step, skip=not why, why=why or UNCHANGED))
        if why:
            redone[node.id] = root or node.id
        keys[node.id] = step.key
    return planned


def _why(manifest: Manifest | None, step: PlannedStage, redone: str) -> str:
    """Return why a stage has to run; '' when it has not."""
    if manifest is None:
        return "not done yet"
    if manifest.key == step.key:
        return ""
    changes = changed_settings(manifest.config, step.config)
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
            path = f"{where}.{key}" if where else key
            if key in before and key in now:
                changes += changed_settings(before[key], now[key], path)
            else:
                changes.append(f"{path}: {'new' if key in now else 'gone'}")
        return changes
    return [] if before == now else [f"{where}: {before} -> {now}"]
