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

    Object stores have no such lock: there whoever schedules the runs sees to it that there is one at a time. Two of the
    same settings would write the same bytes; of others, one would remove what the other has not committed yet.
    """
    if not storage.is_local(folder):
        yield
        return
    path = Path(folder) / ".lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ours = path.exists() or not any(path.parent.iterdir())
        handle = path.open("a+", encoding="utf-8")
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
        try:
            yield
        finally:
            if not (ours or (path.parent / "winnow.json").exists()):
                path.unlink(missing_ok=True)  # a folder of somebody else's is left as it was found


def _holder(path: str) -> str:
    try:
        held = json.loads(Path(path).read_text(encoding="utf-8"))
        return f"process {held['pid']} on {held['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown process"
