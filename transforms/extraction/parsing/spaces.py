"""White space of a page's source as a browser shows it: runs are one blank, and none where a line ends between two
characters of Han, Kana or Yi, which are written without blanks (CSS Text 3, section 4.1.3; Hangul has blanks)."""

from __future__ import annotations

import re
from typing import Final

# East Asian Width F, W or H, but no Hangul and no emoji.
_WIDE: Final = (
    "\u2e80-\u2fff\u3001-\u312f\u3190-\u4dbf\u4e00-\ua4cf\uf900-\ufaff\ufe10-\ufe1f\ufe30-\ufe6f\uff01-\uff9f\uffe0-\uffe6"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_IS_WIDE: Final = re.compile(f"[{_WIDE}]")
_FIRST_WIDE: Final = "\u2e80"


def collapsed(text: str) -> str:
    """Return a text of the source in one line."""
    if text.isascii():
        return " ".join(text.split())
    joined = ""
    for line in text.splitlines():  # a pattern over the whole text takes four times as long
        line = " ".join(line.split())
        if not line:
            continue
        if joined and not (line[0] >= _FIRST_WIDE and _IS_WIDE.match(line) and _IS_WIDE.match(joined[-1])):
            joined += " "
        joined += line
    return joined


def lines_of(parts: list[str]) -> str:
    """Return texts of the source with a line end at each part that is one (a `br`), none of the source's own."""
    lines = "".join([part if part == "\n" else part.replace("\n", "\r") for part in parts]).split("\n")
    return "\n".join([line for raw in lines if (line := collapsed(raw))])
