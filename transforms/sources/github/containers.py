"""What a part is of: folders, an archive or a table; and its files, whichever it is."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from schemas.errors import BadRecord
from storage.files import open_read
from transforms.sources.formats import plan_parts
from transforms.sources.github.archives import ARCHIVE_NAME, archive_entries
from transforms.sources.github.entries import Entry
from transforms.sources.github.settings import FilesConfig
from transforms.sources.github.tables import TABLE_NAME, table_records
from transforms.sources.github.trees import marked_roots, tree_entries, tree_parts
from transforms.sources.items import Broken, Part


def plan(files: Sequence[tuple[str, int]], config: FilesConfig) -> list[Part]:
    """Return the parts of some files, (path, bytes) each.

    An archive or a table that lies in a repository is a file of it, like any other.
    """
    loose = [(path, size) for path, size in files if not _is_container(path)]
    roots = marked_roots([path for path, _ in loose])
    containers: list[tuple[str, int]] = []
    for path, size in files:
        if _is_container(path):
            inside = any(folder in roots for folder in _folders(path))
            (loose if inside else containers).append((path, size))
    archives = [Part(path, 0, size) for path, size in containers if ARCHIVE_NAME.search(path)]
    tables = plan_parts([file for file in containers if TABLE_NAME.search(file[0])], config.part_mib << 20)
    return sorted([*archives, *tables, *tree_parts(loose, config)], key=lambda part: (part.path, part.start))


def _is_container(path: str) -> bool:
    name = posixpath.basename(path)
    return bool(ARCHIVE_NAME.search(name) or TABLE_NAME.search(name))


def _folders(path: str) -> Iterator[str]:
    while (folder := posixpath.dirname(path)) != path:
        yield folder
        path = folder


def is_table(part: Part) -> bool:
    """Return whether a part is one of a table."""
    return not part.files and bool(TABLE_NAME.search(posixpath.basename(part.path)))


def entries_of(part: Part, config: FilesConfig) -> Iterator[Entry | Broken]:
    """Yield the files of a part in order, each with one item, and a Broken for a place that cannot be read."""
    if part.files:
        yield from tree_entries(part, config)
        return
    with open_read(part.path) as stream:
        if is_table(part):
            yield from table_records(stream, part, config)
            return
        n = 0
        try:
            for entry in archive_entries(stream, part.path, config):
                yield entry
                n += 1
        except BadRecord as error:
            yield Broken(row=n, offset=0, cause=error.cause, detail=error.detail)
