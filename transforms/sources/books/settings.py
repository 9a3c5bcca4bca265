"""Settings of the books source."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.settings import setting, validate

MAX_BOOK_BYTES = 1 << 30  # that any setting allows


@dataclass(frozen=True, kw_only=True)
class BooksScanConfig:
    """Settings of grouping files into parts and of choosing books."""

    part_mib: int = setting(32, "MiB of files that a part has at most, or one file that has more", ge=1, le=1 << 20)
    max_book_bytes: int = setting(
        64 << 20, "bytes a book may have (Webster's Dictionary: 28 MB)", ge=1024, le=MAX_BOOK_BYTES
    )
    keep_copyrighted: bool = setting(
        False, "keep editions whose head says that the text is under copyright (public domain alone: ours)"
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class BooksReadConfig:
    """Settings of turning an edition into the text of its book. All are ours: Llama 1 does not tell."""

    join_lines: bool = setting(True, "join the lines of wrapped paragraphs; verse, tables and lists keep theirs")
    transcriber_notes: str = setting("drop", "notes of those who transcribed the book", choices=("drop", "keep"))
    contents: str = setting("drop", "tables of contents and lists of illustrations", choices=("drop", "keep"))
    captions: str = setting("drop", "[Illustration: ...] and captions of images", choices=("drop", "keep"))
    emphasis: str = setting("drop", "_underscores_ and =signs= around emphasised words", choices=("drop", "keep"))

    def __post_init__(self) -> None:
        validate(self)
