"""Pages to text: hostile pages, independence of order, the guarded extractor. See test_extract_text for the rest."""

from __future__ import annotations

import gzip
import json
import pathlib
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]
from selectolax.lexbor import SelectolaxError

from schemas.blocks import UNKNOWN
from schemas.errors import BadRecord, ConfigError
from transforms.extraction import extract
from transforms.extraction.extract import (
    ExtractConfig,
    PageText,
    TextExtractor,
    clean_text,
    extract_page,
    main_text,
    page_text,
)

SHARED_PAGES = pathlib.Path(__file__).resolve().parents[3].parent / "shared" / "data" / "extraction" / "wcxb"

PROSE = "A sentence of the article that is long enough to be kept by the engine, with commas, and more words."
CHROME = '<nav><a href="/">Home</a> <a href="/about">About us</a></nav>'


def page(body: str, head: str = "<title>t</title>") -> bytes:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{CHROME}<article>{body}</article></body></html>".encode()


def trafilatura_text(html: bytes) -> str:
    return page_text(html, "", "", "trafilatura")


ARTICLE = page(f"<h1>The Heading</h1><p>{PROSE}</p><p>{PROSE[::-1]}</p>")


# ---- the fixed entry ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("engine", "between"), [("trafilatura", "\n"), ("resiliparse", "\n\n")])
def test_an_article_without_its_chrome(engine: str, between: str) -> None:
    expected = between.join(["The Heading", PROSE, PROSE[::-1]])
    assert page_text(ARTICLE, "", "", engine) == expected
    assert page_text(ARTICLE, "utf-8", "https://example.org/a", engine) == expected


def test_our_own_engine_keeps_the_prose_and_drops_the_chrome() -> None:
    text = main_text(page("".join(f"<p>{n}. {PROSE}</p>" for n in range(5))))
    assert text.split("\n\n") == [f"{n}. {PROSE}" for n in range(5)]


def test_the_fixed_entry_is_engine_winnow() -> None:
    assert main_text(ARTICLE) == main_text(ARTICLE, "https://example.org/a") == page_text(ARTICLE, "", "", "winnow")


@pytest.mark.parametrize(
    "html",
    [
        b"",
        b" ",
        b"\0",
        b"<",
        b"<html>",
        b"<?xml?>",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"<!-- only a comment -->",
        b"<html><body><script>var a = 1;</script></body></html>",
        b"{}",
    ],
)
def test_a_page_without_text_is_empty(html: bytes) -> None:
    assert main_text(html) == ""


@pytest.mark.parametrize("html", [b"a", b"plain words, no page", b"{a: 1}"])
def test_words_without_a_page_are_its_text(html: bytes) -> None:
    assert main_text(html) == html.decode()
    assert trafilatura_text(html) == ""


@pytest.mark.parametrize("url", ["", "http://[", "x", "\ud800", "javascript:1", "http://a.b/" + "c" * 10_000])
def test_the_url_never_harms(url: str) -> None:
    assert main_text(ARTICLE, url) == main_text(ARTICLE)


def test_nul_and_controls_in_the_page() -> None:
    text = main_text(page(f"<p>{PROSE} One\0 two\x07 three\x0c four &#xd800; &#0; \ufeff five six seven.</p>"))
    assert text.startswith(PROSE)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in text)
    assert "seven" in text


@pytest.mark.parametrize("engine", ["winnow", "trafilatura", "resiliparse"])
def test_the_text_is_nfc(engine: str) -> None:
    sentence = "Cafe\u0301 cre\u0300me, avec une phrase assez longue pour que tout moteur la garde sans aucun doute."
    text = page_text(page(f"<p>{sentence}</p>" * 3), "", "", engine)
    assert text.endswith("Café crème, avec une phrase assez longue pour que tout moteur la garde sans aucun doute.")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("می&zwnj;خواهم", "می\u200cخواهم"),
        ("क्&#8205;ष और 👩\u200d💻", "क्\u200dष और 👩\u200d💻"),
        ("क्&#x200D;ष", "क्\u200dष"),
        ("no joiner", "no joiner"),
    ],
)
def test_joiners_survive(source: str, expected: str) -> None:
    assert trafilatura_text(page(f"<p>{PROSE}</p><p>{source} {PROSE}</p>")) == f"{PROSE}\n{expected} {PROSE}"


