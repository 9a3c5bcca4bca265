"""Lines of text after their markup is gone: blanks, empty brackets, where a formula and a command's name end."""

from __future__ import annotations

import re
from typing import Final

from transforms.sources.arxiv.latex.arguments import skip_blanks

_EMPTY_BRACKETS: Final = re.compile(
    r"\s*\((?:see|e\.g\.|i\.e\.|cf\.|and|or|Refs?|Eqs?|Figs?|in|also|for example|for a review|"
    r"for reviews|[\s,;.:–-])*\)|\s*\[[\s,;.–-]*\]",
    re.IGNORECASE,
)
_BEFORE_BRACKET: Final = re.compile(r"[\s,;]+\)")
_BEFORE_MARK: Final = re.compile(r"[ \t]+([,.;:!?])(?=\s|$)")
MAX_FORMULA: Final = 1 << 16  # characters

_LENGTH: Final = re.compile(
    r"\s*=?\s*[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)?\s*(?:(?:true\s*)?(?:em|ex|pt|cm|mm|in|bp|pc|dd|cc|sp|mu|fil+)(?![A-Za-z])|"
    r"\\[A-Za-z]+)?(?:\s*(?:plus|minus)\s*[\d.,]+\s*(?:em|ex|pt|cm|mm|in|bp|pc|fil+))*"
)
_BLANKS: Final = re.compile(r"[ \t\n]+")


def behind_word(text: str, at: int) -> int:
    """Return where a text goes on behind a command's name: TeX takes the blanks."""
    return skip_blanks(text, at) if at < len(text) and text[at] in " \t\n" and not text.startswith("\n\n", at) else at


def length_end(text: str, at: int) -> int:
    """Return the place behind a length without braces, or a number: `=1.5em plus 2pt`."""
    found = _LENGTH.match(text, at)
    return found.end() if found else at


def formula_end(text: str, at: int, closes: str, known: int) -> int:
    """Return where a formula that begins at `at` is closed, `known` if that is looked up already; -1 where a blank line
    comes before that, or nothing."""
    if closes in ("$", "$$"):
        found = re.compile(r"(?:\\.|[^\\$])*?" + re.escape(closes), re.DOTALL).match(text, at, at + MAX_FORMULA)
        end = found.end() - len(closes) if found else -1
    else:
        end = known if known < min(len(text), at + MAX_FORMULA) else -1
    return -1 if end < 0 or (closes == "$" and re.search(r"\n[ \t]*\n", text[at:end])) else end


def one_line(text: str) -> str:
    return tidy(text.replace("\n", " "))


def tidy(text: str) -> str:
    """Return a line of text without what removal left behind: empty brackets, blanks before marks."""
    text = _BLANKS.sub(" ", text).strip()
    if "(" in text or "[" in text:
        text = _BEFORE_BRACKET.sub(")", _EMPTY_BRACKETS.sub("", text))
    return _BEFORE_MARK.sub(r"\1", text).strip()
