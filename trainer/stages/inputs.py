"""What identifies the inputs of a run that are not shards: models that it begins with, folders of rows.

A stage's key has their digests, never their paths. A run's folder keeps the digests, DIR/inputs.json, so that a run
that was moved finds its finished stages where those inputs are not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import storage
from schemas.errors import ConfigError, InputError, RunError
from schemas.identity import content_id
from trainer.data.rows import row_files
from trainer.model.export import weights_sha256

NAME = "inputs.json"
_BLOCK = 1 << 20
Digest = Callable[[str, bool], str]


def content_of(path: str, is_rows: bool) -> str:
    """Return what identifies the rows in a folder, or the weights. ConfigError, InputError when there are none."""
    return content_id(*map(_sha256, row_files([path]))) if is_rows else weights_sha256(Path(path))


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with storage.open_read(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class Inputs:
    """The digests of a run's inputs, each found once."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._kept: dict[str, str] = {}
        if self._path.exists():
            try:
                self._kept = {str(path): str(digest) for path, digest in json.loads(self._path.read_bytes()).items()}
            except (ValueError, AttributeError) as error:
                raise RunError(f"{self._path}: not the inputs of a run ({error})") from None
        self._found: dict[str, str] = {}

    def digest(self, path: str, is_rows: bool) -> str:
        """Return the digest of what lies there now, or, where nothing does, of what the run had read.

        On another machine the path before the folder's name may be another.
        """
        if path not in self._found:
            try:
                self._found[path] = content_of(path, is_rows)
            except (ConfigError, InputError):
                same = {digest for kept, digest in self._kept.items() if Path(kept).name == Path(path).name}
                known = {self._kept[path]} if path in self._kept else same
                if len(known) != 1 or Path(path).exists():
                    raise
                self._found[path] = known.pop()
        return self._found[path]

    def write(self) -> None:
        """Keep the digests in the run's folder."""
        if self._found:
            kept = {**self._kept, **self._found}
            storage.write_atomic(str(self._path), json.dumps(kept, indent=1, sort_keys=True).encode())