def test_a_page_that_uses_the_stand_ins_keeps_them() -> None:
    text = trafilatura_text(page(f"<p>{PROSE}</p><p>\U00016fe0 a\u200cb {PROSE}</p>"))
    assert text == f"{PROSE}\n\U00016fe0 ab {PROSE}"


def test_lists_tables_and_code_without_markers() -> None:
    html = page(
        f"<p>{PROSE}</p><ul><li>first item here<ul><li>nested item</li></ul></li><li>second <b>bold</b> item</li></ul>"
        "<table><tr><th>Name</th><th>Age</th></tr><tr><td>A|B</td><td>3</td></tr></table>"
        "<pre><code># no heading\ndef f(*args):\n\n    # &lt;b&gt; &amp;lt;\n    return '**x**'\n</code></pre>"
        f"<p>Call <code>__init__(*a)</code> or <code>a `b` | c</code> in C#. {PROSE}</p>"
        f"<p>- A dash that is shown. {PROSE}</p>"
    )
    assert trafilatura_text(html).split("\n") == [
        PROSE,
        "first item here",
        "nested item",
        "second bold item",
        "Name\tAge",
        "A|B\t3",
        "# no heading",
        "def f(*args):",
        "",
        "    # <b> &lt;",
        "    return '**x**'",
        f"Call __init__(*a) or a `b` | c in C#. {PROSE}",
        f"- A dash that is shown. {PROSE}",
    ]


def test_preformatted_text_that_is_no_code_stays_as_it_is() -> None:
    text = trafilatura_text(page(f"<p>{PROSE}</p><pre>x = 1\n  y **z**\n\n# q\n&gt; r</pre><p>{PROSE[::-1]}</p>"))
    assert text == f"{PROSE}\nx = 1\n  y **z**\n\n# q\n> r\n{PROSE[::-1]}"


def test_code_inside_a_table_cell_stays_in_its_row() -> None:
    rows = "".join(f"<tr><td>name {n}</td><td><code>a = {n}\nb = 2</code></td></tr>" for n in range(3))
    text = trafilatura_text(page(f"<p>{PROSE}</p><table>{rows}</table><p>{PROSE[::-1]}</p>"))
    assert [line for line in text.split("\n") if line.startswith("name")] == [
        f"name {n}\ta = {n} b = 2" for n in range(3)
    ]


# ---- hostile pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        b"<html><body>" + b"<div>" * 50_000,
        b"<html><body>" + b"<b><i>" * 10_000 + b"text",
        b"<html><body>" + b"<table><tr><td>x" * 500,
        b"<html><body>" + b"<ul><li>x" * 500,
        b"<html>" + b"&" * 50_000,
        b"<html><body><p>" + b"word " * 100_000,
        b"<html><body><table><tr><td colspan=99999999 rowspan=99999999>x",
        b"<html><![CDATA[<p>",
        b"<html " + b"a=b " * 10_000,
        b"<html><svg><math><p>" * 200,
        ARTICLE.decode().encode("utf-16-le"),
        bytes(range(256)) * 100,
    ],
)
def test_hostile_pages_give_text_or_bad_record(html: bytes) -> None:
    try:
        text = main_text(html, "http://[")
    except BadRecord as error:
        text = error.cause
    assert text == clean_text(text)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.integers(0, len(ARTICLE)), st.text(max_size=20))
def test_any_bytes_in_a_page(junk: bytes, place: int, charset: str) -> None:
    text = page_text(ARTICLE[:place] + junk + ARTICLE[place:], charset, "", "trafilatura")
    assert text == clean_text(text)
    text.encode()


