"""Brings public lists into a folder, with the settings that name them and a record of what they are.

    DIR/<name>/       the lists, as the rules read them
    DIR/lists.yaml    for `winnow run --config`; its paths are absolute, since relative ones in a config are taken from
                      where the run starts
    DIR/lists.json    of each list: where it is from, its digest, the digests of its files

A list is unpacked beside its place and moved there whole; what fails on the way changes nothing. Its record is written
first: after a crash between the two the files do not match it, and the next fetch makes them anew. What the record
matches is not fetched again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import storage
from pipelines.lists.archives import members, reading
from pipelines.lists.catalogue import CATALOGUE, PublicList
from schemas.errors import ConfigError, InputError
from schemas.settings import merge
from storage.pinned_files import NotHereError, download, fetch_pinned, file_sha256, is_sha256

RECORD, SETTINGS = "lists.json", "lists.yaml"
_SCRATCH = ".fetching-"


@dataclass(frozen=True, kw_only=True)
class FetchedList:
    """The record of one list in a folder."""

    name: str
    origin: str  # name of the pinned file, or the path or address that was given
    sha256: str  # of that file; of a folder, of the list's names and digests
    pinned: bool  # whether that is the catalogue's file
    lines: int
    files: dict[str, str]  # path within the list's folder: SHA-256


def fetch(entry: PublicList, folder: Path, origin: str = "", sha256: str = "") -> tuple[FetchedList, bool]:
    """Bring one list into `folder`; return its record, and whether it is new there.

    `origin` is a path or an address to take it from instead of its pinned file, `sha256` the digest that this must
    have. Raises ConfigError or InputError, in one line. `write_settings` comes after it.
    """
    wanted = _digest(sha256)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder), tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch:
            return _fetch(entry, folder, Path(scratch), origin, wanted)
    except OSError as error:
        raise ConfigError(f"list {entry.name}: {error.filename or folder}: {error.strerror or error}") from None


def write_settings(folder: Path, at: str = "") -> str:
    """Write the config that names the lists of `folder`, and return its path.

    `at` is where runs find the folder, if it is not where it lies: its copy in a bucket. Raises ConfigError.
    """
    path = str(folder / SETTINGS)
    try:
        with _alone(folder):  # one that writes later has read later
            storage.write_atomic(path, _settings_yaml(read_records(folder), at or str(folder.absolute())).encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def _settings_yaml(records: dict[str, FetchedList], root: str) -> str:
    settings: dict[str, Any] = {}
    lines = ["# By `winnow lists fetch`, for `winnow run --config`. The paths are absolute: fetch again after a move."]
    for entry in CATALOGUE:
        if entry.name in records:
            record = records[entry.name]
            settings = merge(settings, entry.layout.settings(storage.join(root, entry.name), record.files))
            whose = f"{entry.provenance}; {entry.licence}" if record.pinned else record.origin
            lines.append(f"# {entry.name}: {' '.join(whose.split())}; SHA-256 {record.sha256}")
    return "\n".join(lines) + "\n" + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def read_records(folder: Path) -> dict[str, FetchedList]:
    """Return the records of the lists in `folder`, by name. Raises ConfigError for a damaged one."""
    path = folder / RECORD
    if not path.exists():
        return {}
    try:
        plain = json.loads(path.read_bytes())
        return {name: FetchedList(name=name, **fields) for name, fields in plain.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        text = " ".join(str(error).split())
        raise ConfigError(f"{path}: not a record of `winnow lists fetch`: {text}; remove the folder") from None


def is_intact(record: FetchedList, folder: Path) -> bool:
    """Return whether the list lies in `folder` as the record says."""
    try:
        return _digests(folder / record.name) == record.files
    except OSError:
        return False


def _fetch(entry: PublicList, folder: Path, scratch: Path, origin: str, wanted: str) -> tuple[FetchedList, bool]:
    records, place = read_records(folder), folder / entry.name
    earlier = records.get(entry.name)
    if earlier is None and place.exists():
        raise ConfigError(f"list {entry.name}: {place} is there already, by another hand; give another --output")
    there = earlier if earlier is not None and is_intact(earlier, folder) else None
    if there is not None and not origin and there.sha256 == entry.file.sha256:
        record = there
    else:
        record = _taken(entry, scratch, origin, wanted, there)
    if record != there:
        records[entry.name] = record
        _write_record(records, folder)
        if place.exists():
            place.rename(scratch / "before")
        (scratch / entry.name).rename(place)
    return record, record != there


def _taken(entry: PublicList, scratch: Path, origin: str, wanted: str, there: FetchedList | None) -> FetchedList:
    """Unpack the list into `scratch`, unless it is what is `there`, and return its record."""
    path = _bring(entry, origin, scratch)
    digest = "" if path.is_dir() else file_sha256(path)
    if there is not None and digest == there.sha256 and wanted in ("", digest):
        return there
    if not path.is_dir() and wanted not in ("", digest):
        raise ConfigError(f"list {entry.name}: {origin}: its SHA-256 is {digest}, not {wanted}")
    record = _unpacked(entry, path, scratch / entry.name, origin, digest)
    if wanted not in ("", record.sha256):
        raise ConfigError(f"list {entry.name}: {origin}: the SHA-256 of its lists is {record.sha256}, not {wanted}")
    return record


def _digest(text: str) -> str:
    digest = text.strip().lower()
    if digest and not is_sha256(digest):
        raise ConfigError(f"--sha256 {text}: not a SHA-256 (64 hexadecimal digits)")
    return digest


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder against other fetches; remove what one that was killed has left."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for left in folder.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left)
        yield
    finally:
        os.close(handle)


def _bring(entry: PublicList, origin: str, scratch: Path) -> Path:
    """Return the local file or folder that holds the list."""
    if not origin:
        return fetch_pinned(entry.file, f"list {entry.name}:")
    if storage.is_local(origin):
        path = storage.local_path(storage.with_home(origin))
        if not path.exists():
            raise InputError(f"{origin}: no such file or folder")
        return path
    target = scratch / "download"
    if storage.is_web(origin):
        try:
            download(origin, target)
        except NotHereError as error:
            raise InputError(f"{origin}: {error}") from None
    else:
        with storage.open_read(origin) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    return target


def _unpacked(entry: PublicList, path: Path, place: Path, origin: str, digest: str) -> FetchedList:
    """Unpack the list into `place` and return its record."""
    place.mkdir()
    with reading(path):
        lines = entry.layout.unpack(members(path), place)
    if not lines:
        raise InputError(f"{origin or path}: holds no list; expected {entry.layout.expected}")
    files = _digests(place)
    return FetchedList(
        name=entry.name,
        origin=_absolute(origin) if origin else entry.file.name,
        sha256=digest or hashlib.sha256("".join(f"{d}  {name}\n" for name, d in files.items()).encode()).hexdigest(),
        pinned=digest == entry.file.sha256,
        lines=lines,
        files=files,
    )


def _absolute(origin: str) -> str:
    return str(storage.local_path(storage.with_home(origin)).absolute()) if storage.is_local(origin) else origin


def _digests(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in paths}


def _write_record(records: dict[str, FetchedList], folder: Path) -> None:
    plain = {name: dataclasses.asdict(record) for name, record in sorted(records.items())}
    for fields in plain.values():
        del fields["name"]
    storage.write_atomic(str(folder / RECORD), (json.dumps(plain, indent=1, ensure_ascii=False) + "\n").encode())
