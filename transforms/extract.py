"""The main text of an HTML page, as plain text.

Engines: `winnow` is ours (`transforms.extraction`: one walk, a trained forest over the blocks of a page).
`trafilatura` is trafilatura 2.3 in its balanced mode with tables and without comments, the best of the combinations
measured on 150 pages of the WCXB benchmark (word F1): balanced 0.848, with comments 0.838, without tables 0.841; recall
0.819; precision 0.770; without its fallbacks 0.797. `resiliparse`: 0.810, 11 times as fast. (Forum posts count as text,
not as comments.)

Around them, so that a page's text is a function of that page alone:

* Bytes become text here, by `decode_html`; trafilatura's own guess is never used, nor its decompression.
* `deduplicate` stays off: it would drop what *earlier* pages had, so that the result hung on their order. The caches
  that are left (trimmed lines, stop lists) hold pure functions.
* trafilatura swallows MemoryError and RecursionError of its fallbacks and goes on without them; here they are errors.
* It deletes zero-width joiners, which Persian, the Indic scripts and emoji need; they are carried past it.
* Code goes through it fenced, so that `strip_markers`, which removes Markdown (Llama 3, section 3.1.1: markers harm a
  model trained mostly on web data), leaves code as it is, blank lines included.

Known limits: list items lose their bullets and numbers, cells of a table row are parted by tabs, mathematics in
MathML is lost in trafilatura.
"""

from __future__ import annotations

import codecs
import logging
import re
import unicodedata
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str, detect_encoding, map_encoding_to_html5
from selectolax.lexbor import SelectolaxError

from schemas.errors import BadRecord
from schemas.settings import setting, validate
from transforms.extraction.page import Extracted, extract_source
from transforms.guard import Guard

# What lxml, justext and trafilatura raise on hostile pages beside MemoryError; their own handlers catch most of it.
_ENGINE_ERRORS = (
    SelectolaxError,
    etree.LxmlError,  # ParserError on documents without an element, SerialisationError
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,  # UnicodeError included
)


_OF_THE_PROCESS = frozenset({"extraction_timeout", "extraction_memory", "extraction_crash"})


@dataclass(frozen=True, kw_only=True)
class ExtractConfig:
    """How pages become text, and what one page may cost."""

    engine: str = setting("winnow", "what finds the main text", choices=("winnow", "trafilatura", "resiliparse"))
    timeout_s: float = setting(30.0, "seconds of wall time a page may take, twice; beyond: extraction_timeout", gt=0)
    memory_mb: int = setting(1024, "MiB a page may take over an idle worker; beyond: extraction_memory", ge=64)
    max_html_bytes: int = setting(20_000_000, "longest page that is parsed; beyond: extraction_oversized", ge=1)
    recycle_pages: int = setting(2000, "pages after which the worker process is replaced; 0: never", ge=0)

    def __post_init__(self) -> None:
        validate(self)


class TextExtractor:
    """Extracts pages in a guarded child process. Make it in DoFn.setup, close it in DoFn.teardown."""

    def __init__(self, config: ExtractConfig) -> None:
        self._config = config
        self._guard = Guard(
            "transforms.extract:page_text",
            prefix="extraction",
            timeout_s=config.timeout_s,
            memory_mb=config.memory_mb,
            recycle_calls=config.recycle_pages,
            preload=["trafilatura"] if config.engine == "trafilatura" else ["transforms.extraction.page"],
        )

    def extract(self, payload: bytes, charset: str, url: str) -> tuple[str, float]:
        """Return the page's main text and the CPU seconds it took; raises BadRecord."""
        if len(payload) > self._config.max_html_bytes:
            detail = f"{len(payload)} bytes, at most {self._config.max_html_bytes} are parsed"
            raise BadRecord("extraction_oversized", detail)
        try:
            text, cpu_s = self._guard.call(payload, charset, url, self._config.engine)
        except BadRecord as error:
            if error.cause not in _OF_THE_PROCESS:
                raise
            # What earlier pages left in the process, or the machine's load, may be to blame: once more, in a new one.
            self._guard.close()
            text, cpu_s = self._guard.call(payload, charset, url, self._config.engine)
        return text, cpu_s

    def close(self) -> None:
        self._guard.close()

    def __enter__(self) -> TextExtractor:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.close()


def main_text(html: bytes, url: str | None = None) -> str:
    """Return the main text of a page, '' when it has none. Raises BadRecord and nothing else.

    Runs in this process, without limits on time or memory: for trusted pages and measurements.
    """
    try:
        return page_text(html, "", url or "", "winnow")
    except MemoryError:
        raise BadRecord("extraction_memory", "not enough memory") from None


