"""Lines of an article to blocks: headings, paragraphs, list items, table rows, code, formulas, quotations."""

from __future__ import annotations

import re
from typing import Final

from schemas.blocks import CODE as CODE_BLOCK
from schemas.blocks import FORMULA as FORMULA_BLOCK
from schemas.blocks import HEADING, LIST_ITEM, PARAGRAPH, QUOTATION, TABLE_ROW
from transforms.extraction.texts.hygiene import clean_unicode
from transforms.sources.pieces import Piece
from transforms.sources.wikipedia.wikitext.inline import is_stored, plain_line
from transforms.sources.wikipedia.wikitext.marks import (
    BREAK,
    CODE,
    DISPLAY,
    DIVISION,
    FORMULA,
    GONE,
    PIECE,
    POEM,
    POEM_END,
    QUOTE,
    QUOTE_END,
    ROW,
    UNWANTED,
    Context,
)

_HEADING: Final = re.compile(r"(={1,6})[ \t]*(.+?)[ \t]*\1[ \t\x04]*$")
_ITEM: Final = re.compile(r"[*#;:]+[ \t]*")
_TERM: Final = re.compile(r"([^:\[\]]+?)\s*:(?!//)\s*(.+)")
_RULE: Final = re.compile(r"-{4,}")
_PUNCTUATION: Final = " \t.,;:|-–—*·•()[]\"'"


class _Builder:
    def __init__(self, context: Context) -> None:
        self._context = context
        self.pieces: list[Piece] = []
        self._lines: list[str] = []  # of the open paragraph
        self._code: list[str] = []  # of the open preformatted text
        self._quoted = self._verse = False

    def take(self, line: str) -> None:
        stored = is_stored(line.replace(GONE, "").lstrip(":* "))
        if stored:
            self._stored(*self._context.pieces[int(stored[1])], line)
        elif line in (QUOTE, QUOTE_END, POEM, POEM_END):
            self.flush()
            self._quoted = line == QUOTE if line in (QUOTE, QUOTE_END) else self._quoted
            self._verse = line == POEM if line in (POEM, POEM_END) else self._verse
        elif not line.strip(" \t" + GONE) or _RULE.match(line):
            self.flush()
        else:
            self._marked(line)

    def _stored(self, kind: str, content: str, line: str) -> None:
        if kind in (CODE, DISPLAY, FORMULA):
            self.flush()
            text = content.strip("\n").rstrip() if kind == CODE else f"$${content}$$"
            self._add(CODE_BLOCK if kind == CODE else FORMULA_BLOCK, text)
        else:
            self._lines.append(line)

    def _marked(self, line: str) -> None:
        heading = _HEADING.match(line)
        item = _ITEM.match(line)
        if heading:
            self.flush()
            self._add(HEADING, self._text(heading[2]), len(heading[1]))
        elif line.startswith(ROW):
            self.flush()
            cells = [self._text(cell) for cell in line[1:].split("\t")]
            self._add(TABLE_ROW, "\t".join(cells))
        elif item and not self._verse:
            self.flush()
            text = line[item.end() :].replace(DIVISION, " ")
            term = _TERM.match(text) if item[0].rstrip().endswith(";") else None  # `;term: definition` are two items
            for entry in term.groups() if term else (text,):
                self._add(LIST_ITEM, self._text(entry))
        elif line[0] == " " and not self._lines and not self._verse:
            self._code.append(line[1:])
        else:
            self._flush_code()
            self._lines.append(line)

    def flush(self) -> None:
        """End the paragraph, or the preformatted text, that is open."""
        self._flush_code()
        if self._lines:
            between = "\n" if self._verse else " "
            whole = between.join(self._lines).replace(DIVISION, "\n").split("\n")
            lines = [text for line in whole if (text := self._text(line))]
            kind = QUOTATION if self._quoted else PARAGRAPH
            if self._verse:
                self._add(kind, "\n".join(lines))
            else:
                for text in lines:
                    self._add(kind, text)
            self._lines = []

    def _flush_code(self) -> None:
        if self._code:
            lines = [self._restored(plain_line(line) if line.strip() else "") for line in self._code]
            self._add(CODE_BLOCK, "\n".join(lines).strip("\n"))
            self._code = []

    def _text(self, line: str) -> str:
        text = plain_line(line.replace(BREAK, "\n") if BREAK in line else line)
        return self._restored(text)

    def _restored(self, text: str) -> str:
        """Put the stored pieces back; an inline formula is written between single dollars."""

        def content(found: re.Match[str]) -> str:
            kind, piece = self._context.pieces[int(found[1])]
            return f"${piece}$" if kind in (FORMULA, DISPLAY) else piece

        return UNWANTED.sub("", PIECE.sub(content, text))

    def _add(self, kind: int, text: str, level: int = 0) -> None:
        text = clean_unicode(text)
        if kind not in (CODE_BLOCK, FORMULA_BLOCK):
            lines = [" ".join(line.split()) if kind != TABLE_ROW else line.strip() for line in text.split("\n")]
            text = "\n".join(filter(None, lines))
        if text.strip(_PUNCTUATION + "\n\t"):
            self.pieces.append(Piece(kind, text, level))


def pieces_of(text: str, context: Context) -> list[Piece]:
    """Return the blocks of wikitext whose tags, brackets and tables are resolved."""
    builder = _Builder(context)
    for line in text.split("\n"):
        builder.take(line)
    builder.flush()
    return builder.pieces
