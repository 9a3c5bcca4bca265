"""HTML editions to blocks: one walk over the page, its order kept, boilerplate that is marked as such left out."""

from __future__ import annotations

import re
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser

from schemas.blocks import HEADING, LIST_ITEM, PARAGRAPH, QUOTATION, TABLE_ROW
from transforms.sources.books.plain import pieces_of_lines
from transforms.sources.books.settings import BooksReadConfig
from transforms.sources.pieces import Piece

_SKIPPED: Final = frozenset(
    ("head", "script", "style", "noscript", "template", "iframe", "object", "svg", "img", "map", "form", "button",
     "select", "textarea", "audio", "video")
)  # fmt: skip
_BLOCKS: Final = frozenset(
    ("p", "div", "section", "article", "main", "header", "footer", "blockquote", "ul", "ol", "dl", "dt", "dd", "li",
     "table", "tr", "caption", "figure", "figcaption", "hr", "center", "h1", "h2", "h3", "h4", "h5", "h6", "address",
     "aside", "nav", "body")
)  # fmt: skip
_BOILERPLATE: Final = re.compile(
    r"\b(?:pg-?(?:boilerplate|header|footer|machine-header|start-separator|end-separator)|page-?num(?:ber)?s?|pgnum|pageno|"
    r"pagenum|pgno|newpage|x-ebookmaker-drop|covernote)\b",
    re.IGNORECASE,
)
_NOTES: Final = re.compile(r"\b(?:trans(?:criber)?-?s?-?notes?|transnote|tnote|trnote|tnbox|tn)\b", re.IGNORECASE)
_CAPTION: Final = re.compile(r"\b(?:caption\w*|figcenter|figleft|figright|illus\w*)\b", re.IGNORECASE)
_VERSE: Final = re.compile(r"\b(?:poem|poetry(?:-container)?|stanza|verse|lg|linegroup)\w*\b", re.IGNORECASE)
_BLANKS: Final = re.compile(r"[ \t\r\n\f\u00a0]+")


class _Walker:
    def __init__(self, config: BooksReadConfig) -> None:
        self._config = config
        self.pieces: list[Piece] = []
        self._text: list[str] = []
        self._kinds: list[tuple[str, int, int]] = []  # of open elements that set one: tag, kind, level
        self._verse = 0
        self._cells = 0

    def walk(self, root: Any) -> None:
        stack: list[tuple[Any, bool]] = [(root, False)]
        while stack:
            node, leaves = stack.pop()
            tag = node.tag
            if leaves:
                self._leave(tag, node)
            elif tag == "-text":
                self._text.append(_BLANKS.sub(" ", node.text_content or ""))
            elif tag == "br":
                self._text.append("\n")
            elif tag == "pre":
                self._flush()
                text = node.text(deep=True)
                self.pieces += pieces_of_lines(text.split("\n"), join=self._config.join_lines)
            elif not tag.startswith(("-", "!", "_")) and tag not in _SKIPPED and not self._is_left_out(node):
                self._enter(tag, node)
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(list(node.iter(include_text=True))))
        self._flush()

    def _is_left_out(self, node: Any) -> bool:
        attributes = node.attributes
        if not attributes:
            return False
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
        if names == " ":
            return False
        if _BOILERPLATE.search(names):
            return True
        if _NOTES.search(names) and self._config.transcriber_notes == "drop":
            return True
        return self._config.captions == "drop" and (node.tag == "figcaption" or bool(_CAPTION.search(names)))

    def _enter(self, tag: str, node: Any) -> None:
        if tag in ("td", "th"):
            if self._cells:
                self._text.append("\t")
            self._cells += 1
        elif tag in _BLOCKS:
            if self._verse:
                self._text.append("\n")
            else:
                self._flush()
            if tag == "tr":
                self._cells = 0
            kind = _kind(tag)
            if kind is not None:
                self._kinds.append((tag, *kind))
            if _VERSE.search((node.attributes or {}).get("class") or ""):
                self._flush()
                self._verse += 1

    def _leave(self, tag: str, node: Any) -> None:
        if tag not in _BLOCKS:
            return
        if self._verse and _VERSE.search((node.attributes or {}).get("class") or ""):
            self._flush()
            self._verse -= 1
        elif self._verse:
            self._text.append("\n")
        else:
            self._flush()
        if self._kinds and self._kinds[-1][0] == tag:
            self._kinds.pop()

    def _flush(self) -> None:
        text, self._text = "".join(self._text), []
        lines = [" ".join(line.split(" ")).strip(" ") for line in text.split("\n")]
        lines = [line for line in lines if line.strip()]
        if not lines:
            return
        _, kind, level = self._kinds[-1] if self._kinds else ("", PARAGRAPH, 0)
        if self._verse and kind != HEADING:
            kind = QUOTATION
        if kind == HEADING:
            self.pieces.append(Piece(HEADING, " ".join(" ".join(lines).split()), level))
        elif kind == TABLE_ROW:
            self.pieces.append(Piece(TABLE_ROW, " ".join(lines).strip()))
        elif kind == LIST_ITEM:
            self.pieces.append(Piece(LIST_ITEM, " ".join(lines)))
        else:
            self.pieces.append(Piece(kind, "\n".join(lines)))


def _kind(tag: str) -> tuple[int, int] | None:
    if tag[0] == "h" and tag[1:].isdigit():
        return HEADING, int(tag[1:])
    kinds = {"li": LIST_ITEM, "dt": LIST_ITEM, "dd": LIST_ITEM, "tr": TABLE_ROW, "blockquote": QUOTATION}
    return (kinds[tag], 0) if tag in kinds else None


def pieces_of_page(html: str, config: BooksReadConfig) -> list[Piece]:
    """Return the blocks of an HTML edition."""
    body = LexborHTMLParser(html).body
    if body is None:
        return []
    walker = _Walker(config)
    walker.walk(body)
    return walker.pieces
