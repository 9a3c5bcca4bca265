"""Repositories as folders: which files belong to which, and parts of whole repositories.

The root of a repository is the topmost folder that has a file of which each has one: a licence, a README, a manifest.
Files without such a folder above them belong to the folder below the one that all files have in common.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Final

from storage.files import open_read
from transforms.sources.github.entries import Entry
from transforms.sources.github.settings import FilesConfig
from transforms.sources.items import Part

MAX_PART_FILES: Final = 5000  # of several repositories; one repository is never cut
_MARKS: Final = ("license", "licence", "copying", "unlicense", "readme")
_MANIFESTS: Final = frozenset(
    ("package.json", "pyproject.toml", "setup.py", "setup.cfg", "cargo.toml", "go.mod", "pom.xml", "build.gradle",
     "composer.json", "cmakelists.txt", ".gitignore", ".gitattributes")
)  # fmt: skip


def roots_of(paths: Sequence[str]) -> dict[str, str]:
    """Return the root of the repository of each file."""
    folders = {path: posixpath.dirname(path) for path in paths}
    marked = {folders[path] for path in paths if _is_mark(posixpath.basename(path))}
    common = _common([folder.split("/") for folder in set(folders.values())])
    return {path: _root(folder.split("/"), common, marked) for path, folder in folders.items()}


def marked_roots(paths: Sequence[str]) -> set[str]:
    """Return the folders that have a file by which a repository is known."""
    return {posixpath.dirname(path) for path in paths if _is_mark(posixpath.basename(path))}


def _is_mark(name: str) -> bool:
    return name.lower() in _MANIFESTS or name.lower().startswith(_MARKS)


def _common(folders: Sequence[Sequence[str]]) -> int:
    """Return how many leading folders all have in common."""
    if not folders:
        return 0
    low, high = min(map(list, folders)), max(map(list, folders))
    return next((n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))


def _root(folders: Sequence[str], common: int, marked: set[str]) -> str:
    for depth in range(common, len(folders) + 1):
        folder = "/".join(folders[:depth])
        if folder in marked:
            return folder
    return "/".join(folders[: min(common + 1, len(folders))])


def tree_parts(files: Sequence[tuple[str, int]], config: FilesConfig) -> list[Part]:
    """Return parts of whole repositories; several that are small share one.

    What is a repository must follow from a part alone. So one without a mark has a part of its own.
    """
    roots = roots_of([path for path, _ in files])
    marked = marked_roots([path for path, _ in files])
    repositories: dict[str, list[tuple[str, int]]] = {}
    for path, size in sorted(files):
        repositories.setdefault(roots[path], []).append((path, size))
    parts: list[Part] = []
    held: list[tuple[str, int]] = []
    for root, own in sorted(repositories.items()):
        if root not in marked:
            parts.append(_part(own))
            continue
        size = sum(n for _, n in held) + sum(n for _, n in own)
        if held and (size > config.part_mib << 20 or len(held) + len(own) > MAX_PART_FILES):
            parts.append(_part(held))
            held = []
        held += own
    return sorted([*parts, *([_part(held)] if held else [])], key=lambda part: part.path)


def _part(files: Sequence[tuple[str, int]]) -> Part:
    files = sorted(files)
    return Part(files[0][0], 0, sum(size for _, size in files), tuple(files))


def tree_entries(part: Part, config: FilesConfig) -> Iterator[Entry]:
    """Yield the files of a part of folders, in order."""
    roots = roots_of(part.paths)
    offset = 0
    for path, size in part.files:
        root = roots[path]
        yield Entry(
            repository=name_of(root, config.name_folders),
            path=path[len(root) :].lstrip("/"),
            offset=offset,
            size=size,
            root=root,
            read=lambda limit, path=path: _read(path, limit),  # type: ignore[misc]
        )
        offset += size


def name_of(root: str, folders: int) -> str:
    """Return the name of a repository by the last folders of its path; `owner__name` is owner/name."""
    name = "/".join(root.rstrip("/").split("/")[-folders:]).strip("/")
    return name.replace("__", "/", 1) if name.count("__") == 1 and "/" not in name else name


def _read(path: str, limit: int) -> bytes:
    with open_read(path) as stream:
        return stream.read(limit)
