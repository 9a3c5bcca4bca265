"""The output folder of a run, and the manifests that say what in it is whole.

    DIR/winnow.json                         marker: recipe, version, format
    DIR/inputs.json                         the inputs of the run, written before anything is done with them; those
                                            that could not be read, under `skipped`
    DIR/config.yaml                         the resolved settings of the last run
    DIR/<stage>/manifest.json               the commit: names the data folder; replaced in one atomic write
    DIR/<stage>/former.json                 the manifest that the last rerun replaced, if its result is kept (former.py)
    DIR/former.json                         the stages of that former result
    DIR/<stage>/<key>/<table>/part-*.parquet   the stage's tables (documents, rejected, failed, ...)
    DIR/<stage>/<key>/done/part-*.json      counts of a part; written last, so it says that the part is whole
    DIR/logs/                               Beam's own log, one file a run

A data folder that no manifest names is staging: a killed run leaves it, the next one takes over the parts that are
done or, if the settings changed since, removes it. No rename of folders is needed, so the scheme holds on object
stores as it does on a disk. Later runs of the same dataset are in DIR/runs (pipelines/runs/dataset.py).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import storage
from pipelines.runs.counts import Counts
from schemas.errors import RunError

FORMAT = 2  # of the folder; another one is refused
PART = "part-{:06d}"
ADVICE = "give a new folder"
MANIFEST, FORMER = "manifest.json", "former.json"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The commit of one stage."""

    stage: str  # its id: branch/name
    key: str  # hash of everything the result depends on; names the data folder
    version: str
    upstream: dict[str, str]  # keys of the stages it read, by id; none for the first of a source
    config: dict[str, Any]  # settings as plain data, by the step that reads them
    inputs: list[dict[str, Any]]  # path, size, checksum of the files from outside: archives, models, lists
    parts: int
    counts: Counts
    facts: dict[str, Any] = field(default_factory=dict)  # what later stages need: token counts, shards
    cpu_s: dict[str, float] = field(default_factory=dict)  # CPU seconds by step
    wall_s: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)  # of Python, libraries and our own code
    files: dict[str, Any] = field(default_factory=dict)  # number, bytes and digest of names and sizes of its files
    earlier: list[str] = field(default_factory=list)  # keys of this stage in the dataset's earlier runs, oldest first

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True) + "\n"

    @staticmethod
    def from_json(text: bytes, where: str) -> Manifest:
        try:
            plain = json.loads(text)
            plain["counts"] = Counts.from_plain(plain["counts"])
            return Manifest(**plain)
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{where}: not a manifest of this version of Winnow ({error})") from None


