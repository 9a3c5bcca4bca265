"""The words around a number: they say what it is, or that it is nobody's."""

from __future__ import annotations

import re

REACH = 60  # characters before a number that may say what it is
_REACH_AFTER = 30  # characters behind it, of its line

# Words right before a number that is no person's. Dolma looks for isbn and doi within 100 characters.
_NAMED_OTHERWISE = re.compile(
    r"\b(?:isbn(?:-?1[03])?|issn|doi|e?an|gtin|upc|asin|sku|mpn|oclc|pmid|pmc|arxiv|lccn|imei|meid|iccid|imsi|cas|patent|version|"
    r"part|serial|model|item|product|article|catalog(?:ue)?|order|invoice|tracking|ticket|case|bug|issue|ref(?:erence)?|"
    r"artikel|bestell|modell|serien|commande|produit|pedido|modelo|zip|postal|transaction|session|request|message|device)"
    r"(?:[ _-]?(?:no|nr|num|number|nummer|code|id|n[o°º]))?[.:#=\s\"']{0,5}\Z|10\.[0-9]{4,9}/\S*\Z"
)
# A number that touches these is part of an address, a name or a longer number.
_GLUED_BEFORE = re.compile(r"[A-Za-z0-9_=&%@$€£¥/\\]\Z|[0-9][.,:]\Z|[A-Za-z0-9][-.]\Z")
_GLUED_AFTER = re.compile(r"[A-Za-z0-9_=&%@€$£¥/\\]|[.,:-][A-Za-z0-9]")


def before(text: str, start: int, reach: int = REACH) -> str:
    """Return what is before a number, in lower case."""
    return text[max(0, start - reach) : start].lower()


def around(text: str, start: int, end: int) -> str:
    """Return what is before a number and, of its line, behind it, in lower case; U+0000 in its place."""
    behind = text[end : end + _REACH_AFTER].partition("\n")[0]
    return f"{before(text, start)}\0{behind.lower()}"


def is_named_otherwise(text: str, start: int) -> bool:
    """Say whether the word right before calls the number an ISBN, a DOI, a part number and the like."""
    return _NAMED_OTHERWISE.search(before(text, start, 30)) is not None


def is_glued(text: str, start: int, end: int) -> bool:
    """Say whether the number is part of an address, of a name or of a longer number."""
    return _GLUED_BEFORE.search(text, max(0, start - 2), start) is not None or _GLUED_AFTER.match(text, end) is not None
