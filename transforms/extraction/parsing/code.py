"""Code of a page: which elements are blocks of code, and their text exactly as it was typed.

Indentation, blank lines and line breaks are the code's; line numbers, copy buttons and tool bars are the highlighter's.
Known by their markup: Pygments, Rouge, Chroma, highlight.js with line numbers, Prism, Shiki, SyntaxHighlighter 2-4,
Crayon, GeSHi and wp_syntax, Hexo, GitHub, GitLab, Gitea, cgit, doxygen, javadoc's source, LaTeXML's listings, CSDN,
CodeMirror, Ace, Monaco. What none of them names: the first elements of lines that count upwards are numbers, in rows of
a table, in spans that cannot be selected (Hugo), in rows of CSS; a table of such rows is a listing even without a name.

How lines are separated: `pre` keeps the breaks of the source; `br`, rows and block-level elements end a line; inline
elements that bear a line's class (`line`, `token-line`) end one unless a break follows already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from selectolax.lexbor import LexborNode

from transforms.extraction.parsing.names import class_names, names
from transforms.extraction.parsing.shown import nests_deep, shown_text

_PRE: Final = frozenset({"pre", "listing", "xmp", "plaintext"})
_LISTED: Final = _PRE | {"code", "samp"}
_CODE: Final = frozenset({"code", "samp", "tt", "kbd"})
_BLOCKS: Final = names(
    "article blockquote center dd div dl dt figure h1 h2 h3 h4 h5 h6 li ol p pre section table tbody thead tr ul"
)
_CONTAINERS: Final = frozenset({"table", "tbody", "thead", "tr", "ul", "ol"})
_DROPPED: Final = frozenset(
    {"script", "style", "button", "svg", "template", "noscript", "select", "figcaption", "caption", "rp", "rt"}
)

# Classes of elements that hold a whole listing, whose lines are not, or not only, in one `pre`.
_WRAPPERS: Final = names(
    "ace_editor ace_text-layer blob blob-code-content blob-wrapper chroma cm-content cm-editor"
    " cm-s-default code-view codecolorer-container codehilite codehilitetable codemirror crayon-syntax"
    " crayon-table diff-table dp-c dp-highlighter enlighter enlighter-default file-content file-view"
    " fragment geshi highlight highlighttable hljs-ln js-blob-code-container js-file-line-container"
    " linenodiv-table lntable ltx_listing monaco-editor prettyprint react-code-lines rouge-table"
    " source-code sourcecode syntaxhighlighter view-lines wp_codebox wp_syntax"
)
# Listings that are recognised by their class alone; the others are listings when they hold one.
_SURE: Final = names(
    "ace_text-layer cm-content codecolorer-container codehilitetable codemirror crayon-syntax"
    " crayon-table dp-c dp-highlighter enlighter-default highlighttable hljs-ln lntable ltx_listing"
    " rouge-table syntaxhighlighter view-lines wp_syntax"
)
_GUTTERS: Final = names(
    "ace_gutter ace_gutter-layer blob-num cm-gutters code-line-number codemirror-gutter"
    " codemirror-gutter-wrapper codemirror-gutters codemirror-linenumber crayon-num crayon-nums"
    " diff-line-num ec-line-number enlighter-linenumber gutter hljs-ln-n hljs-ln-numbers js-line-number"
    " line-num line-number line-numbers-rows line-numbers-sidebar line_numbers lineno lineno-col linenodiv"
    " linenos linenumber linenumbers lines-num ln lnt lnum ltx_tag_listingline"
    " margin-view-overlays pre-numbering react-code-text-lineno react-line-number"
    " react-syntax-highlighter-line-number rouge-gutter source-line-no"
)
_TOOLS: Final = names(
    "ltx_listing_data bar btn-clipboard clipboard clipboard-copy code-block-header code-copy code-header"
    " code-toolbar-item"
    " codemirror-cursors codemirror-measure copy copy-btn copy-button copy-code-button copybtn copycode"
    " crayon-info crayon-plain-wrap crayon-toolbar highlight-tools hljs-button hljs-copy signin toolbar"
    " tools zeroclipboard-container"
)
_LINES: Final = names(
    "ace_line blob-code-inner cl-line cm-line code-line codemirror-line crayon-line ec-line hljs-ln-line"
    " line ltx_listingline react-file-line token-line view-line"
)


# Weaker: what its makers call code. `barcode`, `postcode`, `discount-code` hold no lines of it.
_CODE_NAME: Final = re.compile(
    r"(?<![a-z])(?:sample|source|example)?code(?:box|block|snippet|sample|listing|example|area|_?block|-block|-box)?(?![a-z])"
    r"|(?<!bb)code[-_]?(?:block|snippet|box|listing|sample|example)|(?<![a-z])(?:listing|programlisting|snippet)(?![a-z])",
    re.IGNORECASE,
)
# An element is a listing by its class only with one of these names in lower case, or a name with one of these parts.
CLASSES: Final = _WRAPPERS
CLASS_PARTS: Final = ("code", "listing", "snippet")
_CODE_BOX: Final = re.compile(r"(?<!bb)code[-_]?(?:box|block|snippet|listing)", re.IGNORECASE)  # of one line, too
_TITLES: Final = names("h1 h2 h3 h4 h5 h6 a button label summary input")
_CODE_SIGN: Final = re.compile(r"[;{}\[\]=<>|]|\w\(|^\s*(?://|#|--|\$ |>>> )|\)$|:$|^\s+\S")
_SENTENCE: Final = re.compile(r"^[A-Z]\w* \w+ \w+.*[a-z)]\.$|https?://")
_LONGEST: Final = 200_000  # characters of a listing that is none by its tags (our value)


def may_be_code(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Return whether `is_code_block` is worth calling for an element; False for nearly every one."""
    if tag in _LISTED or tag == "table":
        return True
    classes = attributes.get("class") if attributes else None
    return classes is not None and _names_code(classes)


