"""The words of one language: phrases for the slots of its sentences, and what its sites write around an article.

Every phrase was written for this generator. Slots, one letter each; a capital in a template capitalises the phrase:

    s  who           v  does what ("verb|rest" where word order may part them; {x} is the rest)
    p  where         t  when ({y}: a year, {n}: a small number)
    r  subordinate clause              c  whole clause
    o  opening of a sentence

An advert is put together from a hook, a claim and a call; its slots are a, b, k.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One language: its slots, its sentence templates and the words of its user interfaces."""

    code: str
    slots: dict[str, tuple[str, ...]]
    templates: tuple[str, ...]
    adverts: tuple[str, ...] = ()
    menu: tuple[str, ...]  # links of the navigation bar
    cookies: str
    footer: str
    related: str  # heading of the sidebar
    curse: tuple[str, ...] = ()  # harmless made-up words that stand in for dirty ones
    joiner: str = " "  # between sentences
    elisions: tuple[tuple[str, str], ...] = ()


def phrases(text: str) -> tuple[str, ...]:
    """Split a block of text into its phrases, which semicolons part; line ends count as spaces."""
    return tuple(" ".join(part.split()) for part in text.split(";") if part.strip())
