"""Decoded row groups that the ranks of a node share: one of them decodes each, the others map its file.

Every batch cuts each source's tokens among all ranks, so each rank needs nearly every row group. Decoding them in each
rank is as many times the work and the reading as there are ranks, and as many copies in memory.

    <temporary folder>/winnow-rows-UID-PID-RUN/SOURCE-GROUP      PID: of the process that started the ranks

A file is raw numbers (see `_arrays`). It appears under its name when it is whole, and is removed again when newer ones
of its source are enough; who has mapped it keeps it. Nothing depends on the folder: where it cannot be used, a rank
decodes for itself. It goes when the ranks end; those of killed runs go when another run of this user starts here.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from schemas.identity import content_id

PREFIX = "winnow-rows"
FILES = 3  # of a source that stay whatever their size: a batch's end, its middle and the next one's begin


@dataclass(frozen=True, slots=True)
class Decoded:
    """A row group in memory, or mapped."""

    tokens: npt.NDArray[np.uint32]  # [rows, row_tokens]
    doc_ends: list[npt.NDArray[np.int64]]  # a row each
    left_out: list[npt.NDArray[np.bool_]] | None  # a row each, as long as its doc_ends


class SharedGroups:
    """The decoded row groups of a node."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """`limit_bytes`: of each source's files, where there are more than `FILES`."""
        self._folder, self._limit = folder, limit_bytes

    def get(self, source: str, key: str, decode: Callable[[], Decoded]) -> Decoded:
        """Return the row group that `key` names, decoded by whichever rank needs it first."""
        path = self._folder / f"{content_id(source)}-{content_id(key)}"
        try:
            with self._locked(path):
                if not path.exists():
                    decoded = decode()
                    self._put(path, decoded)
                    return _read(path) if path.exists() else decoded
                return _read(path)
        except OSError:  # no room, or the folder is gone: what is shared is a saving, not a need
            return decode()

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Let one rank at a time see to a row group."""
        with (self._folder / f"lock-{path.name[-2:]}").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _put(self, path: Path, decoded: Decoded) -> None:
        staging = path.with_name(f"writing-{path.name}")
        try:
            with staging.open("wb") as file:
                for array in _arrays(decoded):
                    file.write(np.ascontiguousarray(array).data)
            staging.rename(path)
        except OSError:
            staging.unlink(missing_ok=True)
            return
        source = path.name.partition("-")[0]
        files = sorted(self._folder.glob(f"{source}-*"), key=lambda found: found.stat().st_mtime_ns)
        size = sum(found.stat().st_size for found in files)
        for old in files[:-FILES]:
            if size <= self._limit:
                break
            size -= old.stat().st_size
            old.unlink(missing_ok=True)


@functools.cache
def of_node(limit_bytes: int) -> SharedGroups | None:
    """Return what this process shares with the other ranks that torchrun started here; None when it is alone."""
    if int(os.environ.get("LOCAL_WORLD_SIZE", "1")) < 2:
        return None
    root = Path(tempfile.gettempdir())
    mine = f"{PREFIX}-{os.getuid()}-"
    for left in root.glob(f"{mine}*"):
        owner = left.name.removeprefix(mine).partition("-")[0]
        if not _is_alive(owner):
            shutil.rmtree(left, ignore_errors=True)
    run = content_id(os.environ.get("TORCHELASTIC_RUN_ID", ""), _started(os.getppid()))
    folder = root / f"{mine}{os.getppid()}-{run[:8]}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            return None
    except OSError:
        return None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return SharedGroups(folder, limit_bytes)


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _started(process: int) -> str:
    """Return when a process was started, where the system tells: numbers of processes come up again."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _arrays(decoded: Decoded) -> list[npt.NDArray[np.generic]]:
    """Return what a file holds: sizes, documents of each row, ends of documents, tokens, and marks where there are."""
    lengths = np.array([len(ends) for ends in decoded.doc_ends], np.int64)
    sizes = np.array([*decoded.tokens.shape, decoded.left_out is not None], np.int64)
    marks = [] if decoded.left_out is None else [np.concatenate(decoded.left_out)]
    return [sizes, lengths, np.concatenate(decoded.doc_ends), decoded.tokens, *marks]


def _read(path: Path) -> Decoded:
    """Map a file; `_arrays` says what it holds."""
    data = np.memmap(path, np.uint8, mode="r")
    rows, row_tokens, is_marked = (int(n) for n in data[:24].view(np.int64))
    at = 24 + 8 * rows
    cuts = np.cumsum(data[24:at].view(np.int64))
    n_documents = int(cuts[-1])
    ends = data[at : at + 8 * n_documents].view(np.int64)
    at += 8 * n_documents
    tokens = data[at : at + 4 * rows * row_tokens].view(np.uint32).reshape(rows, row_tokens)
    at += 4 * rows * row_tokens
    marks = data[at:].view(np.bool_) if is_marked else None
    by_row = np.split(np.asarray(ends), cuts[:-1])
    return Decoded(np.asarray(tokens), by_row, None if marks is None else np.split(np.asarray(marks), cuts[:-1]))