@lru_cache(maxsize=65536)
def _names_code(classes: str) -> bool:
    """Return whether an element's class says that it is, or may be, a listing."""
    return _CODE_NAME.search(classes) is not None or not _WRAPPERS.isdisjoint(class_names(classes))


def is_code_block(node: LexborNode) -> bool:
    """Return whether an element is a listing, so that `code_of` writes the whole of it."""
    tag = node.tag or ""
    if tag in _PRE:
        return True
    if tag in ("code", "samp"):
        return _is_listing_in_code(node)
    classes = _classes(node)
    if nests_deep(node):
        return False
    if tag == "table" and not _may_be_listing(node, classes):
        return False
    if node.css_first("h1, h2, h3, article, form, nav") is not None:
        return False
    if classes.isdisjoint(_WRAPPERS):
        if tag == "table" and _is_numbered_table(node):
            return True
        return _names_code(node.attributes.get("class") or "") and _is_listing_by_name(node)
    if not classes.isdisjoint(_SURE):
        return True
    n_pre = len(node.css("pre"))
    if node.css_first("table") is not None or tag == "table":
        return n_pre > 0 or any(
            node.css_first(f".{name}") is not None for name in ("blob-code", "lines-code", "code", "line")
        )
    return n_pre == 0 and (node.css_first(".line") is not None) and node.css_first("p") is None


def _is_listing_in_code(node: LexborNode) -> bool:
    """Return whether `code` outside `pre` has lines of its own: breaks, or a source that is laid out as code."""
    text = node.text(deep=True).strip()
    if node.css_first("br") is not None and len(text) > 1:
        return True
    if "\n" not in text:
        return node.css_first("div, .line, .token-line") is not None
    lines = [line for line in text.split("\n") if line.strip()]
    indented = sum(line[0] in " \t" for line in lines)
    if len(lines) > 3 and 0 < indented < len(lines) - 1:
        return True
    alone = not _has_text(node.prev) and not _has_text(node.next)
    return alone and (len(lines) > 2 or _LANGUAGE.search(node.attributes.get("class") or "") is not None)


