"""arXiv as a source: its tarballs of submissions, single submissions, folders of TeX files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas.records import Header
from transforms.sources.arxiv.identity import identity_of
from transforms.sources.arxiv.main_file import is_withdrawn, main_file
from transforms.sources.arxiv.settings import ArxivScanConfig
from transforms.sources.arxiv.submissions import Submission, submissions, units_of
from transforms.sources.formats import MIN_PART_BYTES, PARTS
from transforms.sources.items import Broken, Part, Skipped
from transforms.sources.source import Reader
from transforms.sources.strings import storable


@dataclass(frozen=True)
class Arxiv:
    """Papers as their authors wrote them, one record each.

    Left out: `withdrawn` (a notice is all there is), `pdf_only`, `postscript_only`, `not_tex` (no TeX file),
    `no_main_file` (none of them begins a document), `oversized_paper`, `too_many_files`. Broken: `truncated_member`,
    `corrupt_member` (gzip), `truncated_tar`, `corrupt_tar`, `empty_file`.
    """

    name: str
    settings: ArxivScanConfig
    reader: Reader  # transforms.sources.arxiv.reader.PaperReader
    kind: ClassVar[str] = "arxiv"
    formats: ClassVar[str] = "tarballs and .gz files of LaTeX, folders of TeX files"

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        """Return parts of whole files, (path, bytes) each: small ones together, the files of a folder never apart."""
        total = sum(size for _, size in files)
        wanted = min(max(-(-total // PARTS), MIN_PART_BYTES), self.settings.part_mib << 20)
        groups: list[list[tuple[str, int]]] = []
        filled = wanted
        for unit in units_of(files):
            size = sum(size for _, size in unit)
            if filled + size > wanted:
                groups.append([])
                filled = 0
            groups[-1] += unit
            filled += size
        return [Part.of_files(group) for group in groups]

    def scan(self, part: Part) -> Iterator[Header | Skipped | Broken]:
        """Yield one item for each submission of a part."""
        for row, submission in enumerate(submissions(part, self.settings)):
            yield _item(submission, row)


def _item(submission: Submission, row: int) -> Header | Skipped | Broken:
    found = identity_of(submission.name)
    record_id = found.id + (f"v{found.version}" if found.version else "") or _short(submission.name)
    if submission.failure is not None:
        return Broken(
            row=row, offset=submission.offset, cause=submission.failure.cause, detail=submission.failure.detail,
            record_id=record_id, url=found.url,
        )  # fmt: skip
    reason = submission.reason
    if not reason and is_withdrawn(submission.files):
        reason = "withdrawn"
    if not reason and not main_file(submission.files):
        reason = "no_main_file"
    if reason:
        return Skipped(
            row=row, offset=submission.offset, record_id=record_id, url=found.url, reason=reason,
            value=submission.value, limit=submission.limit,
        )  # fmt: skip
    return Header(
        row=row,
        offset=submission.offset,
        length=submission.size,
        record_id=record_id,
        url=found.url,
        fetched_at=submission.changed or found.submitted,
        kind="latex",
        media_type="application/x-tex",
        digest=_digest(submission),
    )


def _short(name: str) -> str:
    """Return the name of a folder, or that of a file within its folder: ids do not depend on where a corpus lies."""
    parts = name.rstrip("/").split("/")
    return storable("/".join(parts[-1:] if name.endswith("/") else parts[-2:]))


def _digest(submission: Submission) -> str:
    """Return the SHA-1 of a submission as it is stored, of a folder that of its texts by name."""
    digest = hashlib.sha1(submission.stored, usedforsecurity=False)
    if not submission.stored:
        for name in sorted(submission.files):
            digest.update(name.encode("utf-8", "replace") + b"\0" + submission.files[name] + b"\0")
    return f"sha1:{base64.b32encode(digest.digest()).decode()}"