def extract_page(html: bytes, url: str | None = None, charset: str = "") -> Extracted:
    """Return the main content of a page by our own engine: blocks with their kinds, title, date, language hint, kind of
    page, confidence. Raises BadRecord `html_unparsable`, or MemoryError. As `main_text`, without limits."""
    source = decode_html(html, charset)
    try:
        return extract_source(source, url or "")
    except _ENGINE_ERRORS as error:
        raise BadRecord("html_unparsable", f"winnow: {type(error).__name__}") from None


def page_text(html: bytes, charset: str, url: str, engine: str) -> str:
    """Return the main text of a page whose server declared `charset` ('': none).

    Raises BadRecord `html_unparsable`, or MemoryError, which the guard of `TextExtractor` makes a BadRecord.
    """
    if engine == "winnow":
        return extract_page(html, url, charset).text
    source = decode_html(html, charset)
    try:
        text = strip_markers(_by_trafilatura(source, url)) if engine == "trafilatura" else _by_resiliparse(source)
    except _ENGINE_ERRORS as error:
        raise BadRecord("html_unparsable", f"{engine}: {type(error).__name__}") from None
    return clean_text(text)


# ---- bytes to text --------------------------------------------------------------------------------------------------

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Encodings whose bytes can be valid UTF-8 all the same: only a declaration, or a mark, tells them.
_LOOKS_LIKE_UTF8 = frozenset({"utf-16-le", "utf-16-be", "iso2022_jp"})


def decode_html(html: bytes, charset: str = "") -> str:
    """Return the characters of a page; total.

    Byte order mark; UTF-8 when it is valid UTF-8, whatever is declared (headers that say latin-1 over UTF-8 are the
    common lie, and text in another encoding is next to never valid UTF-8); the charset the server declared, if every
    byte fits; what the page's own `meta` says or the bytes suggest (resiliparse); bytes that still do not fit become
    U+FFFD. Departure from the WHATWG order: UTF-8 before declarations.
    """
    for mark, name in _BOMS:
        if html.startswith(mark):
            return html[len(mark) :].decode(name, "replace")
    declared = map_encoding_to_html5(charset.strip(" \"'").lower(), fallback_utf8=False) if charset else None
    order = [declared, "utf-8"] if declared in _LOOKS_LIKE_UTF8 else ["utf-8", declared]
    for encoding in filter(None, order):
        try:
            return html.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    guess = _guess_encoding(html)
    return str(bytes_to_str(html, guess, errors="replace", fallback_encodings=())).removeprefix("\ufeff")


def _guess_encoding(html: bytes) -> str:
    """Return the encoding that the page's `meta` declares or its bytes suggest, by its Python name."""
    for from_meta in (True, False):
        guess = detect_encoding(html, from_html_meta=from_meta)
        try:
            if guess and codecs.lookup(guess):
                return str(guess)
        except LookupError:
            continue
    return "utf-8"


# ---- engines --------------------------------------------------------------------------------------------------------


def _by_resiliparse(source: str) -> str:
    """Return text without markers: this engine, told so, writes none, and cannot tell what is code."""
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


def _by_trafilatura(source: str, url: str) -> str:
    from trafilatura import bare_extraction  # 0.2 s, and only the child process pays it
    from trafilatura.settings import Extractor
    from trafilatura.xml import xmltotxt

    _listen_to("trafilatura")
    carried = _JOINER.search(source) is not None and not any(char in source for char in _STAND_INS.values())
    if carried:
        source = _JOINER.sub(_stand_in, source)
    options = Extractor(comments=False, tables=True, dedup=False, url=url or None)
    document: Any = bare_extraction(source, options=options)
    if document is None:
        return ""
    _protect(document.body)
    text = str(xmltotxt(document.body, False))
    return text.translate(_FROM_STAND_INS) if carried else text


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


