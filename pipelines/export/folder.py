"""The folder an export writes: built out of sight, complete when it appears, taken up again after a kill.

On a disk the files are written to a hidden folder beside the target, which is renamed to its place when all are
there. In an object store, which has no rename, they are written in place, and `export.json`, written last, says that
they are complete; until then README.md names no data that a loader could read. A file's record in `.unfinished/`,
written after the file, says that it is done: the next start of the same export passes over it. On the Hugging Face Hub
all files appear in one commit, and wait for it in a temporary folder. A folder that holds anything that no export wrote
is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from fsspec.core import split_protocol

import storage
from pipelines.locks.lock import locked
from schemas.errors import RunError
from storage.network.hub import OWN_FILES, publish

EXPORT, CARD = "export.json", "README.md"
_WORK = ".unfinished"  # records of finished files, and the key of the export that they belong to
_LOCK = ".lock"
_CARD_OF_UNFINISHED = """---
configs:
- config_name: default
  data_files: this-export-is-not-finished
---
This export is not finished. Run the same `winnow export` again.
"""


@dataclass(frozen=True)
class Record:
    """One unit of work that is done: the files it wrote, and what is in them."""

    files: Mapping[str, Mapping[str, Any]]  # bytes and SHA-256, by path below the folder
    counts: Mapping[str, int]


@dataclass(frozen=True)
class ExportFolder:
    """The target of an export; `key` is a hash of all that its bytes depend on."""

    path: str
    key: str
    waiting: str = ""  # temporary folder, for the Hub

    @property
    def root(self) -> str:
        """Where the files are written."""
        if self.waiting:
            return self.waiting
        if not storage.is_local(self.path):
            return self.path
        local = storage.local_path(self.path)
        return str(local.with_name(f".{local.name}.winnow-export"))

    def is_done(self) -> bool:
        """Return whether the folder holds exactly this export. RunError when something else is in it."""
        if storage.is_local(self.path):
            self._check_place()
        beside = set() if storage.is_local(self.path) else {*OWN_FILES} if self.waiting else {_WORK}
        if set(storage.list_names(self.path)) <= beside:
            return False
        here = _read_json(f"{self.path}/{EXPORT}")
        if here is None or not {"key", "files"} <= here.keys():
            if _read_json(f"{self.path}/{_WORK}/{EXPORT}") is not None:
                return False  # an object store's, interrupted
            raise RunError(f"{self.path}: not empty and not written by winnow export; give a new folder")
        is_same = here.get("key") == self.key
        written = {name: int(entry["bytes"]) for name, entry in here["files"].items()}
        found = {_below(self.path, path): size for path, size in storage.list_sizes(self.path).items()}
        for name in found:
            if name not in written and name != EXPORT and name.partition("/")[0] not in beside:
                raise RunError(f"{self.path}: holds {name}, which winnow export did not write; give a new folder")
        for name, size in written.items():
            if found.get(name) != size and not (is_same and name == CARD):  # a card may be added to, and is kept
                raise RunError(f"{self.path}: {name} is not as it was exported; give a new folder or remove this one")
        return is_same

    def _check_place(self) -> None:
        """Raise RunError where no folder can be renamed to."""
        local = storage.local_path(self.path)
        if local.is_symlink() or (local.exists() and not local.is_dir()):
            raise RunError(f"{self.path}: is a {'link' if local.is_symlink() else 'file'}; give a new folder")
        if local.is_mount():
            raise RunError(f"{self.path}: is a mount point, which an export cannot be renamed to; give a folder in it")

    @contextlib.contextmanager
    def begin(self) -> Iterator[dict[str, Record]]:
        """Prepare the folder and hold it; yield the records of an interrupted attempt, by name of the unit."""
        with contextlib.ExitStack() as stack:
            if storage.is_local(self.path):
                stack.enter_context(locked(self.root))
            begun = _read_json(f"{self.root}/{_WORK}/{EXPORT}")
            if begun is None or begun.get("key") != self.key:
                self._clear()
                storage.write_atomic(f"{self.root}/{_WORK}/{EXPORT}", _json({"key": self.key}))
                if self.root == self.path:  # an object store
                    storage.write_atomic(f"{self.root}/{CARD}", _CARD_OF_UNFINISHED.encode())
            yield dict(self._records())

    def _clear(self) -> None:
        """Remove what an attempt with other settings left, and from an object store the export that is replaced."""
        for name in storage.list_names(self.root):
            if name != _LOCK:
                storage.remove_tree(f"{self.root}/{name}")

    def _records(self) -> Iterator[tuple[str, Record]]:
        for name in storage.list_names(f"{self.root}/{_WORK}"):
            plain = _read_json(f"{self.root}/{_WORK}/{name}")
            if name != EXPORT and plain is not None:
                yield name.removesuffix(".json"), Record(**plain)

    def record(self, unit: str, record: Record) -> None:
        """Put on record that a unit is done."""
        storage.write_atomic(f"{self.root}/{_WORK}/{unit}.json", _json(vars(record)))

    def finish(self, records: Mapping[str, Record], card: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Write the card and export.json, show the folder, and return what export.json says. RunError when a file is
        missing or is not ours."""
        files = {path: entry for record in records.values() for path, entry in record.files.items()}
        root = self.root
        there = {_below(root, path): size for path, size in storage.list_sizes(root).items()}
        there = {name: size for name, size in there.items() if not name.startswith((_WORK, _LOCK))}
        wanted = {name: int(entry["bytes"]) for name, entry in files.items()}
        there.pop(CARD, None)
        if there != wanted:
            odd = min(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))
            raise RunError(f"{root}/{odd}: was changed while the export ran; remove {root} and export again")
        files[CARD] = entry_of(card.encode())
        storage.write_atomic(f"{root}/{CARD}", card.encode())
        whole = {"key": self.key, **facts, "files": dict(sorted(files.items()))}
        storage.write_atomic(f"{root}/{EXPORT}", _json(whole))
        if self.waiting:
            older = _read_json(f"{self.path}/{EXPORT}") or {}
            storage.remove_tree(f"{root}/{_WORK}")
            publish(root, self.path, stale=older.get("files", {}))
            return whole
        storage.remove_tree(f"{root}/{_WORK}")
        if root != self.path:
            storage.remove_tree(f"{root}/{_LOCK}")
            self._show()
        return whole

    def _show(self) -> None:
        """Rename the hidden folder to its place; an older export there, or an empty folder, makes room."""
        target = storage.local_path(self.path)
        storage.remove_tree(self.path)
        try:
            storage.local_path(self.root).rename(target)
        except OSError as error:
            raise RunError(f"{self.path}: {self.root} cannot be renamed to it: {error.strerror}") from None
        storage.sync_to_disk(target.parent)


