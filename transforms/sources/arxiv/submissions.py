"""Submissions in files: tarballs of arXiv's bulk data, single .gz files, tarballs and folders of one paper.

    arXiv_src_2001_001.tar     a tarball of submissions: NNNN.NNNNN.gz (a TeX file, or a tarball), NNNN.NNNNN.pdf
    2001.00001.gz, .tar.gz, .tar, 2001.00001     one submission
    folder/main.tex ...        a folder of TeX files, and all below it, is one paper; a folder whose TeX files are all
                               documents of their own is as many papers
Nothing is ever written to disk: names in a tarball are keys and no more. Links and devices in it are passed over, what
is larger than the settings allow is left out without being inflated further.
"""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import BinaryIO, Final

from schemas.errors import BadRecord
from storage.files import open_read, read_bytes
from transforms.sources.arxiv.main_file import main_file
from transforms.sources.arxiv.settings import ArxivScanConfig
from transforms.sources.items import Part
from transforms.sources.members import GZIP, RawFile, codec_of, inflate

_TEX: Final = re.compile(r"\.(?:tex|ltx|latex)$", re.IGNORECASE)
_READ: Final = re.compile(
    r"\.(?:tex|ltx|latex|txt|bbl|sty|def|tikz|pstex_t|pdf_tex|inc|tex_t)$|/?00readme[^/]*$|(?:^|/)[^./]+$",
    re.IGNORECASE,
)
_CONTAINER: Final = re.compile(r"\.(?:tar|tgz|gz)$", re.IGNORECASE)
_PACKED_FILE: Final = re.compile(r"\.(?:e?ps|dat|txt|csv|fits|bib|png|pdf|bbl|data)\.gz$", re.IGNORECASE)
_OF_ARXIV: Final = re.compile(
    r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?[-_]?\d{7}|\d{7})(?:v\d+)?(?:\.(?:tar\.gz|tgz|tar|gz|pdf|ps\.gz))?$",
    re.IGNORECASE,
)
_CLASS: Final = re.compile(rb"^[^%\n]*\\document(?:class|style)(?![A-Za-z])", re.MULTILINE)
_READS: Final = re.compile(rb"\\(?:input|include|subfile|import)(?![A-Za-z])")
_TAR_MAGIC: Final = b"ustar"
_TAR_MAGIC_AT: Final = 257
_FORMATS: Final = (
    (b"%PDF", "pdf_only"), (b"%!PS", "postscript_only"), (b"\x04%!PS", "postscript_only"), (b"PK\x03\x04", "not_tex"),
    (b"<!DOCTYPE", "not_tex"), (b"<html", "not_tex"), (b"\x89PNG", "not_tex"), (b"\xff\xd8\xff", "not_tex"),
)  # fmt: skip


