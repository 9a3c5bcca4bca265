"""Which licence a text is.

Short licences are compared as words: a text is one when nearly all of its runs of four words are there, and little is
there besides. What is left over counts: a licence with a clause of its own (no military use, "Commons Clause") is
another licence, and none that is known. Long ones are recognised by title and length, copyleft ones by title alone:
for these it is enough to know that they are not permissive.

Source: ours; the matching guidelines of SPDX (spec.spdx.dev, annex B) for what does not count: case, punctuation,
copyright lines, numbers of clauses.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Final

from transforms.sources.github.licences.texts import TEXTS

RUN: Final = 4  # words that are compared at once
MIN_FOUND: Final = 0.91  # share of a licence's runs that a text must have: names in it break a few (ours)
MAX_OTHER: Final = 45  # words of a text that may belong to no licence: title, project, how to apply it (ours)
MAX_TEXT: Final = 1 << 18  # characters of a text that are looked at

_COPYRIGHT: Final = re.compile(
    r"^\W*(?:portions )?(?:copyright\b(?!\s+(?:notice|holder|owner|and related))|\(c\)|©).*|^.*all rights reserved\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_WORD: Final = re.compile(r"[a-z0-9]+(?:\.[0-9]+)*")
_CLAUSE_NUMBER: Final = re.compile(r"^[\W_]*(?:\(?(?:\d|[a-c]|i{1,3})[.)])\s+", re.IGNORECASE | re.MULTILINE)
_FOREIGN: Final = re.compile(
    r"commons clause|non[- ]?commercial|good,? not evil|military|proprietary|confidential|not permitted|may not"
    r"|must not|prohibited|evaluation|academic|research purposes|additional (?:terms|restrictions)|\bfee\b|\broyalt",
    re.IGNORECASE,
)
_COPYLEFT: Final = (
    ("AGPL-3.0", re.compile(r"gnu affero general public license|\bagpl\b", re.IGNORECASE)),
    ("LGPL", re.compile(r"gnu (?:lesser|library) general public licen[cs]e|\blgpl\b", re.IGNORECASE)),
    ("GPL", re.compile(r"gnu general public licen[cs]e|\bgpl(?:v[23])?\b", re.IGNORECASE)),
    ("MPL", re.compile(r"mozilla public licen[cs]e|\bmpl[- ][12]", re.IGNORECASE)),
    ("EPL", re.compile(r"eclipse (?:public|distribution) licen[cs]e", re.IGNORECASE)),
    ("CDDL", re.compile(r"common development and distribution licen[cs]e", re.IGNORECASE)),
    ("EUPL", re.compile(r"european union public licen[cs]e", re.IGNORECASE)),
    ("SSPL-1.0", re.compile(r"server side public licen[cs]e", re.IGNORECASE)),
    ("BUSL-1.1", re.compile(r"business source licen[cs]e", re.IGNORECASE)),
    ("CC-BY", re.compile(r"creative commons (?:attribution|legal code\s+attribution|by)", re.IGNORECASE)),
)
_HEAD: Final = 600  # characters within which a long licence names itself
_APACHE: Final = re.compile(r"apache licen[cs]e,?\s*version 2\.0,?\s*january 2004", re.IGNORECASE)
_APACHE_WORDS: Final = range(1300, 2100)  # the licence has 1,581, with its appendix
_CC0: Final = re.compile(r"cc0 1\.0 universal|creative commons zero", re.IGNORECASE)
_CC0_WORDS: Final = range(600, 1300)


@functools.cache
def _runs(licence: str) -> frozenset[tuple[str, ...]]:
    return frozenset(_runs_of(TEXTS[licence].split()))


def _runs_of(words: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(words[shift:] for shift in range(RUN)), strict=False))


def words_of(text: str) -> list[str]:
    """Return the words of a licence's text that are compared."""
    text = _CLAUSE_NUMBER.sub("", _COPYRIGHT.sub("", text[:MAX_TEXT])).replace("“", '"').replace("’", "'")
    return _WORD.findall(text.lower())