@pytest.mark.parametrize(
    ("error", "engines"),
    [
        (RecursionError(), ("winnow", "trafilatura", "resiliparse")),
        (SelectolaxError("no tree"), ("winnow",)),
        (ValueError("a text of the page"), ("trafilatura", "resiliparse")),
        (IndexError(), ("trafilatura", "resiliparse")),
        (etree.ParserError("Document is empty"), ("trafilatura", "resiliparse")),
    ],
)
def test_what_an_engine_raises_is_a_bad_record(
    monkeypatch: pytest.MonkeyPatch, error: Exception, engines: Sequence[str]
) -> None:
    def fail(*_args: Any, **_options: Any) -> str:
        raise error

    for name in ("by_trafilatura", "by_resiliparse"):
        monkeypatch.setattr(extract.other_engines, name, fail)
    monkeypatch.setattr(extract, "extract_source", fail)
    for engine in engines:
        with pytest.raises(BadRecord) as caught:
            page_text(ARTICLE, "", "", engine)
        assert (caught.value.cause, caught.value.detail) == ("html_unparsable", f"{engine}: {type(error).__name__}")


def test_no_memory_is_a_bad_record_of_the_fixed_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(extract, "extract_source", fail)
    with pytest.raises(BadRecord) as caught:
        main_text(ARTICLE)
    assert caught.value.cause == "extraction_memory"


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_what_trafilatura_swallows_is_raised(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    import trafilatura.external

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(trafilatura.external, "ReadabilityDocument", fail)
    with pytest.raises(MemoryError if error is MemoryError else BadRecord):
        trafilatura_text(ARTICLE)
    monkeypatch.undo()
    assert trafilatura_text(ARTICLE).startswith("The Heading")


# ---- one page at a time ---------------------------------------------------------------------------------------------


def repeated_pages() -> list[bytes]:
    """Pages that share most of their paragraphs, which trafilatura's deduplication would drop from the third on."""
    shared = "".join(f"<p>Shared paragraph {n}. {PROSE}</p>" for n in range(4))
    return [page(f"<h1>Page {n}</h1>{shared}<p>Its own {n}. {PROSE}</p>") for n in range(12)] * 2


@pytest.mark.parametrize("engine", ["winnow", "trafilatura"])
def test_a_text_depends_on_no_earlier_page(engine: str) -> None:
    pages = repeated_pages()
    forward = [page_text(html, "", "", engine) for html in pages]
    backward = [page_text(html, "", "", engine) for html in reversed(pages)]
    assert forward == backward[::-1]
    assert forward[:12] == forward[12:]
    assert all(text.count("Shared paragraph") == 4 for text in forward)


def test_real_pages_in_another_order_and_alone() -> None:
    if not SHARED_PAGES.is_dir():
        pytest.skip("the WCXB pages are not beside the checkout")
    paths = sorted((SHARED_PAGES / "html").iterdir())[::90]
    pages = [html for html in (gzip.decompress(path.read_bytes()) for path in paths) if len(html) < 300_000]
    forward = [main_text(html) for html in pages]
    with TextExtractor(ExtractConfig(recycle_pages=1, put_title=False)) as one_child_a_page:
        alone = [one_child_a_page.extract(html, "", "")[0].text for html in pages[:4]]
    assert len(pages) >= 8
    assert [main_text(html) for html in reversed(pages)] == forward[::-1]
    assert alone == forward[:4]


def test_real_pages_reach_the_measured_quality() -> None:
    """Snippets of 13 pages of the benchmark that must, and must not, appear."""
    if not SHARED_PAGES.is_dir():
        pytest.skip("the WCXB pages are not beside the checkout")
    n_wanted = n_found = n_unwanted = n_leaked = 0
    for path in sorted((SHARED_PAGES / "ground-truth").iterdir())[::90]:
        truth = json.loads(path.read_text())["ground_truth"]
        text = main_text(gzip.decompress((SHARED_PAGES / "html" / f"{path.stem}.html.gz").read_bytes()))
        n_wanted += len(truth.get("with") or [])
        n_found += sum(snippet in text for snippet in truth.get("with") or [])
        n_unwanted += len(truth.get("without") or [])
        n_leaked += sum(snippet in text for snippet in truth.get("without") or [])
    assert n_found >= 0.7 * n_wanted > 0
    assert n_leaked <= 0.15 * n_unwanted


# ---- the guarded extractor ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def extractor() -> Iterator[TextExtractor]:
    with TextExtractor(ExtractConfig(timeout_s=20.0, memory_mb=256, max_html_bytes=3_000_000)) as made:
        yield made


def test_the_extractor_gives_the_same_text_and_the_cpu_time(extractor: TextExtractor) -> None:
    found, cpu_s = extractor.extract(ARTICLE, "utf-8", "https://example.org/")
    assert found.text == "t\n\n" + main_text(ARTICLE, "https://example.org/")  # its title is "t"
    assert (found.kind, found.is_second) == (extract_page(ARTICLE, "https://example.org/").kind, False)
    assert 0.5 < found.confidence <= 1
    pieces = [(kind, found.text[start:end]) for kind, start, end in found.blocks.spans()]
    assert pieces == [("heading", "t"), ("paragraph", PROSE), ("paragraph", PROSE[::-1])]
    assert 0.0 < cpu_s < 10.0


def test_both_sides_of_the_size_limit(extractor: TextExtractor) -> None:
    assert extractor.extract(ARTICLE + b" " * (3_000_000 - len(ARTICLE)), "", "")[0].text == "t\n\n" + main_text(
        ARTICLE
    )
    with pytest.raises(BadRecord) as caught:
        extractor.extract(b" " * 3_000_001, "", "")
    assert str(caught.value) == "extraction_oversized: 3000001 bytes, at most 3000000 are parsed"


def test_a_page_over_its_limits_costs_only_itself() -> None:
    slow = b"<html><body>" + b"<p>word" * 100_000
    with TextExtractor(ExtractConfig(timeout_s=0.6)) as impatient:
        with pytest.raises(BadRecord) as caught:
            impatient.extract(slow, "", "")
        assert caught.value.cause == "extraction_timeout"
    with TextExtractor(ExtractConfig(memory_mb=64)) as small:
        with pytest.raises(BadRecord) as caught:
            small.extract(slow, "", "")
        assert caught.value.cause in ("extraction_memory", "extraction_crash")
        assert small.extract(ARTICLE, "", "")[0].text == "t\n\n" + main_text(ARTICLE)


def test_the_declared_charset_reaches_the_decoder(extractor: TextExtractor) -> None:
    sentence = (
        "Съешь же ещё этих мягких французских булок, да выпей чаю, и приходи к нам ещё раз в воскресенье вечером."
    )
    html = page(f"<p>{sentence}</p>" * 3).decode().encode("koi8-r")
    assert extractor.extract(html, "koi8-r", "")[0].text.endswith(sentence)


def test_the_other_engine() -> None:
    with TextExtractor(ExtractConfig(engine="resiliparse")) as fast:
        assert fast.extract(ARTICLE, "", "")[0] == PageText(f"The Heading\n\n{PROSE}\n\n{PROSE[::-1]}", blocks=UNKNOWN)
        assert fast.extract(b"\0<html>", "", "")[0] == PageText("")


@pytest.mark.parametrize(
    "wrong",
    [
        {"engine": "jusText"},
        {"comments": "some"},
        {"second_opinion_below": 1.01},
        {"second_opinion_below": -0.01},
        {"timeout_s": 0.0},
        {"memory_mb": 63},
        {"max_html_bytes": 0},
        {"recycle_pages": -1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ExtractConfig(**wrong)
