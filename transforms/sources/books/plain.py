"""Plain text of a book to blocks: paragraphs of wrapped lines joined, verse and tables line by line, headings.

An edition of Project Gutenberg is wrapped by hand or machine at some 70 columns. A line end is a wrap where the next
word would not have fitted; where nearly all line ends of a paragraph are, its lines are joined. In verse, letterheads
and lists they are not, and these keep their lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from schemas.blocks import HEADING, PARAGRAPH, QUOTATION, TABLE_ROW
from transforms.sources.pieces import Piece

MIN_WIDTH: Final = 45  # characters; nothing narrower is a page's width
SLACK: Final = 6  # characters that a wrapped line may be too short: lines were edited after they were wrapped
WRAPPED_SHARE: Final = 0.75  # of the line ends of a paragraph
OWN_SHARE: Final = 0.4  # of the same, by the paragraph's own width, where small letters tell that it is no verse
SMALL_SHARE: Final = 0.6  # of the lines of a paragraph that begin with a small letter
HEADING_CHARS: Final = 90

_HEADING: Final = re.compile(
    r"(?:chapter|chap\.|book|part|volume|vol\.|canto|act|scene|letter|section|stave|preface|introduction|prologue|"
    r"epilogue|foreword|appendix|conclusion|contents|table of contents|illustrations|list of illustrations|notes|index|"
    r"kapitel|buch|teil|vorwort|chapitre|livre|préface|capitolo|parte|capítulo|capitulo|hoofdstuk|luku|kapitlet)\b"
    r"|(?=[IVXLC])(?:[IVXLC]{1,8})\.?$|\d{1,3}\.?$",
    re.IGNORECASE,
)
_GAP: Final = re.compile(r"\S {3,}\S|\S {2,}\d")
_LETTER: Final = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class _Group:
    """Lines between blank ones."""

    blank: int  # lines before it
    lines: list[str]


def pieces_of_lines(lines: Sequence[str], *, join: bool) -> list[Piece]:
    """Return the blocks of a book's lines."""
    groups = list(_groups(lines))
    width = _width(groups)
    return [piece for group in groups for piece in _pieces(group, width, join=join)]


def _groups(lines: Sequence[str]) -> Iterator[_Group]:
    blank, open_lines = 2, list[str]()
    for line in lines:
        line = line.expandtabs().rstrip()
        if line:
            open_lines.append(line)
            continue
        if open_lines:
            yield _Group(blank, open_lines)
            blank, open_lines = 0, []
        blank += 1
    if open_lines:
        yield _Group(blank, open_lines)


def _width(groups: Sequence[_Group]) -> int:
    """Return the width that most wrapped lines keep within: 95 of 100 are not longer; 0 where nothing is wrapped."""
    lengths = Counter(
        len(line) for group in groups if len(group.lines) > 2 for line in group.lines[:-1] if not line.startswith("  ")
    )
    wide = sorted(length for length in lengths.elements() if length >= MIN_WIDTH)
    return wide[int(0.95 * (len(wide) - 1))] if wide else 0


def _pieces(group: _Group, width: int, *, join: bool) -> Iterator[Piece]:
    lines = group.lines
    if not any(_LETTER.search(line) for line in lines):
        return  # * * *, -----: rules between scenes
    if _is_heading(group):
        yield Piece(HEADING, " ".join(" ".join(lines).split()), 1)
        return
    if len(lines) > 1 and sum(bool(_GAP.search(line.strip())) for line in lines) * 2 > len(lines):
        for line in lines:
            yield Piece(TABLE_ROW, re.sub(r" {2,}", "\t", line.strip()))
        return
    for indented, run in _runs(lines):
        if indented:
            yield Piece(QUOTATION, "\n".join(_dedented(run)))
        elif join and _is_wrapped(run, width):
            yield Piece(PARAGRAPH, joined(run))
        else:
            yield Piece(PARAGRAPH, "\n".join(line.strip() for line in run))


def _is_heading(group: _Group) -> bool:
    text = " ".join(" ".join(group.lines).split())
    if group.blank < 2 or len(group.lines) > 4 or len(text) > HEADING_CHARS:
        return False
    return bool(_HEADING.match(text)) or (text.isupper() and not text.endswith((",", ";")))


def _runs(lines: Sequence[str]) -> Iterator[tuple[bool, list[str]]]:
    """Yield runs of lines: (indented, lines). An indented line before one that is not begins a paragraph."""
    if all(line.startswith("  ") for line in lines) and len(lines) > 1:
        if len({len(line) - len(line.lstrip()) for line in lines[1:]}) == 1 and max(map(len, lines)) > MIN_WIDTH:
            margin = len(lines[-1]) - len(lines[-1].lstrip())
            yield False, [line[min(margin, len(line) - len(line.lstrip())) :] for line in lines]  # a page's own margin
        else:
            yield True, list(lines)
        return
    run: list[str] = []
    verse: list[str] = []
    for n, line in enumerate(lines):
        follows = lines[n + 1] if n + 1 < len(lines) else ""
        if line.startswith("  ") and follows.startswith("  "):
            if run:
                yield False, run
                run = []
            verse.append(line)
        elif line.startswith("  ") and verse:
            yield True, [*verse, line]
            verse = []
        elif line.startswith("  "):
            if run:
                yield False, run
            run = [line.strip()]
        else:
            run.append(line)
    if verse:
        yield True, verse
    if run:
        yield False, run


def _dedented(lines: Sequence[str]) -> list[str]:
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    deep = any(len(line) - len(line.lstrip()) - margin > 12 for line in lines)  # centred, not indented
    return [line.strip() if deep else line[margin:] for line in lines]


def _is_wrapped(lines: Sequence[str], width: int) -> bool:
    """Return whether the line ends are wraps, by the book's width or, where lines go on in small letters as verse does
    not, by the paragraph's own: old editions change theirs."""
    if _share_of_wraps(lines, width) >= WRAPPED_SHARE:
        return True
    small = sum(line.lstrip()[:1].islower() for line in lines[1:])
    return small >= SMALL_SHARE * (len(lines) - 1) and _share_of_wraps(lines, max(map(len, lines))) >= OWN_SHARE


def _share_of_wraps(lines: Sequence[str], width: int) -> float:
    ends = [len(line) + 1 + len(after.split(maxsplit=1)[0]) > width - SLACK for line, after in pairwise(lines)]
    return sum(ends) / len(ends) if ends else 1.0


def joined(lines: Sequence[str]) -> str:
    """Return wrapped lines as one: no blank behind a dash, or behind a hyphen within a word."""
    out: list[str] = []
    for line in lines:
        line = " ".join(line.split())
        if out and not (out[-1].endswith(("--", "—")) or re.search(r"\w-$", out[-1])):
            out.append(" ")
        out.append(line)
    return "".join(out)