def licence_of(text: str) -> str:
    """Return the SPDX expression of a text that holds nothing but one or more licences; '' when it is none known."""
    words = words_of(text)
    long = _long_licence(text, len(words))
    if long:
        return long
    found, covered = _short_licences(words)
    if not found:
        return ""
    other = [word for word, is_covered in zip(words, covered, strict=True) if not is_covered]
    if len(other) > MAX_OTHER or _FOREIGN.search(_uncovered_text(words, covered)) or _named_copyleft(" ".join(other)):
        return ""
    return " AND ".join(found)


def _short_licences(words: list[str]) -> tuple[list[str], list[bool]]:
    """Return the short licences that are all in a text, and which of its words belong to one."""
    runs = _runs_of(words)
    have = set(runs)
    covered = [False] * len(words)
    found: list[str] = []
    for licence in TEXTS:
        wanted = _runs(licence)
        if len(wanted & have) < MIN_FOUND * len(wanted):
            continue
        new = 0
        for at, run in enumerate(runs):
            if run in wanted:
                new += sum(not covered[n] for n in range(at, at + RUN))
                covered[at : at + RUN] = [True] * RUN
        if new > 0.3 * len(wanted):  # else it is a part of the one before: MIT-0 of MIT
            found.append(licence)
    return found, covered


def _uncovered_text(words: list[str], covered: list[bool]) -> str:
    return " ".join(word if not is_covered else "|" for word, is_covered in zip(words, covered, strict=True))


def _long_licence(text: str, n_words: int) -> str:
    head = " ".join(text[: 4 * _HEAD].split())[:_HEAD]
    if _APACHE.search(head):
        if "commons clause" in text.lower() or n_words not in _APACHE_WORDS:
            return "Apache-2.0 WITH LLVM-exception" if "llvm exceptions" in text.lower() and n_words < 2500 else ""
        return "Apache-2.0"
    if _CC0.search(head) and n_words in _CC0_WORDS:
        return "CC0-1.0"
    return _named_copyleft(head) if n_words > 400 else ""


def _named_copyleft(text: str) -> str:
    return next((name for name, sign in _COPYLEFT if sign.search(text)), "")


# ---- what the comment at the head of a source file says -------------------------------------------------------------

SPDX_TAG: Final = re.compile(r"SPDX-License-Identifier:[ \t]*([^\n]{1,200})")
_NOTICE_APACHE: Final = re.compile(r"licensed\W+under\W+the\W+apache\W+licen[cs]e,?\W+version\W+2\.0", re.IGNORECASE)
_NOTICE_OTHER: Final = (
    (
        "MIT",
        re.compile(
            r"(?:under|by)\W+the\W+(?:terms\W+of\W+the\W+)?(?:\w+\W+)?mit\W+licen[cs]e|\bmit\W+licen[cs]ed?\b",
            re.IGNORECASE,
        ),
    ),
    (
        "BSD-3-Clause",
        re.compile(
            r"(?:under|by)\W+(?:the|a)\W+(?:terms\W+of\W+(?:the|a)\W+)?(?:\w+\W+)?bsd(?:\W+style)?\W+licen[cs]e",
            re.IGNORECASE,
        ),
    ),
)
_PROPRIETARY: Final = re.compile(
    r"\b(?:proprietary|confidential|unauthori[sz]ed (?:copying|use)|do not distribute)\b", re.IGNORECASE
)


def notice_in(comment: str) -> str:
    """Return the licence that the comment at the head of a file names, '' when it names none.

    `LicenseRef-Proprietary` where it forbids what all licences permit. A BSD notice that does not say which is taken
    as BSD-3-Clause.
    """
    text = " ".join(comment.split())
    copyleft = _named_copyleft(text) if re.search(r"licen[cs]e|\bgpl", text, re.IGNORECASE) else ""
    if copyleft:
        return copyleft
    if _NOTICE_APACHE.search(text):
        return "Apache-2.0"
    found, _ = _short_licences(words_of(comment))
    if found:
        return " AND ".join(found)
    if _PROPRIETARY.search(text):
        return "LicenseRef-Proprietary"
    return next((name for name, sign in _NOTICE_OTHER if sign.search(text)), "")
