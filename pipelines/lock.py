"""One run at a time in an output folder: an advisory lock that the kernel drops when its process dies."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from schemas import storage
from schemas.errors import RunError


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Hold the folder for this process, or raise RunError naming who holds it.

    Object stores have no such lock; there two runs at once write the same bytes under the same keys, which is wasteful
    but does no harm.
    """
    if not storage.is_local(folder):
        yield
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        handle = (Path(folder) / ".lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{folder}: another run is going on here ({_holder(handle.name)})") from None
        handle.truncate(0)
        handle.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        handle.flush()
        yield


def _holder(path: str) -> str:
    try:
        held = json.loads(Path(path).read_text(encoding="utf-8"))
        return f"process {held['pid']} on {held['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown process"
