"""The main text of an HTML page, as plain text.

Engines: `winnow` is ours (`transforms.extraction`: one walk, a trained forest over the blocks of a page); those of
others (`transforms.extraction.other_engines`) are there to compare with and as a second opinion, which the router asks
where ours expects to be wrong. Figures of each in benchmarks/README.md.

A page's text is a function of that page alone. Bytes become text here, by `decode_html`; no engine's own guess is used,
nor its decompression. Markdown goes (Llama 3, section 3.1.1: markers harm a model trained mostly on web data).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from types import TracebackType

from resiliparse.parse.encoding import bytes_to_str, detect_encoding, map_encoding_to_html5
from selectolax.lexbor import SelectolaxError

from schemas.errors import BadRecord
from schemas.settings import setting, validate
from transforms.extraction import other_engines
from transforms.extraction.extracted import Extracted
from transforms.extraction.hygiene import clean_unicode
from transforms.extraction.model import Model
from transforms.extraction.page import extract_source
from transforms.guard import Guard

_OF_THE_PROCESS = frozenset({"extraction_timeout", "extraction_memory", "extraction_crash"})


@dataclass(frozen=True, kw_only=True)
class ExtractConfig:
    """How pages become text, and what one page may cost."""

    engine: str = setting("winnow", "what finds the main text", choices=("winnow", "trafilatura", "resiliparse"))
    comments: str = setting("drop", "comments under what is no forum; resiliparse keeps them", choices=("drop", "keep"))
    second_opinion_below: float = setting(
        0.0, "confidence of engine winnow, 0 to 1, below which trafilatura writes the text; ours", ge=0, le=1
    )
    timeout_s: float = setting(30.0, "seconds of wall time a page may take, twice; beyond: extraction_timeout", gt=0)
    memory_mb: int = setting(1024, "MiB a page may take over an idle worker; beyond: extraction_memory", ge=64)
    max_html_bytes: int = setting(20_000_000, "longest page that is parsed; beyond: extraction_oversized", ge=1)
    recycle_pages: int = setting(2000, "pages after which the worker process is replaced; 0: never", ge=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's main text and what engine winnow says of the page; '' and 0 when it was not asked."""

    text: str
    kind: str = ""  # one of page_kind.KINDS
    confidence: float = 0.0  # expected word F1 of its own text
    is_second: bool = False  # the text is the second opinion


class TextExtractor:
    """Extracts pages in a guarded child process. Make it in DoFn.setup, close it in DoFn.teardown."""

    def __init__(self, config: ExtractConfig) -> None:
        self._config = config
        self._guard = Guard(
            "transforms.extract:text_of_page",
            prefix="extraction",
            timeout_s=config.timeout_s,
            memory_mb=config.memory_mb,
            recycle_calls=config.recycle_pages,
            preload=_modules_of(config),
        )

    def extract(self, payload: bytes, charset: str, url: str) -> tuple[PageText, float]:
        """Return the page's main text and the CPU seconds it took; raises BadRecord."""
        if len(payload) > self._config.max_html_bytes:
            detail = f"{len(payload)} bytes, at most {self._config.max_html_bytes} are parsed"
            raise BadRecord("extraction_oversized", detail)
        try:
            found, cpu_s = self._guard.call(payload, charset, url, self._config)
        except BadRecord as error:
            if error.cause not in _OF_THE_PROCESS:
                raise
            # What earlier pages left in the process, or the machine's load, may be to blame: once more, in a new one.
            self._guard.close()
            found, cpu_s = self._guard.call(payload, charset, url, self._config)
        return found, cpu_s

    def close(self) -> None:
        self._guard.close()

    def __enter__(self) -> TextExtractor:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.close()


def _modules_of(config: ExtractConfig) -> list[str]:
    """Return what a child imports before its first page's clock starts."""
    wanted = ["transforms.extraction.page"] if config.engine == "winnow" else []
    if config.engine == "trafilatura" or (config.engine == "winnow" and config.second_opinion_below > 0):
        wanted.append("trafilatura")
    return wanted