# ---- Markdown to plain text -----------------------------------------------------------------------------------------
# Every pattern is linear in the line, or nearly: a page may be one line of a megabyte made to hurt.

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[\w+#.-]*[ \t]*")
_INDENTED_CODE = re.compile(r"(?: {4}|\t)\s*(?![-*][ \t])\S")
_RULE = re.compile(r"([-*_=])(?:[ \t]*\1){2,}")  # thematic break, underline of a heading
_TABLE_RULE = re.compile(r"\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?)?")
_TABLE_ROW = re.compile(r"\| .*\|")
_BAR = re.compile(r"(?<!\\)\|")
_HEADING = re.compile(r"#{1,6}[ \t]+(?=\S)")
_BLOCK_MARKER = re.compile(r"(?:[->*](?:[ \t]+|$))+")
_MARKER_STARTS = frozenset("#>-*_=|:\\")
_CODE_SPAN = re.compile(  # a single or double tick is also an apostrophe or a TeX quotation mark: don`t, ``so''
    r"(?<!`)(`{3,})(?!`)(?P<marked>.+?)(?<!`)\1(?!`)"
    r"|(?<![`\w])(`{1,2})(?!`)(?P<shown>.{1,200}?)(?<!`)\3(?![`\w])"
)
_INLINE = re.compile(
    r"!?\[(?P<label>[^\[\]]*)\]\((?:https?://|www\.|mailto:|/|#)[^()\s\0]*(?:[ \t]+\"[^\"\0]*\")?\)"
    r"|(?<![0-9A-Za-z_*])(\*{2,3})(?=[^\s*])(?P<strong>[^*]*[^\s*])\2(?![0-9A-Za-z_*])"
    r"|(?<![\w*])\*(?=[^\s*])(?P<emphasis>[^*]*[^\s*])\*(?![\w*])"
    r"|(?<!~)~~(?=[^\s~])(?P<struck>[^~]*[^\s~])~~(?!~)"
)
_MAY_HAVE_INLINE = re.compile(r"[`*]|~~|\]\(")


def strip_markers(text: str) -> str:
    """Return Markdown as plain text: the markers go, the words and the code stay. NULs go, too.

    Goes: heading, list and quote markers, rules, fences, `**`, `*`, `~~`, backticks, link targets; a table row becomes
    its cells with tabs between. Stays: fenced and indented code, code spans without their backticks, escaped `\\- `,
    and what only looks alike: C#, #hashtag, 2 * 3, 2**3, *args, snake_case, __init__, f[x](y), numbers of list items.
    """
    lines: list[str] = []
    fence, fenced = "", list[str]()
    for line in text.replace("\0", "").split("\n"):
        mark = _FENCE.fullmatch(line) if "```" in line or "~~~" in line else None
        if fence:
            if mark and mark[1].startswith(fence) and line.strip() == mark[1]:
                lines.extend(fenced)
                fence, fenced = "", []
            else:
                fenced.append(line)
        elif mark:
            fence = mark[1]
        else:
            lines.extend(_plain_line(line))
    for line in fenced:  # a fence that never closes fences nothing
        lines.extend(_plain_line(line))
    return "\n".join(lines)


def _plain_line(line: str) -> list[str]:
    """Return the line without its markers, as no line at all when it was nothing else."""
    if line[:1] in (" ", "\t") and _INDENTED_CODE.match(line):
        return [line]
    line = line.strip()
    if line[:1] not in _MARKER_STARTS:
        return [_plain_inline(line)]
    if _RULE.fullmatch(line) or _TABLE_RULE.fullmatch(line):
        return []
    if _TABLE_ROW.fullmatch(line):
        cells = [_plain_inline(cell.strip().replace("\\|", "|")) for cell in _BAR.split(line[1:-1])]
        row = "\t".join(cells).rstrip()
        return [row] if row else []
    marker = _BLOCK_MARKER.match(line)
    line = line[marker.end() :] if marker else line
    heading = _HEADING.match(line)
    line = _without_closing_hashes(line[heading.end() :]) if heading else line
    return [_plain_inline(line).replace("\\- ", "- ")] if line else []


def _without_closing_hashes(heading: str) -> str:
    bare = heading.rstrip("#")
    return bare.rstrip() if bare[-1:].isspace() else heading


def _plain_inline(text: str) -> str:
    if not _MAY_HAVE_INLINE.search(text):
        return text
    spans: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        code = match["marked"] or match["shown"]
        spans.append(code.strip() or code)
        return "\0"

    text = _CODE_SPAN.sub(set_aside, text)
    for _ in range(3):  # strong around emphasis around a link
        text, n_changes = _INLINE.subn(_unwrap, text)
        if n_changes == 0:
            break
    pieces = text.split("\0")
    return "".join(piece for pair in zip(pieces, [*spans, ""], strict=True) for piece in pair)


def _unwrap(match: re.Match[str]) -> str:
    return next((match[name] for name in ("label", "strong", "emphasis", "struck") if match[name] is not None), "")


# ---- characters -----------------------------------------------------------------------------------------------------

_LINE_END = re.compile("[\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
# Controls, byte order marks, halves of surrogate pairs, and the code points that are no characters.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_BLANK_LINES = re.compile(r"\n{3,}")


def clean_text(text: str) -> str:
    """Return `text` in NFC with U+000A as its only line end, without control characters but tabs, without white space
    at the ends of lines, with at most one blank line in a row and none at the ends."""
    text = text.replace("\r\n", "\n")
    # A line that is printable throughout, as most are, holds nothing to look for; the test is 20 times as fast.
    lines = [line if line.isprintable() else _LINE_END.sub("\n", _UNWANTED.sub("", line)) for line in text.split("\n")]
    if any("\n" in line for line in lines):
        lines = "\n".join(lines).split("\n")
    text = _BLANK_LINES.sub("\n\n", "\n".join([line.rstrip() for line in lines])).strip("\n")
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