def stage_key(
    stage: str,
    config: Any,
    inputs: list[dict[str, Any]],
    upstream: dict[str, str],
    versions: dict[str, str],
    earlier: Sequence[str] = (),
) -> str:
    """Return the hash of all that a stage's result depends on; `earlier` are its keys in the dataset's earlier runs."""
    parts = [FORMAT, stage, config, inputs, upstream, versions, *([list(earlier)] if earlier else [])]
    plain = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(plain.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class DataFolder:
    """Paths inside the data folder of one stage: `<root>/<table>/part-000007.parquet`."""

    root: str

    def table(self, name: str) -> str:
        return f"{self.root}/{name}"

    def part(self, table: str, part: int, suffix: str = "") -> str:
        return f"{self.root}/{table}/{PART.format(part)}{suffix}.parquet"

    def files(self, table: str) -> list[str]:
        """Return the Parquet files of a table, part by part; none of a table that is not there."""
        folder = self.table(table)
        return [f"{folder}/{name}" for name in storage.list_names(folder) if name.endswith(".parquet")]

    def done(self, part: int, phase: str = "done") -> str:
        return f"{self.root}/{phase}/{PART.format(part)}.json"


@dataclass(frozen=True)
class RunFolder:
    """The output folder of a run; with `former` the result that its last rerun replaced, to be read only."""

    path: str
    former: bool = False

    def stage(self, stage: str) -> str:
        return f"{self.path}/{stage}"

    def data(self, stage: str, key: str) -> DataFolder:
        return DataFolder(f"{self.path}/{stage}/{key}")

    def manifest(self, stage: str) -> Manifest | None:
        """Return the commit of a stage; of a former result the one it had, which may be the present one."""
        return (self.former_manifest(stage) if self.former else None) or self._read_manifest(stage, MANIFEST)

    def former_manifest(self, stage: str) -> Manifest | None:
        """Return the commit of a stage that the last rerun replaced."""
        return self._read_manifest(stage, FORMER)

    def _read_manifest(self, stage: str, name: str) -> Manifest | None:
        path = f"{self.stage(stage)}/{name}"
        return Manifest.from_json(storage.read_bytes(path), path) if storage.exists(path) else None

    def listing(self, stage: str, key: str) -> dict[str, Any]:
        """Return number, bytes and a digest of names and sizes of the files of a stage's data."""
        root = self.data(stage, key).root
        sizes = {path.split(f"/{stage}/{key}/", 1)[-1]: size for path, size in storage.list_sizes(root).items()}
        digest = hashlib.blake2b(json.dumps(sorted(sizes.items())).encode(), digest_size=16).hexdigest()
        return {"count": len(sizes), "bytes": sum(sizes.values()), "digest": digest}

    def commit(self, manifest: Manifest) -> None:
        """Make the stage's data folder the valid one, then remove those it replaces, but for the former result."""
        storage.write_atomic(f"{self.stage(manifest.stage)}/{MANIFEST}", manifest.to_json().encode())
        self.remove_stale(manifest.stage, keep=manifest.key)

    def remove_stale(self, stage: str, keep: str) -> None:
        """Remove the stage's data folders that neither a manifest, its former one included, nor `keep` names."""
        names = storage.list_names(self.stage(stage))
        committed = [self._read_manifest(stage, name) for name in (MANIFEST, FORMER) if name in names]
        named = [manifest.key for manifest in committed if manifest]
        for name in names:
            if name not in (keep, *named, MANIFEST, FORMER):
                storage.remove_tree(f"{self.stage(stage)}/{name}")

    def committed(self) -> list[tuple[Manifest, DataFolder]]:
        """Return the manifests of the committed stages that fit together, in order, each with its data.

        The order is that of the last run. A stage made from another state of those before it is left out, with all that
        follow from it.
        """
        return self._chain(self.stages())

    def whole(self) -> list[Manifest]:
        """Return the manifests of the last run that came to its end, if they are all still there.

        Its stages are those on record, or those before the folder was opened for a run of others.
        """
        for stages in (self._marker().get("before", []), self.stages()):
            chain = self._chain(stages)
            if stages and len(chain) == len(stages):
                return [manifest for manifest, _ in chain]
        return []

    def _chain(self, stages: Sequence[str]) -> list[tuple[Manifest, DataFolder]]:
        chain: dict[str, tuple[Manifest, DataFolder]] = {}
        for stage in stages:
            manifest = self.manifest(stage)
            if manifest is not None and all(
                before in chain and chain[before][0].key == key for before, key in manifest.upstream.items()
            ):
                chain[stage] = (manifest, self.data(stage, manifest.key))
        return list(chain.values())

    def stages(self) -> list[str]:
        """Return the ids of the stages of the last run, or of the former result, in order."""
        if self.former:
            return self.former_stages()
        found: list[str] = self._marker().get("stages", [])
        return found

    def former_stages(self) -> list[str]:
        """Return the ids of the stages of the former result, in order; none when none is kept."""
        path = f"{self.path}/{FORMER}"
        if not storage.exists(path):
            return []
        try:
            stages = json.loads(storage.read_bytes(path))["stages"]
            return [str(stage) for stage in stages]
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}: not a record of a former result ({error})") from None

    def recipe(self) -> str:
        """Return the recipe that made the folder, as `--recipe` names it. RunError when there is none."""
        return str(self._marker()["recipe"])

    def inputs(self) -> list[dict[str, Any]] | None:
        """Return the inputs that the run was begun with; None when there are none on record."""
        if self.former:
            return [entry for manifest, _ in self.committed() for entry in manifest.inputs if entry["source"]]
        path = f"{self.path}/inputs.json"
        if storage.exists(path):
            try:
                recorded = json.loads(storage.read_bytes(path))["inputs"]
                return [{name: entry[name] for name in ("path", "size", "checksum", "source")} for entry in recorded]
            except (ValueError, KeyError, TypeError) as error:
                raise RunError(f"{path}: not a record of a run's inputs ({error})") from None
        return None

    def skipped(self) -> list[dict[str, str]]:
        """Return the inputs that the run left out because they could not be read: path, and why."""
        path = f"{self.path}/inputs.json"
        if self.former or not storage.exists(path):
            return []
        try:
            skipped = json.loads(storage.read_bytes(path)).get("skipped", [])
            return [{"path": str(entry["path"]), "why": str(entry["why"])} for entry in skipped]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{path}: not a record of a run's inputs ({error})") from None

    def record(self, inputs: list[dict[str, Any]], settings: str, skipped: Sequence[dict[str, str]] = ()) -> None:
        """Put the inputs and the settings of the run on record, before anything is done with them.

        `skipped` are the inputs that are left out: path, and why.
        """
        named = {"skipped": list(skipped)} if skipped else {}
        self._keep("inputs.json", json.dumps({"inputs": inputs, **named}, indent=0) + "\n")
        self._keep("config.yaml", settings)

    def _keep(self, name: str, text: str) -> None:
        """Write a file unless it holds that text."""
        path, data = f"{self.path}/{name}", text.encode()
        if not storage.exists(path) or storage.read_bytes(path) != data:
            storage.write_atomic(path, data)

    def finished(self) -> bool:
        """Return whether every stage is committed, over the inputs on record."""
        chain, stages, inputs = self.committed(), self.stages(), self.inputs()
        if inputs is None or not stages or len(chain) < len(stages):
            return False
        read = {(entry["path"], entry["checksum"]) for manifest, _ in chain for entry in manifest.inputs}
        return all((entry["path"], entry["checksum"]) in read for entry in inputs)

    def open(self, recipe: str, version: str, stages: list[str], advice: str = ADVICE) -> None:
        """Create the folder, or check that it is a run of this recipe by this version. Raises RunError."""
        self.check_usable(recipe, version, advice)
        marker = {"format": FORMAT, "recipe": recipe, "version": version, "stages": stages}
        path = f"{self.path}/winnow.json"
        held = self._marker() if storage.exists(path) else {}
        before = held.get("stages", stages)
        if before != stages or "before" in held:
            marker["before"] = before if before != stages else held["before"]
        if held != marker:
            self._mark(marker)

    def settle(self) -> None:
        """Forget which stages the run before had: the one that the folder was opened for has come to its end."""
        marker = self._marker()
        if marker.pop("before", None) is not None:
            self._mark(marker)

    def _mark(self, marker: dict[str, Any]) -> None:
        storage.write_atomic(f"{self.path}/winnow.json", (json.dumps(marker, sort_keys=True) + "\n").encode())

    def check_usable(self, recipe: str, version: str, advice: str = ADVICE) -> None:
        """Raise RunError unless the folder is new, empty, or holds a run of this recipe by this version."""
        if storage.exists(f"{self.path}/winnow.json"):
            self.check(recipe, version, advice=advice)
        elif any(not name.startswith(".") for name in storage.list_names(self.path)):
            raise RunError(f"{self.path}: not empty and not the output of a Winnow run; give a new folder")

    def check(self, recipe: str | None, version: str, *, any_version: bool = False, advice: str = ADVICE) -> None:
        """Raise RunError unless the folder holds a run of this recipe (None: any), written by this version or, to read,
        by any."""
        marker = self._marker()
        found = (marker.get("format"), marker.get("recipe"), marker.get("version"))
        recipe = found[1] if recipe is None else recipe
        if found != (FORMAT, recipe, found[2] if any_version else version):
            raise RunError(
                f"{self.path}: written by Winnow {found[2]}, recipe {found[1]}, format {found[0]}; this is Winnow"
                f" {version}, recipe {recipe}, format {FORMAT}; {advice}"
            )

    def _marker(self) -> dict[str, Any]:
        path = f"{self.path}/winnow.json"
        if not storage.exists(path):
            raise RunError(f"{self.path}: no Winnow run here (winnow.json is missing)")
        try:
            marker = json.loads(storage.read_bytes(path))
        except ValueError:
            marker = None
        if not isinstance(marker, dict) or not {"format", "recipe", "version"} <= marker.keys():
            raise RunError(f"{path}: not the marker of a Winnow run")
        return marker
