"""Arguments of LaTeX commands: groups in braces, optional ones in brackets. Total: what is not closed is not there."""

from __future__ import annotations

import re
from typing import Final

MAX_GROUP: Final = 1 << 20  # characters; a group that is longer is taken for one that is not closed

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
    depth = 0
    for found in _BRACES.finditer(text, at, at + MAX_GROUP):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
            if not depth:
                return found.end()
    return -1


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
    braces = brackets = 0
    for found in _BRACKETS.finditer(text, at, at + MAX_GROUP):
        sign = found[0]
        if sign == "{":
            braces += 1
        elif sign == "}":
            braces -= 1
            if braces < 0:
                return None
        elif not braces and sign == "[":
            brackets += 1
        elif not braces and sign == "]":
            brackets -= 1
            if not brackets:
                return text[at + 1 : found.start()], found.end()
    return None