@dataclass(slots=True)
class Submission:
    """One submission: its files by name, or why there are none."""

    name: str  # of the file that it is, or of its folder
    offset: int  # where it begins in its part
    size: int = -1  # bytes as stored
    files: dict[str, bytes] = field(default_factory=dict)
    stored: bytes = b""  # what its digest is of: the file as it is stored, or ''
    changed: datetime | None = None  # when it was last changed, where a tarball says so
    reason: str = ""  # why it is left out
    value: float | None = None
    limit: float | None = None
    failure: BadRecord | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a tree, before it is read. `read` may raise BadRecord."""

    name: str
    size: int
    offset: int
    read: Callable[[], bytes]
    changed: datetime | None = None


def units_of(files: Sequence[tuple[str, int]]) -> list[list[tuple[str, int]]]:
    """Return the files, (path, bytes) each, in groups that must be read together: a container alone, a folder whole."""
    loose = [path for path, _ in files if not is_container(path)]
    roots = _roots(loose)
    groups: dict[str, list[tuple[str, int]]] = {}
    for path, size in sorted(files):
        groups.setdefault(path if is_container(path) else _root_of(path, roots) or path, []).append((path, size))
    return list(groups.values())


def is_container(path: str) -> bool:
    """Return whether a file is read as a submission, or as a tarball of them, and not as a file of one."""
    name = posixpath.basename(path)
    return bool((_CONTAINER.search(name) and not _PACKED_FILE.search(name)) or _OF_ARXIV.match(name))


def _roots(paths: Sequence[str]) -> set[str]:
    """Return the highest folders that hold a TeX file."""
    folders = {posixpath.dirname(path) for path in paths if _TEX.search(path)}
    return {folder for folder in folders if _root_of(posixpath.dirname(folder), folders) is None or not folder}


def _root_of(path: str, roots: set[str]) -> str | None:
    """Return the folder of `roots` that holds a file or a folder, the highest of several."""
    found, folder = None, path
    while True:
        if folder in roots:
            found = folder
        above = posixpath.dirname(folder)
        if above == folder:
            return found
        folder = above


def submissions(part: Part, config: ArxivScanConfig) -> Iterator[Submission]:
    """Yield the submissions of a part in order. InputError when a file cannot be read at all."""
    loose: list[_Entry] = []
    places = list(zip(part.paths, part.starts, strict=True))
    sizes = dict(part.files)
    for path, offset in places:
        if is_container(path):
            yield from _of_tree(loose, config)
            loose = []
            yield from _of_container(path, offset, config)
        else:
            loose.append(_Entry(path, sizes.get(path, -1), offset, lambda path=path: read_bytes(path)))  # type: ignore[misc]
    yield from _of_tree(loose, config)


def _of_container(path: str, offset: int, config: ArxivScanConfig) -> Iterator[Submission]:
    name = posixpath.basename(path)
    with open_read(path) as stream:
        head = stream.read(512)
        if _is_tar(head):
            stream.seek(0)
            yield from _of_tar(stream, name, offset, config)
            return
        stream.seek(0)
        data = stream.read(config.max_paper_bytes + 1)
        size = stream.seek(0, 2)
    yield _of_bytes(data, name, offset, size, config)


def _is_tar(head: bytes) -> bool:
    return head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == _TAR_MAGIC


def _of_tar(stream: BinaryIO, name: str, offset: int, config: ArxivScanConfig) -> Iterator[Submission]:
    """Yield the submissions of a tarball: the one that it is, or those that it holds."""
    try:
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            entries, broken = _entries(tar, offset)
            tex = [entry for entry in entries if _TEX.search(entry.name)]
            held = [entry for entry in entries if is_container(entry.name) or entry.name.lower().endswith(".pdf")]
            if tex or not held:
                found = list(_of_tree(entries, config, default=name))
                for submission in found:
                    if broken is not None and len(found) == 1:
                        submission.failure = broken  # of one paper a piece is not enough
                    yield submission
                if broken is not None and len(found) != 1:
                    yield Submission(name, offset, failure=broken)
                return
            for entry in entries:
                yield _of_entry(entry, config)
            if broken is not None:
                yield Submission(name, entries[-1].offset if entries else offset, failure=broken)
    except (tarfile.TarError, OSError, EOFError, ValueError, UnicodeError) as error:
        yield Submission(name, offset, failure=BadRecord("corrupt_tar", " ".join(str(error).split())[:200]))


def _entries(tar: tarfile.TarFile, offset: int) -> tuple[list[_Entry], BadRecord | None]:
    """Return the files of a tarball, and what broke it off."""
    entries: list[_Entry] = []
    broken: BadRecord | None = None
    try:
        entries.extend(_entry(tar, member, offset) for member in tar if member.isfile())  # what is before a break stays
    except (tarfile.TarError, OSError, EOFError, ValueError, UnicodeError) as error:
        broken = BadRecord("truncated_tar", " ".join(str(error).split())[:200])
    return entries, broken


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo, offset: int) -> _Entry:
    name = posixpath.normpath("/" + member.name).lstrip("/")
    changed = datetime.fromtimestamp(member.mtime, UTC) if 0 < member.mtime < 1 << 33 else None
    return _Entry(name, member.size, offset + member.offset, lambda: _member(tar, member), changed)


def _member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    try:
        stream = tar.extractfile(member)
        data = stream.read() if stream is not None else b""
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise BadRecord("truncated_tar", " ".join(str(error).split())[:200]) from None
    if len(data) < member.size:
        raise BadRecord("truncated_tar", f"{member.size - len(data)} of its {member.size} bytes are missing")
    return data


def _of_entry(entry: _Entry, config: ArxivScanConfig) -> Submission:
    """Return the submission that a file of a tarball is."""
    if entry.size > config.max_paper_bytes:
        return Submission(
            entry.name,
            entry.offset,
            entry.size,
            reason="oversized_paper",
            value=entry.size,
            limit=config.max_paper_bytes,
        )
    try:
        submission = _of_bytes(entry.read(), entry.name, entry.offset, entry.size, config)
    except BadRecord as error:
        return Submission(entry.name, entry.offset, entry.size, failure=error)
    submission.changed = entry.changed
    return submission


def _of_bytes(data: bytes, name: str, offset: int, size: int, config: ArxivScanConfig) -> Submission:
    """Return the submission in the bytes of one file: TeX, or a tarball, either compressed or not."""
    submission = Submission(name, offset, size, stored=data)
    if not data:
        submission.failure = BadRecord("empty_file", "the file has no bytes")
        return submission
    try:
        if data.startswith(GZIP):
            data = _inflated(data, config.max_paper_bytes)
    except BadRecord as error:
        submission.failure = error
        return submission
    if len(data) > config.max_paper_bytes:
        submission.reason, submission.value, submission.limit = "oversized_paper", len(data), config.max_paper_bytes
        return submission
    if not _is_tar(data[:512]):
        submission.reason = next((reason for sign, reason in _FORMATS if data.startswith(sign)), "")
        if not submission.reason and b"\0" in data[:4096]:
            submission.reason = "not_tex"
        if not submission.reason:
            submission.files = {f"{posixpath.basename(name).split('.gz')[0]}.tex": data}
        return submission
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            entries, broken = _entries(tar, 0)
            submission.failure = broken
            _fill(submission, entries, config)
    except (tarfile.TarError, OSError, EOFError, ValueError, UnicodeError) as error:
        submission.failure = BadRecord("corrupt_tar", " ".join(str(error).split())[:200])
    return submission


def _inflated(data: bytes, limit: int) -> bytes:
    """Return the content of gzip members, of a bomb not more than one byte above `limit`."""
    raw = RawFile(io.BytesIO(data))
    codec = codec_of(GZIP, raw)
    out: list[bytes] = []
    n_bytes = 0
    while raw.peek(3) == GZIP:
        for piece in inflate(raw, codec):
            out.append(piece)
            n_bytes += len(piece)
            if n_bytes > limit:
                return b"".join(out)[: limit + 1]
    return b"".join(out)


def _fill(submission: Submission, entries: Sequence[_Entry], config: ArxivScanConfig) -> None:
    """Read the texts of a submission; say why there are none, or too many."""
    if len(entries) > config.max_files:
        submission.reason, submission.value, submission.limit = "too_many_files", len(entries), config.max_files
        return
    wanted = [entry for entry in entries if _READ.search(entry.name)]
    total = sum(max(0, entry.size) for entry in wanted)
    if total > config.max_text_bytes:
        submission.reason, submission.value, submission.limit = "oversized_paper", total, config.max_text_bytes
        return
    if not any(_TEX.search(entry.name) for entry in wanted):
        names = [entry.name.lower() for entry in entries]
        bare = [entry for entry in wanted if "." not in posixpath.basename(entry.name) or entry.name.endswith(".txt")]
        if not bare or any(name.endswith((".pdf", ".docx")) for name in names):
            pdf = any(name.endswith(".pdf") for name in names)
            postscript = any(name.endswith((".ps", ".ps.gz", ".eps")) for name in names)
            submission.reason = "pdf_only" if pdf else "postscript_only" if postscript else "not_tex"
            return
    for entry in wanted:
        try:
            submission.files[entry.name] = entry.read()
        except BadRecord as error:
            submission.failure = error
            return


def _of_tree(entries: Sequence[_Entry], config: ArxivScanConfig, default: str = "") -> Iterator[Submission]:
    """Yield the papers of a folder, or of a tarball of folders; a file that belongs to none is left out by itself."""
    roots = _roots([entry.name for entry in entries])
    groups: dict[str, list[_Entry]] = {}
    for entry in entries:
        root = _root_of(posixpath.dirname(entry.name), roots)
        groups.setdefault(entry.name if root is None else f"{root}/", []).append(entry)
    for root, group in groups.items():
        first = min(group, key=lambda entry: entry.offset)
        name = default if default and len(groups) == 1 else root
        submission = Submission(name, first.offset, sum(max(0, entry.size) for entry in group), changed=first.changed)
        if not root.endswith("/"):
            lower = root.lower()
            submission.reason = "pdf_only" if lower.endswith(".pdf") else "not_tex"
            yield submission
            continue
        inside = [replace(entry, name=entry.name.removeprefix(root).lstrip("/")) for entry in group]
        _fill(submission, inside, config)
        main = main_file(submission.files)
        submission.offset = next((entry.offset for entry in inside if entry.name == main), submission.offset)
        documents = [name for name in submission.files if _TEX.search(name)]
        alone = len(documents) > 1 and all(
            _CLASS.search(submission.files[name]) and not _READS.search(submission.files[name]) for name in documents
        )
        if not alone or submission.reason or submission.failure:
            yield submission
            continue
        for entry in inside:
            if entry.name in documents:
                yield Submission(
                    f"{root}{entry.name}", entry.offset, entry.size, {entry.name: submission.files[entry.name]},
                    changed=entry.changed,
                )  # fmt: skip
