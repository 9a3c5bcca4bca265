"""Engines of others, to compare with and for second opinions: trafilatura and resiliparse, plain text, page by page.

* `deduplicate` of trafilatura stays off: it would drop what *earlier* pages had, so that the result hung on their
  order. The caches that are left (trimmed lines, stop lists) hold pure functions.
* It swallows MemoryError and RecursionError of its fallbacks and goes on without them; here they are errors.
* It deletes zero-width joiners, which Persian, the Indic scripts and emoji need; they are carried past it.
* Code goes through it fenced, so that `strip_markers` leaves it as it is, blank lines included.

Known limits of it: list items lose their bullets and numbers, cells of a table row are parted by tabs, mathematics in
MathML is lost.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from lxml import etree
from resiliparse.extract.html2text import extract_plain_text

from transforms.extraction.texts.markdown import strip_markers

# What lxml, justext and trafilatura raise on hostile pages besides MemoryError; their own handlers catch most of it.
ERRORS = (
    etree.LxmlError,  # ParserError on documents without an element, SerialisationError
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,  # UnicodeError included
)


def by_resiliparse(source: str) -> str:
    """Return text without markers: with this option the engine writes none, and cannot tell what is code, nor a forum's
    posts from comments, so that comments stay."""
    return str(extract_plain_text(source.replace("\0", ""), main_content=True, list_bullets=False, alt_texts=False))


class _SwallowedFatal(logging.Handler):
    """Raises again what trafilatura catches, logs and forgets, when a result without it would hang on free memory or
    on the depth of the caller's stack."""

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args or ():
            if isinstance(argument, (MemoryError, RecursionError)):
                raise argument


# Letters of Tangut and Nushu that stand in for joiners inside trafilatura, which deletes what is not printable.
_STAND_INS = {"\u200c": "\U00016fe0", "\u200d": "\U00016fe1"}
_TO_STAND_INS = str.maketrans(_STAND_INS)
_FROM_STAND_INS = str.maketrans({stand_in: joiner for joiner, stand_in in _STAND_INS.items()})
_JOINER = re.compile("[\u200c\u200d]|&(?:zwn?j|#820[45]|#[xX]200[cCdD]);")


def by_trafilatura(source: str, url: str, *, comments: bool) -> str:
    """Return the text in balanced mode with tables.

    The best of the combinations measured on 150 pages of the WCXB benchmark (word F1): .848, with comments .838,
    without tables .841; recall .819; precision .770; without its fallbacks .797. Forum posts count as text, not as
    comments.
    """
    from trafilatura import bare_extraction  # 0.2 s, and only the child process pays it
    from trafilatura.settings import Extractor
    from trafilatura.xml import xmltotxt

    _listen_to("trafilatura")
    carried = _JOINER.search(source) is not None and not any(char in source for char in _STAND_INS.values())
    if carried:
        source = _JOINER.sub(_stand_in, source)
    options = Extractor(comments=comments, tables=True, dedup=False, url=url or None)
    document: Any = bare_extraction(source, options=options)
    if document is None:
        return ""
    _protect(document.body)
    text = str(xmltotxt(document.body, False))
    if comments and document.commentsbody is not None:
        _protect(document.commentsbody)
        text += "\n" + str(xmltotxt(document.commentsbody, False))
    return strip_markers(text.translate(_FROM_STAND_INS) if carried else text)


def _listen_to(name: str) -> None:
    logger = logging.getLogger(name)
    if not any(isinstance(handler, _SwallowedFatal) for handler in logger.handlers):
        logger.addHandler(_SwallowedFatal(logging.WARNING))
        logger.propagate = False  # a warning for every odd page is nobody's reading


def _stand_in(match: re.Match[str]) -> str:
    found = match.group().lower()
    joins = found in ("\u200d", "&zwj;", "&#8205;", "&#x200d;")
    return _STAND_INS["\u200d" if joins else "\u200c"]


_SHOWN_DASH = re.compile(r"^([ \t]*)- ", re.MULTILINE)


def _protect(body: Any) -> None:
    """Mark in the engine's tree what `strip_markers` must leave: code, and dashes that the page itself shows."""
    for element in list(body.iter()):
        preformatted = element.tag == "quote" and not len(element) and "\n" in (element.text or "")  # <pre>, mostly
        if element.tag == "code" or preformatted:
            _fence(element)
        elif element.text and "- " in element.text:
            element.text = _SHOWN_DASH.sub(r"\1\\- ", element.text)
        if element.tail and "- " in element.tail:
            element.tail = _SHOWN_DASH.sub(r"\1\\- ", element.tail)


def _fence(element: Any) -> None:
    """Put the code of an element between backticks, as a block when it has several lines."""
    code = "".join(_code_of(part, element) for part in element.iter())
    for child in list(element):
        element.remove(child)
    # The engine drops empty lines and resolves entities once more on its way out.
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    escaped = code.replace("&", "&amp;")
    if "\n" not in code.strip():
        element.text = f"{ticks}{escaped}{ticks}" if code.strip() else code
    elif next(element.iterancestors("cell"), None) is None:
        lines = [line if line.strip() else "\u2424" for line in escaped.strip("\n").splitlines()]
        element.text = "\n".join(["", ticks, *lines, ticks, ""])
    else:
        element.text = escaped  # a cell is one line


def _code_of(part: Any, root: Any) -> str:
    tail = "" if part is root else part.tail or ""
    return "\n" + tail if part.tag == "lb" else (part.text or "") + tail
