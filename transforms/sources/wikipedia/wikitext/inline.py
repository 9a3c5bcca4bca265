"""Markup within lines: quotes for bold and italics, external links, HTML tags, entities, what removal left behind."""

from __future__ import annotations

import html
import re
from typing import Final

from transforms.sources.wikipedia.names import BEHAVIOUR
from transforms.sources.wikipedia.wikitext.marks import BREAK, DIVISION, GONE, PIECE, QUOTE, QUOTE_END, STORED

_APOSTROPHES: Final = re.compile(r"'{2,}")
_EXTERNAL: Final = re.compile(
    r"\[(?:https?:|ftps?:|mailto:|irc:|news:)?//?[^\s\[\]<>\"]*(?:[ \t]+([^\[\]\n]*))?\]", re.IGNORECASE
)
_POWER: Final = re.compile(r"(?<=[\w)])<sup\b[^<>]*>\s*([+−–-]?\d+)\s*</sup\s*>", re.IGNORECASE)  # 10<sup>6</sup>
_QUOTE_TAG: Final = re.compile(r"<(/?)blockquote\b[^<>]*>", re.IGNORECASE)
_BREAK_TAG: Final = re.compile(r"</?br\b[^<>]*>", re.IGNORECASE)
_DIVISION_TAG: Final = re.compile(r"</?(?:div|p|center|hr|dl|dd|dt|ul|ol|li|h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[a-z][a-z0-9]*\b[^<>]{0,500}>", re.IGNORECASE)
_VARIANT: Final = re.compile(r"-\{([^{}]*)\}-")
_VARIANT_NAME: Final = re.compile(r"\s*(?:[A-Z|]+\|)?\s*[a-z-]{2,12}\s*:\s*([^;]*)")
_HIDDEN: Final = re.compile(r"\s*(?:[A-Z;]*[HT][A-Z;]*|-)\s*\|")
_FLAGS: Final = re.compile(r"\s*[A-Z;]{0,4}\|")
_SEPARATORS: Final = ",;:، 、；，"
_BRACKETED: Final = re.compile(r"[(（]([^()（）]*)[)）]")
_BLANKS: Final = re.compile(r"[ \t\u00a0]{2,}")


def choose_variants(text: str) -> str:
    """Return text in which `-{zh-hans:a; zh-hant:b}-` is its first variant, and `-{x}-` is x."""

    def first(found: re.Match[str]) -> str:
        if _HIDDEN.match(found[1]):
            return ""  # a rule for the page, or for its title: shows nothing
        named = _VARIANT_NAME.match(found[1])
        return named[1].strip() if named else _FLAGS.sub("", found[1], count=1)

    return _VARIANT.sub(first, text) if "-{" in text else text


def plain_tags(text: str) -> str:
    """Return wikitext without HTML tags; quotations, line breaks and divisions leave their signs."""
    if "<" not in text:
        return text
    text = _QUOTE_TAG.sub(lambda found: f"\n{QUOTE_END if found[1] else QUOTE}\n", text)
    text = _POWER.sub(r"^\1", text)  # or 10 to the sixth would be 106
    text = _BREAK_TAG.sub(BREAK, text)
    text = _DIVISION_TAG.sub(DIVISION, text)
    return _TAG.sub("", text)


def plain_line(text: str) -> str:
    """Return a line without marks for bold and italics, external links and entities; stored pieces stay signs."""
    text = BEHAVIOUR.sub(GONE, text)
    text = _EXTERNAL.sub(lambda found: found[1] or GONE, text)
    text = _APOSTROPHES.sub(_apostrophe, text)
    text = html.unescape(text).replace("\u00ad", "")
    return _tidy(text)


def _apostrophe(found: re.Match[str]) -> str:
    """Return what is left of a run of apostrophes: four are one and bold, more than five bold italics and the rest."""
    n = len(found[0])
    return "'" if n == 4 else "'" * max(0, n - 5)


def _tidy(text: str) -> str:
    """Remove what only something that was removed held together: empty brackets, blanks before a comma."""
    if GONE in text:
        for _ in range(3):  # brackets in brackets
            text = _BRACKETED.sub(_without_gone, text)
        text = re.sub(f"[ \t]*{GONE}[ \t]*(?=[,.;:!?)])", "", text)
        text = re.sub(f"(?<=[ (]){GONE}[ \t]*", "", text).replace(GONE, "")
    return _BLANKS.sub(" ", text).strip()


def _without_gone(found: re.Match[str]) -> str:
    inner = found[1]
    if GONE not in inner:
        return found[0]
    pieces = [piece.strip(_SEPARATORS) for piece in re.split(f"{GONE}", inner)]
    kept = " ".join(filter(None, pieces)).strip()
    return f"{found[0][0]}{kept}{found[0][-1]}" if kept else GONE


def is_stored(line: str) -> re.Match[str] | None:
    """Return the sign of a stored piece that is all a line holds."""
    return PIECE.fullmatch(line.strip()) if line.lstrip().startswith(STORED) else None
