"""Settings of the GitHub source. Llama 1 names three families of licences; the rest is ours or of a cited paper."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.settings import setting, validate

MAX_FILE_BYTES = 1 << 26  # that any setting allows

PERMISSIVE = (
    "MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "BSL-1.0", "Zlib", "Unlicense",
    "CC0-1.0", "PostgreSQL", "X11",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class FilesConfig:
    """Settings of finding files in trees, archives and tables, and of choosing among them by name and first bytes."""

    part_mib: int = setting(
        32, "MiB of files, or of a range of a table, that one worker reads at a time", ge=1, le=4096
    )
    max_file_bytes: int = setting(1 << 20, "bytes a file may have (The Stack: 1 MB)", ge=1024, le=MAX_FILE_BYTES)
    max_archive_mib: int = setting(
        4096, "MiB that an archive's files may have together; more is taken for a bomb (ours)", ge=1, le=1 << 20
    )
    max_archive_files: int = setting(1_000_000, "entries an archive may have (ours)", ge=1)
    languages: tuple[str, ...] = setting(
        (), "languages to keep, by Linguist's names: Python, C++; none: all that are known"
    )
    keep_vendored: bool = setting(False, "keep files in folders of copied libraries: node_modules, vendor... (ours)")
    name_folders: int = setting(
        1, "last folders of a repository's path that name it; 2 for OWNER/NAME (ours)", ge=1, le=4
    )
    text_column: str = setting("", "column of a table with the file; '': content, code or text, the first there is")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class LicenceConfig:
    """Which licences may be used."""

    permitted: tuple[str, ...] = setting(
        PERMISSIVE, "SPDX ids (Llama 1: Apache, BSD, MIT; the others as permissive, ours)"
    )
    keep_unknown: bool = setting(False, "keep files for which no licence, or none that is known, was found")

    def __post_init__(self) -> None:
        validate(self)