def entry_of(data: bytes) -> dict[str, Any]:
    """Return what export.json says of a small file."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


class HashedFile(io.RawIOBase):
    """Passes bytes on to a file, one after the other, and takes their number and SHA-256."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sha256, self._size = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._sha256.update(data)
        self._size += memoryview(data).nbytes
        return self._file.write(data)

    def tell(self) -> int:
        return self._size

    def entry(self) -> dict[str, Any]:
        """Return what export.json says of the file."""
        return {"bytes": self._size, "sha256": self._sha256.hexdigest()}


@contextlib.contextmanager
def open_hashed(path: str) -> Iterator[HashedFile]:
    """Open a file that appears whole when the block ends, and not at all when it raises."""
    with storage.open_atomic(path) as file:
        yield HashedFile(file)


def _below(root: str, path: str) -> str:
    """Return a file's path below the folder that was listed; stores spell the folder in more than one way."""
    return str(split_protocol(path)[1]).lstrip("/").removeprefix(f"{split_protocol(root)[1].strip('/')}/")


def _json(plain: Any) -> bytes:
    return (json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _read_json(path: str) -> dict[str, Any] | None:
    """Return the JSON object at a path; None when there is none."""
    if not storage.exists(path):
        return None
    try:
        plain = json.loads(storage.read_bytes(path))
    except ValueError:
        return None
    return plain if isinstance(plain, dict) else None
