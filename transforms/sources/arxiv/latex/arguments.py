"""Arguments of LaTeX commands: groups in braces, optional ones in brackets. Total: what is not closed is not there."""

from __future__ import annotations

import functools
import re
from typing import Final

LONG: Final = 4096  # characters; the groups of a longer text are looked up all at once, and kept
TEXTS: Final = 64  # that are kept: those that lie in one another while a paper is read

_BRACES: Final = re.compile(r"\\.|[{}]", re.DOTALL)
_BRACKETS: Final = re.compile(r"\\.|[{}\[\]]", re.DOTALL)
_BLANKS: Final = re.compile(r"[ \t]*(?:\n[ \t]*)?(?!\n)")
_COMMAND: Final = re.compile(r"\\(?:[A-Za-z@]+\*?|.)", re.DOTALL)


def skip_blanks(text: str, at: int) -> int:
    """Return where the next character is that is no blank; a blank line is not passed."""
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def group_end(text: str, at: int) -> int:
    """Return the place behind the group that begins with the brace at `at`; -1 when it is not closed."""
    if len(text) > LONG:
        return _group_ends(text).get(at, -1)
    depth = 0
    for found in _BRACES.finditer(text, at):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
            if not depth:
                return found.end()
    return -1


@functools.lru_cache(maxsize=TEXTS)
def _group_ends(text: str) -> dict[int, int]:
    """Return the place behind each group of a text by that of its brace: one pass, however many are never closed."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for found in _BRACES.finditer(text):
        if found[0] == "{":
            opened.append(found.start())
        elif found[0] == "}" and opened:
            ends[opened.pop()] = found.end()
    return ends


def required(text: str, at: int) -> tuple[str, int] | None:
    """Return the next argument, a group or one token, and the place behind it; None where there is none."""
    at = skip_blanks(text, at)
    if at >= len(text) or text[at] in "}\n":
        return None
    if text[at] == "{":
        end = group_end(text, at)
        return (text[at + 1 : end - 1], end) if end > 0 else None
    if text[at] == "\\":
        command = _COMMAND.match(text, at)
        return (command[0], command.end()) if command else None
    return text[at], at + 1


def optional(text: str, at: int) -> tuple[str, int] | None:
    """Return the argument in brackets at `at`, blanks before it passed, and the place behind it; None where there is
    none."""
    at = skip_blanks(text, at)
    if not text.startswith("[", at):
        return None
    end = (_long_option_ends(text) if len(text) > LONG else _option_ends(text)).get(at, -1)
    return (text[at + 1 : end - 1], end) if end > 0 else None


def _option_ends(text: str) -> dict[int, int]:
    """Return the place behind each pair of brackets of a text by that of the first: none closes in another group."""
    ends: dict[int, int] = {}
    opened: list[tuple[str, int]] = []
    for found in _BRACKETS.finditer(text):
        sign = found[0]
        if sign in ("{", "["):
            opened.append((sign, found.start()))
        elif sign == "]" and opened and opened[-1][0] == "[":
            ends[opened.pop()[1]] = found.end()
        elif sign == "}":
            while opened and opened.pop()[0] == "[":
                pass
    return ends


@functools.lru_cache(maxsize=TEXTS)
def _long_option_ends(text: str) -> dict[int, int]:
    return _option_ends(text)
