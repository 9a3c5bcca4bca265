"""Pages that cost more than any page may: nested, wide, long. Each is made when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

from schemas.errors import BadRecord
from transforms.extraction.extract import ExtractConfig, TextExtractor

PROSE = b"<p>" + b"A sentence of the article, long enough to be one. " * 20


def nested(opener: bytes, n: int = 200_000) -> bytes:
    return b"<body>" + PROSE + opener * n + b"deep inside"


COSTLY_PAGES: dict[str, Callable[[], bytes]] = {
    "div": lambda: nested(b"<div>"),
    "b": lambda: nested(b"<b>"),
    "list": lambda: nested(b"<ul><li>", 100_000),
    "table": lambda: nested(b"<table><tr><td>", 5_000),
    "math": lambda: nested(b"<span class=math>"),
    "katex": lambda: nested(b"<span class=katex><i>", 100_000),
    "mathml": lambda: nested(b"<math><mrow>"),
    "code": lambda: nested(b"<pre><code>", 20_000),
    "highlight": lambda: nested(b"<div class='highlight code'>", 50_000),
    "quote": lambda: nested(b"<blockquote class=comment>", 50_000),
    "template": lambda: nested(b"<svg><template>", 20_000),
    "attributes": lambda: b"<p " + b" ".join(b"a%d=1" % number for number in range(1_000_000)) + b">" + PROSE,
    "class": lambda: b"<p class='" + b"word " * 2_000_000 + b"'>" + PROSE,
    "paragraphs": lambda: b"<p>word</p>" * 1_000_000,
    "one_paragraph": lambda: b"<p>" + b"word " * 4_000_000,
    "one_word": lambda: b"<p>" + b"x" * 50_000_000,
    "entities": lambda: b"<p>" + b"&amp;" * 2_000_000,
    "tex": lambda: b"<p>" + b"\\(" * 2_000_000,
    "empty_lines": lambda: b"<pre>" + b"\n" * 5_000_000 + b"x",
    "spans": lambda: b"<table>" + b"<tr><td colspan=1000 rowspan=65534>x" * 50_000,
    "links": lambda: b"<a href=#>x</a> " * 300_000,
    "comments": lambda: b"<!--" * 2_000_000,
    "zeros": lambda: b"\x00" * 20_000_000,
    "mojibake": lambda: ("Ã©" * 2_000_000).encode(),
    "combining": lambda: ("e\u0301\u200d" * 1_000_000).encode(),
}


def make_extractor(engine: str, limit_s: float) -> TextExtractor:
    config = ExtractConfig(engine=engine, timeout_s=limit_s, memory_mb=768, max_html_bytes=60_000_000)
    extractor = TextExtractor(config)
    assert refused(extractor, PROSE) == ""  # what the first page pays for: a new process and its imports
    return extractor


def assert_costs_its_limit(extractor: TextExtractor, html: bytes, limit_s: float) -> None:
    """Check that a page gives a text or a named error in two times its limit, and that the next page is well."""
    started = time.monotonic()
    cause = refused(extractor, html)
    assert cause == "" or cause.startswith(("extraction_", "html_"))
    assert time.monotonic() - started < 2 * limit_s + 10  # two tries, and a new process between
    found, _cpu_s = extractor.extract(PROSE, "", "")
    assert found.text.startswith("A sentence of the article")


def refused(extractor: TextExtractor, html: bytes) -> str:
    """Return why a page gives no text, '' when it gives one."""
    try:
        found, _cpu_s = extractor.extract(html, "", "")
    except BadRecord as error:
        return error.cause
    return "" if isinstance(found.text, str) else type(found.text).__name__
