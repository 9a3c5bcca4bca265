"""Names of tags and classes, as sets. Class names are compared in lower case and as whole words: `texture`, `context`
and `decode` are everywhere."""

from __future__ import annotations

from functools import lru_cache


def names(text: str) -> frozenset[str]:
    """Return the words of a list of names."""
    return frozenset(text.split())


@lru_cache(maxsize=65536)
def class_names(attribute: str | None) -> frozenset[str]:
    """Return the class names of an element, of its `class` attribute."""
    return frozenset((attribute or "").lower().split())


def pairs(text: str) -> dict[str, str]:
    """Return the words of a list two by two, as keys and values."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))
