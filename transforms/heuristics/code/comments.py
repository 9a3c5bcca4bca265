"""The comments at the head of a source file, by the comment marks of its language.

What a comment is depends on the language: `#` begins one in Python, a directive in C and a title in Markdown. Lines
that tools read (a shebang, an encoding, a build constraint, an editor's settings) are comments that are never given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_HEAD: Final = 20_000  # characters of a file within which its head must end


@dataclass(frozen=True, slots=True)
class Marks:
    """What begins a comment that goes to the end of its line, and what opens and closes one of any length."""

    line: tuple[str, ...] = ()
    block: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comment; places in characters of the file."""

    start: int  # of the line, its mark included
    end: int  # behind its line end
    words: str  # without marks and white space


@dataclass(frozen=True, slots=True)
class Comment:
    """A block, or consecutive lines that each begin with a mark."""

    start: int
    end: int  # behind the last line end that belongs to it
    lines: tuple[Line, ...]
    opens: str  # the mark that opens a block; '' of line comments
    closes: str


_C: Final = Marks(("//",), (("/*", "*/"),))
_HASH: Final = Marks(("#",))
_DASHES: Final = Marks(("--",))
_XML: Final = Marks((), (("<!--", "-->"),))
_PERCENT: Final = Marks(("%",))
_SEMICOLON: Final = Marks((";",))
_PASCAL: Final = Marks(("//",), (("(*", "*)"), ("{", "}")))

_MARKS_TEXT: Final[tuple[tuple[Marks, str], ...]] = (
    (_C, "C|C++|C#|Java|JavaScript|TypeScript|Go|Rust|Swift|Kotlin|Scala|Dart|Objective-C|Cuda|GLSL|Groovy|D|Zig"
         "|Solidity|SCSS|Less|Protocol Buffer|Thrift|Verilog|SystemVerilog|Stan|Apex|F#"),
    (Marks((), (("/*", "*/"),)), "CSS"),
    (Marks(("//", "#"), (("/*", "*/"),)), "PHP|HCL|Terraform|Nix"),
    (Marks(("#",), (('"""', '"""'), ("'''", "'''"))), "Python|Starlark"),
    (Marks(("#",), (("=begin", "=end"),)), "Ruby"),
    (_HASH, "Shell|Perl|R|Makefile|CMake|Dockerfile|YAML|TOML|Tcl|Awk|Elixir|PowerShell|GraphQL|Julia|Nim|Ignore List"
            "|Git Attributes|Pip Requirements|CoffeeScript|Just|Meson|Crystal"),
    (Marks(("--",), (("{-", "-}"),)), "Haskell|Elm|Agda"),
    (Marks(("--",), (("--[[", "]]"),)), "Lua"),
    (Marks(("--",), (("/*", "*/"),)), "SQL"),
    (_DASHES, "Ada|VHDL"),
    (_PERCENT, "TeX|MATLAB|Erlang"),
    (_SEMICOLON, "Common Lisp|Emacs Lisp|Scheme|Clojure|Assembly"),
    (Marks((";", "#")), "INI"),
    (Marks((), (("(*", "*)"),)), "OCaml|Coq|Mathematica"),
    (_PASCAL, "Pascal"),
    (_XML, "HTML|XML|SVG|Markdown|Vue|Svelte"),
    (Marks(("!", "C ", "c ", "*")), "Fortran"),
    (Marks(('"',)), "Vim Script"),
    (Marks(("'",)), "VBScript|Visual Basic|Visual Basic .NET"),
    (Marks(("REM ", "rem ", "::")), "Batchfile"),
    (Marks(("%",), (("/*", "*/"),)), "Prolog"),
    (Marks(("//",), (("////", "////"),)), "AsciiDoc"),
)  # fmt: skip
MARKS: Final = {name: marks for marks, names in _MARKS_TEXT for name in names.split("|")}
NO_MARKS: Final = Marks()