_LANGUAGE: Final = re.compile(r"(?:^|\s)(?:language-|lang-|hljs|brush|prettyprint|source)")


def _may_be_listing(table: LexborNode, classes: frozenset[str]) -> bool:
    """Return whether a table is worth a closer look: it has a name, or its first row is a 1 and something else."""
    if not classes.isdisjoint(_WRAPPERS) or _names_code(table.attributes.get("class") or ""):
        return True
    row = table.css_first("tr")
    cell = _first_element(row) if row is not None else None
    return cell is not None and cell.tag == "td" and cell.text(deep=True)[:12].strip(" \n\t.:") == "1"


def _is_numbered_table(table: LexborNode) -> bool:
    """Return whether a table is lines of code with a cell for the number before each."""
    rows = table.css("tr")
    if len(rows) < _FEWEST or _holds(table, "th, table, p, ul, img, td + td + td"):
        return False
    if len(_counting_firsts(rows)) != len(rows):
        return False
    lines = [line for line in code_of(table).split("\n") if line]
    return 2 * sum(map(_is_code_like, lines)) > len(lines)


_FEWEST: Final = 3  # lines that are numbered; two numbers may be anything (our value)


def _is_listing_by_name(node: LexborNode) -> bool:
    """Return whether an element that calls itself code holds lines of code and nothing else."""
    if node.tag in _TITLES or node.css_first("pre, p, ul, img, input, iframe, th, td + td") is not None:
        return False
    text = node.text(deep=True)
    if len(text) > _LONGEST or not text.strip():
        return False
    in_code = sum(len(part.text(deep=True).strip()) for part in node.css("code"))
    if in_code:
        return (
            in_code * 1.1 >= len("".join(text.split()))
            and len(node.css("code")) > 1
            and len(node.css("div, li, br")) > 1
        )
    lines = [line for line in code_of(node).split("\n") if line]
    is_box = _CODE_BOX.search(node.attributes.get("class") or "") is not None
    n_code = sum(map(_is_code_like, lines))
    if _holds(node, "br, div, li, tr"):
        return 2 * n_code > len(lines) > (0 if is_box else 1)
    if len(lines) < 2 or node.css_first("a") is not None:
        return False
    if not _styled_as_code(node):  # what all HTML is indented by says nothing
        n_code = sum(_is_code_like(line.strip()) for line in lines)
    return 2 * n_code > len(lines) or (is_box and n_code > 0 and not any(map(_is_prose, lines)))


def _is_code_like(line: str) -> bool:
    return _CODE_SIGN.search(line) is not None and not _SENTENCE.search(line)


def _holds(node: LexborNode, selector: str) -> bool:
    """Return whether something below an element matches; `css_first` finds the element itself, too."""
    found = node.css_first(selector)
    return found is not None and (found.mem_id != node.mem_id or len(node.css(selector)) > 1)


def _is_prose(line: str) -> bool:
    """Return whether a line without a sign of code is words, as of a sentence that its source wraps."""
    return len(_PLAIN_WORD.findall(line)) >= _PROSE_WORDS and not _is_code_like(line)


_PLAIN_WORD: Final = re.compile(r"(?<!\S)[^\W\d_]+(?=[\s,.;:!?]|$)")
_PROSE_WORDS: Final = 5  # (our value)


def _has_text(node: LexborNode | None) -> bool:
    return node is not None and node.tag == "-text" and bool((node.text_content or "").strip())


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
    if node.tag in _PRE or (node.tag in _CODE and node.css_first("br") is None):
        return True
    if _names_code(node.attributes.get("class") or "") and not _holds(node, "br, div, li, tr, td, p, pre"):
        return True
    return _styled_as_code(node)


def _styled_as_code(node: LexborNode) -> bool:
    style = node.attributes.get("style") or ""
    return "pre" in style and "white-space" in style


def _classes(node: LexborNode) -> frozenset[str]:
    return class_names(node.attributes.get("class"))


_MAX_DEPTH: Final = 150  # deeper elements come as their text; highlighters nest ten deep


