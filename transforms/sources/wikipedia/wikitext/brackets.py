"""Templates and links: brackets resolved from the inside out, in one pass with a stack.

What is broken ends soon: a heading closes all that is open, `}}` closes links left open within its template, and a
bracket that is never closed takes the rest of its line if it opens a template or an image, or else only itself.
Deeper than MAX_DEPTH there is no text: MediaWiki's own limit for templates in templates is 40.
"""

from __future__ import annotations

import re
from typing import Final

from transforms.sources.wikipedia.wikitext.links import is_image, render_link
from transforms.sources.wikipedia.wikitext.marks import GONE, Context
from transforms.sources.wikipedia.wikitext.templates import render_parameter, render_template

MAX_DEPTH: Final = 40

_TOKEN: Final = re.compile(r"\{\{+|\}\}+|\[\[|\]\]|\||\n(?===[^\n]*==[ \t]*(?:\n|$))")


_ARGUMENT_LINES: Final = re.compile(r"\A(?:\n[ \t]*\|[^\n]*)+")  # of an infobox that is never closed


class _Frame:
    """An open bracket, and what has come behind it so far: its parts, between `|`."""

    __slots__ = ("braces", "parts")

    def __init__(self, braces: int) -> None:
        self.braces = braces  # 2 or more; 0 for a link
        self.parts: list[list[str]] = [[]]


class _Resolver:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._out: list[str] = []
        self._frames: list[_Frame] = []
        self._n_templates = 0  # frames that are

    def resolve(self, text: str) -> str:
        at = 0
        for token in _TOKEN.finditer(text):
            self._add(text[at : token.start()])
            at = token.end()
            self._take(token.group())
        self._add(text[at:])
        self._give_up(0)
        return "".join(self._out)

    def _add(self, text: str) -> None:
        if text:
            self._top().append(text)

    def _top(self) -> list[str]:
        return self._frames[-1].parts[-1] if self._frames else self._out

    def _take(self, token: str) -> None:
        if token == "|":  # noqa: S105
            if self._frames:
                self._frames[-1].parts.append([])
            else:
                self._out.append(token)
        elif token == "\n":  # noqa: S105
            self._give_up(0)
            self._out.append(token)
        elif token == "[[":  # noqa: S105
            self._frames.append(_Frame(0))
        elif token == "]]":  # noqa: S105
            if self._frames and not self._frames[-1].braces:
                self._close_link()
        elif token[0] == "{":
            self._frames.append(_Frame(len(token)))
            self._n_templates += 1
        else:
            self._close_braces(len(token))

    def _close_link(self) -> None:
        depth = len(self._frames)
        frame = self._frames.pop()
        if depth <= MAX_DEPTH:
            self._add(render_link(["".join(part) for part in frame.parts], self._context))

    def _close_braces(self, n: int) -> None:
        while n >= 2 and self._n_templates:
            if not self._frames[-1].braces:
                self._give_up(max(i for i, frame in enumerate(self._frames) if frame.braces) + 1)
            depth = len(self._frames)
            frame = self._frames.pop()
            self._n_templates -= 1
            used = min(n, frame.braces, 3)
            n -= used
            left = frame.braces - used
            if left >= 2:
                self._frames.append(_Frame(left))
                self._n_templates += 1
            elif left:
                self._add("{")
            self._add(self._rendered(frame, used, depth))
        if n == 1:
            self._add("}")

    def _rendered(self, frame: _Frame, braces: int, depth: int) -> str:
        if depth > MAX_DEPTH:
            return GONE
        parts = ["".join(part) for part in frame.parts]
        return render_template(parts, self._context) if braces == 2 else render_parameter(parts)

    def _give_up(self, lowest: int) -> None:
        """Turn the open brackets from `lowest` on into the text they are."""
        frames, self._frames = self._frames[lowest:], self._frames[:lowest]
        for frame in frames:
            self._n_templates -= bool(frame.braces)
            pieces = [piece for n, part in enumerate(frame.parts) for piece in (*(("|",) if n else ()), *part)]
            if frame.braces or is_image("".join(frame.parts[0][:1]), self._context):
                self._context.counts["unclosed_removed"] += 1
                pieces = _behind_line(pieces)
            self._top().extend(pieces)


def _behind_line(pieces: list[str]) -> list[str]:
    """Return what comes behind the first line of some pieces of text, and behind lines of arguments after it."""
    for n, piece in enumerate(pieces):
        newline = piece.find("\n")
        if newline >= 0:
            return [_ARGUMENT_LINES.sub("", "".join([piece[newline:], *pieces[n + 1 :]]), count=1)]
    return [GONE]


def resolve_brackets(text: str, context: Context) -> str:
    """Return wikitext whose templates and links are text, or removed."""
    return _Resolver(context).resolve(text)
