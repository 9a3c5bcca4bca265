"""Settings of the Wikipedia source."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.settings import setting, validate

MAX_PAGE_BYTES = 1 << 28  # of XML that any setting allows


@dataclass(frozen=True, kw_only=True)
class WikipediaScanConfig:
    """Settings of cutting dumps into parts and of choosing pages."""

    part_mib: int = setting(64, "MiB of the file that a part has at most", ge=1, le=1 << 20)
    namespaces: tuple[int, ...] = setting((0,), "numbers of the namespaces whose pages are kept; 0: articles", ge=-2)
    keep_disambiguation: bool = setting(False, "keep pages that only list the meanings of their title")
    max_page_bytes: int = setting(
        8 << 20, "bytes of XML a page may have (MediaWiki refuses wikitext of over 2 MiB)", ge=1024, le=MAX_PAGE_BYTES
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class WikipediaReadConfig:
    """Settings of turning wikitext into text."""

    title: bool = setting(True, "begin the text with the page's title, as its first heading")
    tables: str = setting(
        "drop", "tables in wikitext; keep: a line a row, cells separated by tabs", choices=("drop", "keep")
    )
    drop_sections: tuple[str, ...] = setting(
        (), "headings of sections to drop with all that is in them, in any case: See also, External links"
    )

    def __post_init__(self) -> None:
        validate(self)
