"""The text of a block of code exactly as it was typed.

Indentation, blank lines and line breaks are the code's; line numbers, copy buttons and tool bars are the highlighter's.
Numbers are known by their names (`code_names`), or by what they are: the first elements of lines that count upwards, in
rows of a table, in spans that cannot be selected (Hugo), in rows of CSS.

How lines are separated: `pre` keeps the breaks of the source; `br`, rows and block-level elements end a line; inline
elements that bear a line's class (`line`, `token-line`) end one unless a break follows already.
"""

from __future__ import annotations

import re
from typing import Final

from selectolax.lexbor import LexborNode

from transforms.extraction.parsing.code_names import GUTTERS, LINES, TOOLS, names_code
from transforms.extraction.parsing.names import class_names, names
from transforms.extraction.parsing.shown import shown_text

PRE: Final = frozenset({"pre", "listing", "xmp", "plaintext"})
CODE: Final = frozenset({"code", "samp", "tt", "kbd"})
_BLOCKS: Final = names(
    "article blockquote center dd div dl dt figure h1 h2 h3 h4 h5 h6 li ol p pre section table tbody thead tr ul"
)
_CONTAINERS: Final = frozenset({"table", "tbody", "thead", "tr", "ul", "ol"})
_DROPPED: Final = frozenset(
    {"script", "style", "button", "svg", "template", "noscript", "select", "figcaption", "caption", "rp", "rt"}
)
_ROWS: Final = names("flex d-flex grid d-grid block d-block table-row")
_ROW: Final = re.compile(r"display\s*:\s*(?:flex|block|grid|table-row)", re.IGNORECASE)
_UNSELECTABLE: Final = names("select-none user-select-none noselect no-select unselectable")
_NO_SELECTION: Final = re.compile(r"user-select\s*:\s*none", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\s*\d{1,6}[.:]?\s*")
_NUMBERED: Final = re.compile(r"\s*(\d{1,5})(?:[:.|]|\s)(.*)")
_SPACE: Final = re.compile("[ \t\r\n]+")  # what a browser collapses; no-break spaces indent
_MAX_DEPTH: Final = 150  # deeper elements come as their text; highlighters nest ten deep
FEWEST: Final = 3  # lines that are numbered; two numbers may be anything (our value)


def code_of(node: LexborNode) -> str:
    """Return a listing, without blanks at the ends of its lines and without blank lines around it."""
    source = node.css_first("textarea.crayon-plain")
    if source is not None:
        text = shown_text(source)
    else:
        writer = _Writer()
        writer.element(node, 0, kept=_keeps_breaks(node))
        text = "".join(writer.pieces)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    lines = [line.rstrip() for line in text.split("\n")]
    start = next((place for place, line in enumerate(lines) if line), len(lines))
    return "\n".join(_without_common_numbers(lines[start:])).rstrip()


def _keeps_breaks(node: LexborNode) -> bool:
    """Return whether line breaks in the source show: inside `pre`, or in code that has no other breaks."""
    if node.tag in PRE or (node.tag in CODE and node.css_first("br") is None):
        return True
    if names_code(node.attributes.get("class") or "") and not holds(node, "br, div, li, tr, td, p, pre"):
        return True
    return styled_as_code(node)


def styled_as_code(node: LexborNode) -> bool:
    style = node.attributes.get("style") or ""
    return "pre" in style and "white-space" in style


class _Writer:
    """Writes the lines of one listing."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.numbers: set[int] = set()  # ids of elements that only number lines

    def element(self, node: LexborNode, depth: int, *, kept: bool) -> None:
        tag = node.tag or ""
        kept = kept or tag in PRE
        numbers = _counting_cells(node) if tag == "tr" else _counting_firsts_in(node)
        self.numbers |= numbers
        for child in node.iter(include_text=True):
            name = child.tag or ""
            if name == "-text":
                self._text(child, kept)
            elif name == "br":
                self.pieces.append("\n")
            elif name not in _DROPPED and child.mem_id not in self.numbers:
                self._child(child, name, depth, kept)

    def _text(self, node: LexborNode, kept: bool) -> None:
        text = node.text_content or ""
        if text.isspace() and ("\n" in text or not kept) and _is_between_blocks(node, kept):
            return
        if not kept:
            text = _SPACE.sub(" ", text)
            if not self.pieces or self.pieces[-1].endswith("\n"):
                text = text.lstrip(" ")
        if text:
            self.pieces.append(text)

    def _child(self, child: LexborNode, name: str, depth: int, kept: bool) -> None:
        classes = classes_of(child)
        if not classes.isdisjoint(TOOLS) or (not classes.isdisjoint(GUTTERS) and not _is_whole(child, name)):
            return
        if _cannot_be_selected(child, classes) and _NUMBER.fullmatch(child.text(deep=True)):
            return
        if name not in _BLOCKS:
            self._inline(child, classes, depth, kept)
            return
        start = self._open_line()
        if depth < _MAX_DEPTH:
            self.element(child, depth + 1, kept=kept or not classes.isdisjoint(LINES))
        else:
            self.pieces.append(shown_text(child))
        is_line = name not in _CONTAINERS - {"tr"} and name != "pre"
        written = len(self.pieces) > start
        if (written or is_line) and not (written and self.pieces[-1].endswith("\n")):
            self.pieces.append("\n")

    def _open_line(self) -> int:
        """End the line that is open, if any, and return where the next one starts."""
        if self.pieces and not self.pieces[-1].endswith("\n"):
            self.pieces.append("\n")
        return len(self.pieces)

    def _inline(self, child: LexborNode, classes: frozenset[str], depth: int, kept: bool) -> None:
        is_line = (not classes.isdisjoint(LINES) or _is_row(child, classes)) and _is_line_by_style(child)
        start = len(self.pieces)
        if depth < _MAX_DEPTH:
            is_cell = child.tag in ("td", "th") and bool(classes) and child.css_first("br, div, p") is None
            self.element(
                child, depth + 1, kept=kept or is_cell or (child.tag in CODE and child.css_first("br") is None)
            )
        else:
            self.pieces.append(shown_text(child))
        written = len(self.pieces) > start
        if is_line and not (written and self.pieces[-1].endswith("\n")):
            self.pieces.append("\n")


def _is_between_blocks(node: LexborNode, kept: bool) -> bool:
    """Return whether white space only lays out the page's source: next to a block, or at the edge of a container."""
    before, after = node.prev, node.next
    names = [sibling.tag or "" for sibling in (before, after) if sibling is not None]
    if any(name in _BLOCKS or name in ("td", "th") for name in names):
        return True
    parent = node.parent
    return not kept and parent is not None and (parent.tag in _CONTAINERS or not names)


def _is_whole(node: LexborNode, name: str) -> bool:
    """Return whether an element with a gutter's class is no gutter: `linenos` on a `pre` only says that it has some."""
    if name == "table":
        return True
    if name not in ("pre", "code", "div", "ol"):
        return False
    return bool(re.search(r"[^\d\s.:|]", node.text(deep=True)[:2000]))


def _is_line_by_style(node: LexborNode) -> bool:
    """Return whether an inline line is directly followed by the next one, with no break between in the source."""
    following = node.next
    if following is None:
        previous = node.prev
        return previous is not None and previous.is_element_node and not classes_of(previous).isdisjoint(LINES)
    return following.is_element_node and following.tag != "br"


def _is_row(node: LexborNode, classes: frozenset[str]) -> bool:
    """Return whether the style of an inline element makes it a line of its own."""
    return not classes.isdisjoint(_ROWS) or _ROW.search(node.attributes.get("style") or "") is not None


def _cannot_be_selected(node: LexborNode, classes: frozenset[str]) -> bool:
    """Return whether readers cannot select an element, so that they copy the code without it."""
    return not classes.isdisjoint(_UNSELECTABLE) or _NO_SELECTION.search(node.attributes.get("style") or "") is not None


def first_element(node: LexborNode) -> LexborNode | None:
    """Return the element that a node begins with, None when text comes before it."""
    first = node.first_child
    while first is not None and first.tag == "-text" and not (first.text_content or "").strip():
        first = first.next
    return first if first is not None and first.is_element_node else None


def _counting_firsts_in(node: LexborNode) -> frozenset[int]:
    """Return the ids of the elements that number the lines below a node; of none unless the first line has a 1."""
    row = first_element(node)
    first = first_element(row) if row is not None else None
    if first is None or first.text(deep=True)[:12].strip(" \n\t.:|\u00a0") != "1":
        return frozenset()
    return counting_firsts(list(node.iter()))


def counting_firsts(rows: list[LexborNode]) -> frozenset[int]:
    """Return the ids of the elements that rows begin with when they count 1, 2, 3 ... and are not all there is."""
    found: list[int] = []
    for expected, row in enumerate(rows, start=1):
        first = first_element(row)
        if first is None or first.text(deep=True)[:12].strip(" \n\t.:|\u00a0") != str(expected):
            return frozenset()
        found.append(first.mem_id)
    is_whole = all(_NUMBER.fullmatch(row.text(deep=True)) for row in rows)
    return frozenset(found) if len(found) >= FEWEST and not is_whole else frozenset()


def _counting_cells(node: LexborNode) -> frozenset[int]:
    """Return the ids of a row's first cell when it only numbers the lines of the second."""
    cells = [child for child in node.iter() if child.tag in ("td", "th")]
    if len(cells) < 2:
        return frozenset()
    text = cells[0].text(deep=True, separator="\n")
    numbers = text.split()
    if not numbers and not text:  # numbers that the style sheet writes
        return frozenset()
    if len(numbers) == 1 and _NUMBER.fullmatch(text):
        follows = cells[1].css_first("pre, code") is not None or "code" in (cells[1].attributes.get("class") or "")
        return frozenset({cells[0].mem_id}) if follows else frozenset()
    counted = all(number.strip(".:").isdigit() and len(number) < 8 for number in numbers)
    if counted and len(numbers) > 1:
        values = [int(number.strip(".:")) for number in numbers]
        if values == list(range(values[0], values[0] + len(values))):
            return frozenset({cells[0].mem_id})
    return frozenset()


def _without_common_numbers(lines: list[str]) -> list[str]:
    """Return lines without the numbers 1, 2, 3 ... that precede every one of them (our choice: from three lines on)."""
    if len(lines) < 3 or not lines[0].lstrip().startswith("1"):
        return lines
    stripped: list[str] = []
    for expected, line in enumerate(lines, start=1):
        match = _NUMBERED.fullmatch(line + " ")
        if not match or int(match[1]) != expected:
            return lines
        stripped.append(match[2].rstrip())
    filled = [line for line in stripped if line]
    blanks = min((len(line) - len(line.lstrip()) for line in filled), default=0)
    return [line[blanks:] for line in stripped]


def classes_of(node: LexborNode) -> frozenset[str]:
    return class_names(node.attributes.get("class"))


def holds(node: LexborNode, selector: str) -> bool:
    """Return whether something below an element matches; `css_first` finds the element itself, too."""
    found = node.css_first(selector)
    return found is not None and (found.mem_id != node.mem_id or len(node.css(selector)) > 1)
