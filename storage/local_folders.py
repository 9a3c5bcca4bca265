"""The files beneath a folder of this machine, those behind links included."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from schemas.errors import InputError

Identity = tuple[int, int]  # device and inode: the same by whatever path


def identity(path: Path) -> Identity:
    """Return what tells that two paths are one folder. Raises OSError."""
    status = path.stat()
    return status.st_dev, status.st_ino


def files_beneath(
    root: Path,
    wanted: Callable[[str], bool] = lambda name: True,
    refuse: Callable[[str, InputError], None] = lambda path, error: None,
    enter: Callable[[Identity], None] = lambda folder: None,
) -> Iterator[tuple[Path, int]]:
    """Yield path and bytes of the files beneath a folder, those behind links to files and folders included.

    A folder that can be reached twice, as by a loop of links, is read once: by the path without links if there is one.
    Names that are not `wanted` are left out with all beneath them. `refuse` is called with what cannot be listed or
    is not there, as behind a broken link; `enter` with each folder, before it is read.
    """
    folders, links = [root], list[Path]()
    seen: set[Identity] = set()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            found = identity(folder)
            entries = [] if found in seen else sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            refuse(str(folder), InputError(f"{folder}: cannot be listed: {error.strerror}"))
            continue
        if found in seen:
            continue
        seen.add(found)
        enter(found)
        for entry in entries:
            if not wanted(entry.name):
                continue
            path = folder / entry.name
            try:
                status = path.stat()
            except OSError as error:
                what = "a link that leads nowhere" if entry.is_symlink() else "cannot be read"
                refuse(str(path), InputError(f"{path}: {what}: {error.strerror}"))
                continue
            if stat.S_ISDIR(status.st_mode):
                (links if entry.is_symlink() else folders).append(path)
            elif stat.S_ISREG(status.st_mode):
                yield path, status.st_size
