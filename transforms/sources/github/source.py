"""GitHub as a source: files of repositories, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from schemas.errors import BadRecord
from schemas.records import Header
from transforms.sources.github.containers import entries_of, plan
from transforms.sources.github.entries import judge
from transforms.sources.github.names import is_vcs
from transforms.sources.github.reader import FileReader
from transforms.sources.github.settings import FilesConfig
from transforms.sources.items import Broken, Part, Skipped


@dataclass(frozen=True)
class GitHub:
    """Files of repositories: folders, tar and ZIP archives, tables of The Stack's kind. A document is a file."""

    name: str
    settings: FilesConfig
    kind: ClassVar[str] = "github"
    formats: ClassVar[str] = "folders of repositories, tar, ZIP, Parquet and JSON Lines with a column of files"

    @property
    def reader(self) -> FileReader:
        return FileReader(self.settings)

    @staticmethod
    def leaves_out(relative: str) -> bool:
        """Return whether a file in an input folder is none of a repository: what git keeps for itself."""
        return is_vcs(relative)

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        """Return the parts of some files, (path, bytes) each: whole repositories, archives, ranges of tables."""
        return plan(files, self.settings)

    def scan(self, part: Part) -> Iterator[Header | Skipped | Broken]:
        """Yield, for each file of a part and each place that cannot be read, one item."""
        for row, entry in enumerate(entries_of(part, self.settings)):
            if isinstance(entry, Broken):
                yield replace(entry, row=row)
                continue
            try:
                yield judge(entry, row, self.settings)
            except BadRecord as error:
                yield Broken(
                    row=row, offset=entry.offset, cause=error.cause, detail=error.detail, record_id=entry.record_id
                )
