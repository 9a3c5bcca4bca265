"""Where a book begins and ends in its file.

Project Gutenberg has put its own words around each book since 1971, in many wordings; what is between the last line
that begins a book and the first that ends it is the book. Collected from its archives and from the lists of
`gutenberg` (github.com/c-w/gutenberg, strip_headers) and `gutenbergpy`; ours is by pattern, not by list.

    *** START OF THIS PROJECT GUTENBERG EBOOK, ***START OF THE PROJECT GUTENBERG EBOOK      2000 to now
    *END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*                        1991 to 2003
    End of the Project Gutenberg EBook of..., End of Project Gutenberg's..., *** END OF...
    Ende dieses Projekt Gutenberg Etextes..., Fin du Projet Gutenberg...                    other languages
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

HEAD_SHARE: Final = 0.5  # of the lines within which a book must have begun
_NAME: Final = r"(?:project\s+gutenberg|projekt\s+gutenberg|projet\s+gutenberg|gutenberg\s+(?:ebook|etext))"

_START: Final = re.compile(
    rf"\W{{0,8}}\s*(?:start|beginning)\s+of\s+(?:the|this|th)?\s*{_NAME}"
    rf"|\W{{0,8}}\s*(?:start|beginning)\s+of\s+(?:the|this)\s+(?:ebook|etext)\s+of\b.*\bgutenberg"
    r"|\*?\s*end\s*\*\s*the small print"
    r"|.{0,60}\bsmall print!? for (?:public domain|copyright(?:ed)?) (?:ebooks|etexts)\b.*\*\s*end\s*\*"
    r"|\*\s*end the small print"
    r"|\W{0,8}\s*(?:début|debut)\s+(?:du|de ce)\s+(?:projet|livre|texte)\s.*gutenberg"
    r"|\W{0,8}\s*(?:anfang|beginn)\s+(?:dieses|des)\s+projekt\s+gutenberg",
    re.IGNORECASE,
)
_END: Final = re.compile(
    rf"\W{{0,8}}\s*end\s+of\s+(?:the|this|th)?\s*{_NAME}"
    r"|\W{0,8}\s*end\s+of\s+(?:the|this)\s+(?:ebook|etext)\b.*\bgutenberg"
    r"|\W{0,8}\s*(?:ende|ende des|ende dieses)\s+(?:dieses\s+|des\s+)?projekt\s+gutenberg"
    r"|\W{0,8}\s*fin\s+(?:du|de ce)\s+(?:projet|livre|texte)\b.*gutenberg"
    r"|\W{0,8}\s*(?:fine|fim|fin)\s+d[aeio]\S*\s+(?:progetto|projecto|proyecto)\s+gutenberg"
    r"|\W{0,8}\s*einde\s+van\s+(?:het\s+)?project\s+gutenberg"
    r"|\W{0,8}\s*project\s+gutenberg'?s?\s+(?:etext|ebook)\b.*\bends here"
    r"|\*{3}\s*start:\s*full\s+licen[sc]e"
    r"|\*{5}\s*this file should be named\b"
    r"|updated editions will (?:replace|be renamed)\b",
    re.IGNORECASE,
)


def book_span(lines: Sequence[str]) -> tuple[int, int]:
    """Return the first line of the book and the exclusive last one, among the lines of a file or its blocks' texts.

    Without a marker it is all of the file. Of several that begin a book, as those around the small print and those of a
    collection's head, the last one in the first half counts; a marker that ends it must come behind that.
    """
    starts = [n for n, line in enumerate(lines) if "gutenberg" in (low := line.lower()) or "small print" in low]
    begins = 0
    for n in starts:
        if _START.match(lines[n]) and (n <= HEAD_SHARE * len(lines) or not begins):
            begins = n + 1
    ends = next((n for n in range(begins, len(lines)) if _may_end(lines[n]) and _END.match(lines[n])), len(lines))
    return begins, ends


def _may_end(line: str) -> bool:
    return (
        "utenberg" in line or "UTENBERG" in line or "*" in line[:8] or line.lstrip()[:15].lower() == "updated edition"
    )
