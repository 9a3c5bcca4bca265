"""Files of data and markup among source files: JSON, YAML, XML, CSV, HTML.

    data_too_short, data_too_long   JSON and YAML of fewer than 50 or more than 5,000 characters    StarCoder
    xml                             `<?xml version=` within the first 100 characters                StarCoder
    table                           CSV: rows are no language                                       ours
    little_visible_text             HTML of which less than a fifth, or 100 characters, is text     StarCoder
    test_fixture                    data in a folder of what tests read                             ours

Source: StarCoder (arXiv:2305.06161, appendix A), DeepSeek-Coder (arXiv:2401.14196, section 2.1). Departures: XML goes
by language as well as by its first line, but for stylesheets (XSLT), which are programs; SVG counts as XML. A notebook,
a lock file or a map is left out before, by its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from schemas.settings import setting, validate
from transforms.step import Drop
from transforms.text.view import ratio

_DATA: Final = frozenset({"JSON", "YAML"})
_FIXTURES: Final = frozenset(
    [
        "fixtures",
        "fixture",
        "__fixtures__",
        "testdata",
        "test_data",
        "test-data",
        "testfiles",
        "snapshots",
        "__snapshots__",
        "cassettes",
        "goldens",
        "golden",
    ]
)
_XML: Final = re.compile(r"<\?xml\s+version=", re.IGNORECASE)
_STYLESHEET: Final = re.compile(r"<xsl:(?:stylesheet|transform)\b")
_UNSEEN: Final = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Limits of what is kept, inclusive."""

    min_chars: int = setting(50, "characters of JSON and YAML at least (StarCoder)", ge=0)
    max_chars: int = setting(5000, "characters of JSON and YAML at most (StarCoder)", ge=1)
    keep_xml: bool = setting(False, "keep XML and SVG")
    keep_tables: bool = setting(False, "keep CSV (ours)")
    min_visible_fraction: float = setting(0.2, "share of an HTML file that is text (StarCoder)", ge=0, le=1)
    min_visible_chars: int = setting(100, "characters of an HTML file's text (StarCoder)", ge=0)
    keep_fixtures: bool = setting(False, "keep data files in folders of test fixtures (ours)")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStats:
    """What the rule looks at; the column `code_data`."""

    kind: str  # data, xml, table, html; '' for everything else
    n_chars: int
    visible_chars: int | None  # of HTML
    fixture: str  # the folder of fixtures that it lies in; '' for none


def measure(text: str, language: str, path: str) -> DataStats:
    """Return what the rule looks at."""
    kind = _kind(text, language)
    visible = len("".join(_UNSEEN.sub(" ", text).split())) if kind == "html" else None
    return DataStats(kind=kind, n_chars=len(text), visible_chars=visible, fixture=_fixture_folder(path) if kind else "")


def _fixture_folder(path: str) -> str:
    return next((folder for folder in path.lower().split("/")[:-1] if folder in _FIXTURES), "")


def _kind(text: str, language: str) -> str:
    if language in _DATA:
        return "data"
    if language == "CSV":
        return "table"
    if language == "HTML" and not _XML.search(text[:100]):
        return "html"
    is_xml = language in ("XML", "SVG") or bool(_XML.search(text[:100]))
    return "xml" if is_xml and not _STYLESHEET.search(text[:2000]) else ""


def decide(stats: DataStats, config: DataConfig) -> Drop | None:
    """Return why a file goes."""
    if stats.fixture and not config.keep_fixtures:
        return Drop("test_fixture", detail=stats.fixture)
    if stats.kind == "xml" and not config.keep_xml:
        return Drop("xml")
    if stats.kind == "table" and not config.keep_tables:
        return Drop("table")
    if stats.kind == "data" and stats.n_chars < config.min_chars:
        return Drop("data_too_short", stats.n_chars, config.min_chars)
    if stats.kind == "data" and stats.n_chars > config.max_chars:
        return Drop("data_too_long", stats.n_chars, config.max_chars)
    if stats.visible_chars is not None:
        share = ratio(stats.visible_chars, stats.n_chars)
        if stats.visible_chars < config.min_visible_chars:
            return Drop("little_visible_text", stats.visible_chars, config.min_visible_chars)
        if share < config.min_visible_fraction:
            return Drop("little_visible_text", share, config.min_visible_fraction)
    return None
