"""Signs that stand for markup between two passes: control characters that XML does not allow, so no text has them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from transforms.sources.wikipedia.site import NO_SITE, Site

STORED, STORED_END = "\x01", "\x02"  # around the number of a piece that later passes must not touch
GONE = "\x04"  # something was removed here
QUOTE, QUOTE_END = "\x05", "\x06"  # lines between these are a quotation
POEM, POEM_END = "\x07", "\x08"  # lines between these are lines of verse
BREAK = "\x0e"  # a line break within a block
DIVISION = "\x0f"  # a new line where that is allowed: not within a list item
ROW = "\x10"  # begins a line that is a row of a table

UNWANTED: Final = re.compile("[\x00-\x08\x0b-\x1f]")
PIECE: Final = re.compile(f"{STORED}(\\d{{1,7}}){STORED_END}")

CODE, LITERAL, FORMULA, DISPLAY = "code", "literal", "formula", "display"


@dataclass(slots=True)
class Context:
    """What the passes over one page share."""

    title: str = ""
    site: Site = NO_SITE
    pieces: list[tuple[str, str]] = field(default_factory=list)  # (CODE, LITERAL, FORMULA or DISPLAY, content)
    counts: Counter[str] = field(default_factory=Counter)

    def store(self, kind: str, content: str) -> str:
        """Keep a piece and return the sign for it."""
        self.pieces.append((kind, content))
        return f"{STORED}{len(self.pieces) - 1}{STORED_END}"
