"""Keeps what a run writes out of what it reads: an output folder among the inputs is refused.

Otherwise the next run would read the first one's tables as inputs, while they are being replaced.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from schemas.errors import RunError
from storage.files import is_local, is_web, local_path
from storage.local_folders import Identity, identity

_MAGIC = re.compile(r"[*?\[]")
_SAME_STORE = {"s3a://": "s3://", "gcs://": "gs://"}
_WRITTEN = (
    "part-000000.parquet",
    "shard-000000.parquet",
    "manifest.json",
    "config.yaml",
    "beam.log",
)  # in a run folder


def is_hidden(relative: str) -> bool:
    """Return whether a file at this path within an input folder is left out."""
    return any(part.startswith((".", "_")) for part in relative.split("/") if part)


class OwnOutput:
    """The output folder of the run that reads the inputs; '' for none."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._nearest: Identity | None = None  # the folder itself, or the one that it will be made in
        self._real = ""
        if path and is_local(path):
            place = local_path(path).absolute()
            self._real = os.path.realpath(place)
            missing: list[str] = []
            while not place.exists():
                missing.insert(0, place.name)
                place = place.parent
            if not is_hidden("/".join(missing)):
                self._nearest = identity(place)

    def refuse_in(self, item: str) -> None:
        """Raise RunError when the output lies in the remote folder `item`."""
        output, folder = _normal(self._path), _normal(item)
        if f"{output}/".startswith(f"{folder}/") and not is_hidden(output.removeprefix(folder)):
            raise self._error(item)

    def refuse_folder(self, item: str, folder: Identity) -> None:
        """Raise RunError when the output lies in this folder, which the input `item` reads."""
        if folder == self._nearest:
            raise self._error(item)

    def refuse_glob(self, item: str) -> None:
        """Raise RunError when a local glob with `**` would match files of the output, which it may not have yet."""
        parts = Path(local_path(item)).absolute().parts
        fixed = next((n for n, part in enumerate(parts) if _MAGIC.search(part)), len(parts))
        if not self._real or "**" not in parts[fixed:]:
            return
        is_within = Path(self._real).is_relative_to(os.path.realpath(Path(*parts[:fixed])))
        if is_within and any(fnmatch(name, parts[-1]) for name in _WRITTEN):
            raise self._error(item)

    def refuse_files(self, paths: Sequence[str]) -> None:
        """Raise RunError when one of the files that were found lies in the output."""
        if not self._path:
            return
        if is_local(self._path):
            is_there = os.path.isdir(self._real)  # noqa: PTH112  before its first run it holds nothing
            ours = (path for path in paths if is_there and is_local(path) and self._is_beneath(path))
        else:
            ours = (path for path in paths if _normal(path).startswith(f"{_normal(self._path)}/"))
        found = next(ours, None)
        if found is not None:
            raise self._error(found)

    def _is_beneath(self, path: str) -> bool:
        return os.path.realpath(local_path(path)).startswith(f"{self._real}/")

    def _error(self, item: str) -> RunError:
        return RunError(
            f"{self._path}: the output folder is among the inputs ({item}), and its own files would be read; give a"
            " folder outside of them"
        )


def _normal(path: str) -> str:
    """Return a remote path in one spelling."""
    for other, name in _SAME_STORE.items():
        if path.startswith(other):
            path = name + path.removeprefix(other)
    return path if is_web(path) else path.rstrip("/")
