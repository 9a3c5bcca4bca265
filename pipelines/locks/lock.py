"""One run at a time in an output folder.

On a disk it is an advisory lock (flock) that the kernel drops when its process dies; over NFS it holds between hosts.
In an object store it is a lease (pipelines/locks/lease.py). Either way `.lock` in the folder says who holds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

import storage
from pipelines.locks.holder import Holder
from pipelines.locks.lease import leased
from schemas.errors import LockHeldError, RunError

NAME = ".lock"
_SETTLE_S = 1.0  # a holder writes its name within this time of getting the lock


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Hold the folder for this process; LockHeldError naming who holds it, RunError when it cannot be known or is lost.

    Two runs of the same settings would write the same bytes; of others, one would remove what the other has not
    committed yet.
    """
    if not storage.is_local(folder):
        with leased(f"{folder}/{NAME}", f"{folder}/winnow.json", folder):
            yield
        return
    path = storage.local_path(folder) / NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ours = path.exists() or not any(path.parent.iterdir())
        handle = _take(path, folder)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from None
    with handle:
        try:
            yield
        finally:
            if not (ours or (path.parent / "winnow.json").exists()):
                path.unlink(missing_ok=True)  # a folder of somebody else's is left as it was found


def _take(path: Path, folder: str) -> TextIOWrapper:
    """Return the locked file. LockHeldError when another has it."""
    while True:
        handle = path.open("a+", encoding="utf-8")
        try:
            _flock(handle, path, folder)
            if _is_at(handle, path):  # not a file that its last holder has removed meanwhile
                handle.truncate(0)
                handle.write(json.dumps(Holder.us().to_plain()))
                handle.flush()
                os.fsync(handle.fileno())  # or another host of a shared disk would read who held it before
                return handle
        except BaseException:
            handle.close()
            raise
        handle.close()


def _flock(handle: TextIOWrapper, path: Path, folder: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockHeldError(f"{folder}: another run is going on here ({_named(path)})") from None
    except OSError as error:
        raise RunError(f"{folder}: cannot be locked: {error.strerror}; give a folder on another disk") from None


def _is_at(handle: TextIOWrapper, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _named(path: Path) -> str:
    """Return who holds the lock; whoever has just got it is given the time to write its name over the last one's."""
    end = time.monotonic() + _SETTLE_S
    while True:
        try:
            holder = Holder.parse(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            holder = None
        if holder is not None and not holder.is_dead:
            return str(holder)
        if time.monotonic() > end:
            return "unknown process"
        time.sleep(_SETTLE_S / 20)
