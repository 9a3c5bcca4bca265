"""Token shards in the folders that the pipeline writes: what the trainer needs to know of them, and no more."""

from __future__ import annotations

import json
from collections.abc import Sequence

import storage
from schemas.errors import InputError, RunError
from schemas.shards import source_of_path

MANIFEST = "shards/manifest.json"


def find_shards(folders: Sequence[str]) -> dict[str, list[str]]:
    """Return the shards under each folder, by source, sorted.

    A folder is a dataset of Winnow (the committed shards of all its runs), or any folder with `source=NAME/*.parquet`.
    InputError for a folder without shards, RunError for a manifest that cannot be read.
    """
    found: dict[str, list[str]] = {}
    for folder in folders:
        roots = [root for run in _runs(folder.rstrip("/")) for root in _committed(run)] or [folder.rstrip("/")]
        paths = [path for root in roots for path in storage.list_files(root) if _is_shard(path)]
        if not paths:
            raise InputError(f"{folder}: no token shards (source=NAME/shard-*.parquet) here")
        for path in paths:
            found.setdefault(source_of_path(path), []).append(path)
    return {source: sorted(paths) for source, paths in sorted(found.items())}


def _is_shard(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return name.startswith("shard-") and name.endswith(".parquet") and folder.rpartition("/")[2].startswith("source=")


def _runs(folder: str) -> list[str]:
    later = [f"{folder}/runs/{name}" for name in storage.list_names(f"{folder}/runs") if name.isdigit()]
    return [folder, *sorted(later)]


def _committed(run: str) -> list[str]:
    """Return the folder of the shards that the run's manifest names; nothing when none are committed."""
    path = f"{run}/{MANIFEST}"
    if not storage.exists(path):
        return []
    try:
        return [f"{run}/shards/{json.loads(storage.read_bytes(path))['key']}"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: not a manifest of Winnow ({error})") from None