_SPACE: Final = re.compile("[ \t\r\n]+")  # what a browser collapses; no-break spaces indent


class _Writer:
    """Writes the lines of one listing."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.numbers: set[int] = set()  # ids of elements that only number lines

    def element(self, node: LexborNode, depth: int, *, kept: bool) -> None:
        tag = node.tag or ""
        kept = kept or tag in _PRE
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
        classes = _classes(child)
        if not classes.isdisjoint(_TOOLS) or (not classes.isdisjoint(_GUTTERS) and not _is_whole(child, name)):
            return
        if _cannot_be_selected(child, classes) and _NUMBER.fullmatch(child.text(deep=True)):
            return
        if name not in _BLOCKS:
            self._inline(child, classes, depth, kept)
            return
        start = self._open_line()
        if depth < _MAX_DEPTH:
            self.element(child, depth + 1, kept=kept or not classes.isdisjoint(_LINES))
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
        is_line = (not classes.isdisjoint(_LINES) or _is_row(child, classes)) and _is_line_by_style(child)
        start = len(self.pieces)
        if depth < _MAX_DEPTH:
            is_cell = child.tag in ("td", "th") and bool(classes) and child.css_first("br, div, p") is None
            self.element(
                child, depth + 1, kept=kept or is_cell or (child.tag in _CODE and child.css_first("br") is None)
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
        return previous is not None and previous.is_element_node and not _classes(previous).isdisjoint(_LINES)
    return following.is_element_node and following.tag != "br"


_ROWS: Final = names("flex d-flex grid d-grid block d-block table-row")
_ROW: Final = re.compile(r"display\s*:\s*(?:flex|block|grid|table-row)", re.IGNORECASE)
_UNSELECTABLE: Final = names("select-none user-select-none noselect no-select unselectable")
_NO_SELECTION: Final = re.compile(r"user-select\s*:\s*none", re.IGNORECASE)


def _is_row(node: LexborNode, classes: frozenset[str]) -> bool:
    """Return whether the style of an inline element makes it a line of its own."""
    return not classes.isdisjoint(_ROWS) or _ROW.search(node.attributes.get("style") or "") is not None


def _cannot_be_selected(node: LexborNode, classes: frozenset[str]) -> bool:
    """Return whether readers cannot select an element, so that they copy the code without it."""
    return not classes.isdisjoint(_UNSELECTABLE) or _NO_SELECTION.search(node.attributes.get("style") or "") is not None


_NUMBER: Final = re.compile(r"\s*\d{1,6}[.:]?\s*")


def _first_element(node: LexborNode) -> LexborNode | None:
    """Return the element that a node begins with, None when text comes before it."""
    first = node.first_child
    while first is not None and first.tag == "-text" and not (first.text_content or "").strip():
        first = first.next
    return first if first is not None and first.is_element_node else None


def _counting_firsts_in(node: LexborNode) -> frozenset[int]:
    """Return the ids of the elements that number the lines below a node; of none unless the first line has a 1."""
    row = _first_element(node)
    first = _first_element(row) if row is not None else None
    if first is None or first.text(deep=True)[:12].strip(" \n\t.:|\u00a0") != "1":
        return frozenset()
    return _counting_firsts(list(node.iter()))


def _counting_firsts(rows: list[LexborNode]) -> frozenset[int]:
    """Return the ids of the elements that rows begin with when they count 1, 2, 3 ... and are not all there is."""
    found: list[int] = []
    for expected, row in enumerate(rows, start=1):
        first = _first_element(row)
        if first is None or first.text(deep=True)[:12].strip(" \n\t.:|\u00a0") != str(expected):
            return frozenset()
        found.append(first.mem_id)
    is_whole = all(_NUMBER.fullmatch(row.text(deep=True)) for row in rows)
    return frozenset(found) if len(found) >= _FEWEST and not is_whole else frozenset()


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


_NUMBERED: Final = re.compile(r"\s*(\d{1,5})(?:[:.|]|\s)(.*)")


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