def main_text(html: bytes, url: str | None = None) -> str:
    """Return the main text of a page, '' when it has none. Raises BadRecord when the page cannot be parsed.

    Runs in this process, without limits on time or memory: for trusted pages and measurements.
    """
    try:
        return extract_page(html, url).text
    except MemoryError:
        raise BadRecord("extraction_memory", "not enough memory") from None


def extract_page(
    html: bytes, url: str | None = None, charset: str = "", *, comments: bool = False, model: Model | None = None
) -> Extracted:
    """Return the main content of a page by our own engine: blocks with their kinds, title, date, language hint, kind of
    page, confidence. `model`: another than the one that comes with the package. Raises BadRecord `html_unparsable`, or
    MemoryError. As `main_text`, without limits."""
    return _by_winnow(*_decoded(html, charset), url or "", comments=comments, model=model)


def page_text(html: bytes, charset: str, url: str, engine: str) -> str:
    """Return the main text of a page by one engine; as `text_of_page`."""
    return text_of_page(html, charset, url, ExtractConfig(engine=engine)).text


def text_of_page(html: bytes, charset: str, url: str, config: ExtractConfig) -> PageText:
    """Return the main text of a page whose server declared `charset` ('': none).

    Raises BadRecord `html_unparsable`, or MemoryError, which the guard of `TextExtractor` makes a BadRecord.
    """
    source, utf8 = _decoded(html, charset)
    comments = config.comments == "keep"
    if config.engine != "winnow":
        return PageText(_by_other(config.engine, source, url, comments=comments))
    ours = _by_winnow(source, utf8, url, comments=comments)
    is_doubtful = ours.confidence < config.second_opinion_below
    if is_doubtful and (second := _second_opinion(source, url, comments=comments)):
        return PageText(second, ours.kind, ours.confidence, is_second=True)
    return PageText(ours.text, ours.kind, ours.confidence)


def _by_winnow(source: str, utf8: bytes | None, url: str, *, comments: bool, model: Model | None = None) -> Extracted:
    try:
        return extract_source(source, url, model, comments=comments, utf8=utf8)
    except (SelectolaxError, RecursionError) as error:  # what a page can do to it; all else is an error of ours
        raise BadRecord("html_unparsable", f"winnow: {type(error).__name__}") from None


def _second_opinion(source: str, url: str, *, comments: bool) -> str:
    """Return what trafilatura makes of a page, '' when it cannot."""
    try:
        return _by_other("trafilatura", source, url, comments=comments)
    except BadRecord:
        return ""


def _by_other(engine: str, source: str, url: str, *, comments: bool) -> str:
    try:
        if engine == "trafilatura":
            text = strip_markers(other_engines.by_trafilatura(source, url, comments=comments))
        else:
            text = other_engines.by_resiliparse(source)
    except other_engines.ERRORS as error:
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
    return _decoded(html, charset)[0]


def _decoded(html: bytes, charset: str) -> tuple[str, bytes | None]:
    """Return the characters of a page, and its bytes when they are those characters in UTF-8."""
    for mark, name in _BOMS:
        if html.startswith(mark):
            return html[len(mark) :].decode(name, "replace"), None
    declared = map_encoding_to_html5(charset.strip(" \"'").lower(), fallback_utf8=False) if charset else None
    order = [declared, "utf-8"] if declared in _LOOKS_LIKE_UTF8 else ["utf-8", declared]
    for encoding in filter(None, order):
        try:
            return html.decode(encoding), html if encoding == "utf-8" else None
        except (UnicodeError, LookupError):
            continue
    guess = _guess_encoding(html)
    return str(bytes_to_str(html, guess, errors="replace", fallback_encodings=())).removeprefix("\ufeff"), None


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

_BLANK_LINES = re.compile(r"\n{3,}")


def clean_text(text: str) -> str:
    """Return `text` without what no reader sees, as our own engine writes it (`clean_unicode`), without white space at
    the ends of lines, with at most one blank line in a row and none at the ends."""
    lines = clean_unicode(text).split("\n")
    return _BLANK_LINES.sub("\n\n", "\n".join([line.rstrip() for line in lines])).strip("\n")
