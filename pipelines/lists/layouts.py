"""How lists lie in the archives that are published, how Winnow's rules want them, and the settings that name them.

An unpacked list is a folder of the files that the rule reads, their lines as published. What no rule reads (READMEs,
UT1's `expressions`) stays behind.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import storage
from pipelines.lists.archives import Member
from schemas.errors import InputError
from transforms.safety.blocklist_files import UT1_CATEGORIES
from transforms.safety.dirty_words import LIST_NAME, parse_list

_UT1_NAMES = ("domains", "urls")
_CATEGORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}")
_CHUNK = 1 << 20
_URL_WORDS = {"banned_words.txt": "words_files", "soft_banned_words.txt": "soft_words_files",
              "banned_subwords.txt": "substrings_files"}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """One kind of list."""

    expected: str  # what an archive must hold
    unpack: Callable[[Iterable[Member], Path], int]  # into a folder; returns how many lines
    settings: Callable[[str, Iterable[str]], Mapping[str, Any]]  # of the folder, where runs find it, and its files


def _unpack_dirty_words(members: Iterable[Member], folder: Path) -> int:
    """Take the files named by a language code (`en`, or `en.json`: an array) of the folder that is highest up."""
    found: dict[int, dict[str, list[str]]] = {}
    for path, stream in members:
        above, _, name = path.rpartition("/")
        language = name.removesuffix(".json")
        if LIST_NAME.fullmatch(language):
            entries = _entries(path, stream.read(), as_json=name != language)
            found.setdefault(above.count("/") + bool(above), {})[language] = entries
    lists = found[min(found)] if found else {}
    for language, entries in lists.items():
        storage.write_atomic(str(folder / language), "".join(f"{entry}\n" for entry in entries).encode())
    return sum(map(len, lists.values()))


def _entries(path: str, data: bytes, as_json: bool) -> list[str]:
    try:
        if not as_json:
            return parse_list(data.decode("utf-8-sig"))
        entries = json.loads(data)
    except ValueError as error:
        raise InputError(f"{path}: not a list of words: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise InputError(f"{path}: not a list of words: expected an array of strings")
    return [entry for text in entries for entry in parse_list(text)]


def _dirty_words_settings(folder: str, _: Iterable[str]) -> dict[str, Any]:
    return {"clean": {"dirty_words": {"directory": folder}}}


def _unpack_ut1(members: Iterable[Member], folder: Path) -> int:
    """Take `<category>/domains` and `urls`, also `.gz`; without a category they become `ut1.domains` and `ut1.urls`.

    Other names of a category (UT1's links: porn for adult) become files that hold its name.
    """
    lines, aliases, depths = 0, [], set()
    for path, stream in members:
        parts = path.split("/")
        kind = parts[-1].removesuffix(".gz")
        if kind in _UT1_NAMES:
            target = _ut1_place(folder, path, parts, kind)
            if not target.exists():  # `domains` and `domains.gz` are the same list
                lines += _copy(stream, target, compressed=parts[-1].endswith(".gz"))
                depths.add(len(parts) - 1)
        elif _CATEGORY.fullmatch(parts[-1]):
            aliases.append((len(parts), parts[-1], stream.read(80).strip()))
    for depth, name, content in aliases:
        category = content.decode("ascii", "replace").removeprefix("./")
        known = _CATEGORY.fullmatch(category) and (folder / category).is_dir()
        if depth in depths and known and not (folder / name).exists():
            storage.write_atomic(str(folder / name), f"{category}\n".encode())
    return lines


def _ut1_place(folder: Path, path: str, parts: list[str], kind: str) -> Path:
    if len(parts) == 1:
        return folder / f"ut1.{kind}"
    if not _CATEGORY.fullmatch(parts[-2]):
        raise InputError(f"{path}: {parts[-2]!r} is no name of a category")
    return folder / parts[-2] / kind


def _copy(stream: IO[bytes], target: Path, compressed: bool) -> int:
    """Write `stream` to `target`; return how many lines it has."""
    lines, last = 0, b"\n"
    source = cast(IO[bytes], gzip.GzipFile(fileobj=stream)) if compressed else stream
    with storage.open_atomic(str(target)) as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last != b"\n")


def _ut1_settings(folder: str, files: Iterable[str]) -> dict[str, Any]:
    found = set(files)
    blocklist: dict[str, Any] = {}
    categories = sorted({path.partition("/")[0] for path in found if "/" in path})
    if categories:
        blocklist["directories"] = [folder]
        if not set(categories) & set(UT1_CATEGORIES):  # an archive of others was chosen on purpose
            blocklist["categories"] = categories
    for kind in _UT1_NAMES:
        if f"ut1.{kind}" in found:
            blocklist[f"{kind}_files"] = [storage.join(folder, f"ut1.{kind}")]
    return {"index": {"blocklist": blocklist}}


def _unpack_url_words(members: Iterable[Member], folder: Path) -> int:
    lines = 0
    for path, stream in members:
        name = path.rpartition("/")[2]
        if name in _URL_WORDS:
            lines += _copy(stream, folder / name, compressed=False)
    return lines


def _url_words_settings(folder: str, files: Iterable[str]) -> dict[str, Any]:
    found = set(files)
    lists = {setting: [storage.join(folder, name)] for name, setting in _URL_WORDS.items() if name in found}
    return {"index": {"blocklist": lists}}


DIRTY_WORDS = Layout("files named by a language code (en, de.json, ...)", _unpack_dirty_words, _dirty_words_settings)
UT1 = Layout("<category>/domains or <category>/urls, or domains and urls alone", _unpack_ut1, _ut1_settings)
URL_WORDS = Layout(f"one of {', '.join(_URL_WORDS)}", _unpack_url_words, _url_words_settings)
