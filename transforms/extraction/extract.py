"""The main text of an HTML page, as plain text.

Engines: `winnow` is ours (`transforms.extraction`: one walk, a trained forest over the blocks of a page); those of
others (`transforms.extraction.other_engines`) are there to compare with and as a second opinion, which the router asks
where it expects to be wrong. Figures of each in benchmarks/README.md.

A page's text is a function of that page alone. Bytes become text by `transforms.extraction.texts.decoding`; no
engine's own guess is used, nor its decompression. Markdown goes (Llama 3, section 3.1.1: markers harm a model trained
mostly on web data).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from selectolax.lexbor import SelectolaxError

from schemas.blocks import UNKNOWN, Blocks
from schemas.errors import BadRecord
from schemas.settings import setting, validate
from transforms.extraction import other_engines
from transforms.extraction.choice.model import Model
from transforms.extraction.extracted import Extracted, PageFacts
from transforms.extraction.page import extract_source
from transforms.extraction.texts.decoding import decoded_with_utf8
from transforms.extraction.texts.hygiene import clean_text
from transforms.extraction.texts.titled import with_title
from transforms.guard import Guard

_OF_THE_PROCESS = frozenset({"extraction_timeout", "extraction_memory", "extraction_crash"})


@dataclass(frozen=True, kw_only=True)
class ExtractConfig:
    """How pages become text, and what one page may cost."""

    engine: str = setting("winnow", "what finds the main text", choices=("winnow", "trafilatura", "resiliparse"))
    comments: str = setting(
        "drop",
        "comments under what is surely an article, or a forum's posts; resiliparse keeps them",
        choices=("drop", "keep"),
    )
    second_opinion_below: float = setting(
        0.0, "confidence of engine winnow, 0 to 1, below which trafilatura writes the text; ours", ge=0, le=1
    )
    put_title: bool = setting(
        True, "put the title of a page before its text where the text lacks it; needs engine winnow"
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
    blocks: Blocks = UNKNOWN  # spans of its own text
    facts: PageFacts | None = None  # what the page says of itself; None of engines of others
    has_new_title: bool = False  # the title was put before the text
    unreadable_date: bool = False  # the page declares a day of publication that is none, or cannot be told


class TextExtractor:
    """Extracts pages in a guarded child process. Make it in DoFn.setup, close it in DoFn.teardown."""

    def __init__(self, config: ExtractConfig) -> None:
        self._config = config
        self._guard = Guard(
            "transforms.extraction.extract:text_of_page",
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
    return _by_winnow(*decoded_with_utf8(html, charset), url or "", comments=comments, model=model)


def page_text(html: bytes, charset: str, url: str, engine: str) -> str:
    """Return the main text of a page by one engine, without its title; as `text_of_page`."""
    return text_of_page(html, charset, url, ExtractConfig(engine=engine, put_title=False)).text


def text_of_page(html: bytes, charset: str, url: str, config: ExtractConfig) -> PageText:
    """Return the main text of a page whose server declared `charset` ('': none).

    Raises BadRecord `html_unparsable`, or MemoryError, which the guard of `TextExtractor` makes a BadRecord.
    """
    source, utf8 = decoded_with_utf8(html, charset)
    comments = config.comments == "keep"
    if config.engine != "winnow":
        return PageText(_by_other(config.engine, source, url, comments=comments))
    ours = _by_winnow(source, utf8, url, comments=comments)
    is_doubtful = ours.confidence < config.second_opinion_below
    second = _second_opinion(source, url, comments=comments) if is_doubtful else ""
    text, blocks = (second, UNKNOWN) if second else (ours.text, ours.blocks)
    title = ours.title if config.put_title and ours.is_heading else ""
    titled, blocks = with_title(text, blocks, title)
    return PageText(
        titled, ours.kind, ours.confidence, is_second=bool(second), blocks=blocks, facts=ours.facts,
        has_new_title=len(titled) > len(text), unreadable_date=ours.unreadable_date,
    )  # fmt: skip


def _by_winnow(source: str, utf8: bytes | None, url: str, *, comments: bool, model: Model | None = None) -> Extracted:
    try:
        return extract_source(source, url, model, comments=comments, utf8=utf8)
    except (SelectolaxError, RecursionError) as error:  # what a page can cause; anything else is a bug
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
            text = other_engines.by_trafilatura(source, url, comments=comments)
        else:
            text = other_engines.by_resiliparse(source)
    except other_engines.ERRORS as error:
        raise BadRecord("html_unparsable", f"{engine}: {type(error).__name__}") from None
    return clean_text(text)
