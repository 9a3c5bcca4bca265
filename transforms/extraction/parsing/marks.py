"""What an element's attributes say of it: its names in one, how it is shown, what it spans of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.pieces import TELLING_STYLE

# Attributes that carry information besides the class.
TELLING: Final = names("id role itemprop style hidden aria-hidden aria-modal colspan rowspan")
# Bits of how an element is shown: it says that it is hidden; it is out of sight; it is raised; it is a dialog; it spans
# columns or rows of a table; it is for screen readers alone.
HIDES: Final = 1
UNSHOWN: Final = 2
HIGH: Final = 4
DIALOG: Final = 8
SPANS: Final = 16
ALOUD: Final = 32
# Classes of what is for screen readers alone, as Bootstrap, HTML5 Boilerplate and Tailwind define them. The one of
# WordPress is not among them: the prices of its shops are told apart by nothing else, and without it word F1 falls.
READ_ALOUD: Final = names("sr-only visually-hidden visuallyhidden")
_DIALOGS: Final = frozenset({"dialog", "alertdialog"})
_HIDING: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_INTEGER: Final = re.compile(r"\s*\+?(\d{1,9})", re.ASCII)
_MAX_COLUMNS: Final = 1000  # that a cell spans, as HTML has it
_MAX_ROWS: Final = 65534  # the same


def mark_of(attributes: Mapping[str, str | None]) -> tuple[str, int]:
    """Return an element's class, id, role and itemprop in one, and the bits of how it is shown."""
    get = attributes.get
    mark = get("class") or ""
    if name := get("id"):
        mark = f"{mark} {name}"
    if role := get("role"):
        mark = f"{mark} {role}"
    if prop := get("itemprop"):
        mark = f"{mark} {prop}"
    hidden = HIDES | UNSHOWN if "hidden" in attributes else 0
    if get("aria-hidden") == "true":  # of what screen readers pass over, some is shown
        hidden |= HIDES
    if get("aria-modal") == "true" or (role and role in _DIALOGS):
        hidden |= DIALOG
    if "colspan" in attributes or "rowspan" in attributes:
        hidden |= SPANS
    style = get("style")
    return mark, hidden | _shown_by(style) if style else hidden


@lru_cache(maxsize=4096)
def _shown_by(style: str) -> int:
    """Return the bits that a style says."""
    found = TELLING_STYLE.search(style)
    if found is None:
        return 0
    shown = HIGH if found.lastgroup == "high" else UNSHOWN
    return shown | HIDES | UNSHOWN if _HIDING.search(style) is not None else shown


def spans_of(attributes: Mapping[str, str | None]) -> tuple[int, int]:
    """Return how many columns and rows a cell of a table spans; 0 rows written are all that are left of its part."""
    n_columns = _number(attributes.get("colspan")) or 1
    n_rows = _number(attributes.get("rowspan"))
    return min(n_columns, _MAX_COLUMNS), min(n_rows, _MAX_ROWS) or _MAX_ROWS


def _number(written: str | None) -> int:
    """Return the number that an attribute begins with, 1 when it is none."""
    found = _INTEGER.match(written or "")
    return int(found[1]) if found else 1