# Lines that stay at the head of a file and are no comment for a reader.
_PROLOGUE: Final = re.compile(
    r"#!|<\?(?:php|xml)|<!doctype|['\"]use (?:strict|client|server)['\"]|@charset|\\documentclass|%!|@echo|---\s*$",
    re.IGNORECASE,
)
_DIRECTIVE: Final = re.compile(
    r"coding[:=]|-\*-|\bvim?:|\bex:|//go:|\+build\b|\bfrozen_string_literal\b|\bsyntax\s*=\s*docker|///?\s*<reference"
    r"|\beslint-|@ts-\w|@flow\b|@jsx|\bpylint:|\bnoqa\b|\btype:\s*ignore|\bmypy:|\bshellcheck\b|\brubocop:|\bclang-format\b"
    r"|\bjshint\b|\bglobals?\s+\w+:|\bpragma\b|\bprettier-ignore\b|\bisort:|\bfmt:\s*(?:off|on)|\bSPDX-FileContributor",
    re.IGNORECASE,
)
_BARE: Final = re.compile(r"^[\s*/#;%!\-=+~|_.:<>\"'`{}()\[\]]*|[\s*/=\-#~+|_]*$")


def head_comments(text: str, language: str) -> list[Comment]:
    """Return the comments before the first line of a file that is neither comment, blank nor prologue."""
    marks = MARKS.get(language, NO_MARKS)
    found: list[Comment] = []
    at = 0
    limit = min(len(text), MAX_HEAD)
    while at < limit:
        end = _line_end(text, at)
        line = text[at:end].strip()
        if not line or (_PROLOGUE.match(line) and (at == 0 or not line.startswith("---"))):
            at = end
            continue
        comment = _block(text, at, marks) or _lines(text, at, marks)
        if comment is None:
            break
        found.append(comment)
        at = comment.end
    return found


def head_text(text: str, language: str) -> str:
    """Return the words of the comments at the head of a file; of a language without comments its first lines."""
    if language not in MARKS:
        return text[:2000]
    return "\n".join(line.words for comment in head_comments(text, language) for line in comment.lines)


def is_directive(words: str) -> bool:
    """Return whether a line of a comment is read by tools, and must stay."""
    return bool(_DIRECTIVE.search(words))


def bare(line: str) -> str:
    """Return the words of a line of a comment."""
    return _BARE.sub("", line.strip())


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _block(text: str, at: int, marks: Marks) -> Comment | None:
    """Return the block comment that begins on the line at `at`, if nothing but it is on its lines."""
    start = at + len(text[at : _line_end(text, at)]) - len(text[at : _line_end(text, at)].lstrip())
    pair = next((pair for pair in marks.block if text.startswith(pair[0], start)), None)
    if pair is None:
        return None
    close = text.find(pair[1], start + len(pair[0]), start + MAX_HEAD)
    if close < 0:
        return None
    inner_end = close + len(pair[1])
    end = _line_end(text, inner_end)
    if text[inner_end:end].strip():  # code follows on the line
        return None
    return Comment(at, end, _split(text, at, end, pair), *pair)


def _lines(text: str, at: int, marks: Marks) -> Comment | None:
    """Return the run of line comments that begins at `at`: lines with one mark, one after the other."""
    first = text[at : _line_end(text, at)].lstrip()
    mark = next((mark for mark in marks.line if first.startswith(mark)), None)
    if mark is None:
        return None
    lines: list[Line] = []
    end = at
    while end < len(text):
        stop = _line_end(text, end)
        line = text[end:stop]
        if not line.lstrip().startswith(mark):
            break
        lines.append(Line(end, stop, bare(line.lstrip()[len(mark) :])))
        end = stop
    return Comment(at, end, tuple(lines), "", "")


def _split(text: str, start: int, end: int, pair: Sequence[str]) -> tuple[Line, ...]:
    lines = []
    at = start
    while at < end:
        stop = _line_end(text, at)
        words = text[at:stop].strip()
        words = words.removeprefix(pair[0]).removesuffix(pair[1])
        lines.append(Line(at, stop, bare(words)))
        at = stop
    return tuple(lines)
