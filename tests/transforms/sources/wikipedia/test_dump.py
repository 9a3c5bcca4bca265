"""Dumps: each page once, whatever the parts; what is broken costs itself."""

from __future__ import annotations

import bz2
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.records import Header
from transforms.sources.items import Broken, Part, Skipped
from transforms.sources.wikipedia.reader import ArticleReader
from transforms.sources.wikipedia.settings import WikipediaReadConfig, WikipediaScanConfig
from transforms.sources.wikipedia.source import Wikipedia

SHARED = Path(__file__).resolve().parents[5] / "shared" / "data" / "wikipedia" / "enwiki-shortened.xml.bz2"
HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10" xml:lang="de"><siteinfo>
<sitename>Wikipedia</sitename><dbname>dewiki</dbname><base>https://de.wikipedia.org/wiki/Hauptseite</base>
<namespaces><namespace key="0" /><namespace key="6">Datei</namespace><namespace key="14">Kategorie</namespace>
</namespaces></siteinfo>
"""


def page(number: int, text: str = "", title: str = "", ns: int = 0, more: str = "") -> str:
    body = text or f"Der Artikel {number} hat einen Satz. [[Datei:x.jpg|thumb|Bild]] [[Kategorie:K]]"
    return (
        f"<page><title>{title or f'Seite {number}'}</title><ns>{ns}</ns><id>{number}</id>{more}<revision>"
        f"<id>{number + 1000}</id><timestamp>2020-01-02T03:04:05Z</timestamp><model>wikitext</model>"
        f'<text xml:space="preserve">{body}</text></revision></page>\n'
    )


def multistream(folder: Path, pages: list[str], per_stream: int = 3) -> Path:
    path = folder / "dewiki-pages-articles-multistream.xml.bz2"
    groups = [HEAD, *("".join(pages[n : n + per_stream]) for n in range(0, len(pages), per_stream)), "</mediawiki>"]
    path.write_bytes(b"".join(bz2.compress(group.encode()) for group in groups))
    return path


def source(**settings: Any) -> Wikipedia:
    return Wikipedia("wiki", WikipediaScanConfig(**settings), ArticleReader(WikipediaReadConfig()))


def read(path: Path, n_parts: int = 1, **settings: Any) -> tuple[list[Any], dict[str, str]]:
    """Return all items of a scan, and the texts by record id."""
    wiki, size = source(**settings), path.stat().st_size
    items: list[Any] = []
    texts: dict[str, str] = {}
    for n in range(n_parts):
        part = Part(str(path), size * n // n_parts, size * (n + 1) // n_parts)
        found = list(wiki.scan(part))
        assert [item.row for item in found] == list(range(len(found)))
        headers = {item.row: item for item in found if isinstance(item, Header)}
        for text in wiki.reader.read(part, headers):
            assert headers[text.row].record_id not in texts
            texts[headers[text.row].record_id] = text.text
        items += found
    return items, texts


def test_a_page_says_what_it_is(tmp_path: Path) -> None:
    (header,), texts = read(multistream(tmp_path, [page(7, title="Größe &amp; Maß")]))
    assert (header.record_id, header.url) == ("dewiki:7", "https://de.wikipedia.org/wiki/Gr%C3%B6%C3%9Fe_%26_Ma%C3%9F")
    assert header.fetched_at.isoformat() == "2020-01-02T03:04:05+00:00"
    assert texts == {"dewiki:7": "Größe & Maß\n\nDer Artikel 7 hat einen Satz."}


@pytest.mark.parametrize("n_parts", [1, 2, 3, 7, 40, 400])
def test_any_parts_give_each_page_once(tmp_path: Path, n_parts: int) -> None:
    path = multistream(tmp_path, [page(n) for n in range(40)])
    items, texts = read(path, n_parts)
    assert sorted(item.record_id for item in items) == sorted(f"dewiki:{n}" for n in range(40))
    assert texts == read(path)[1]


@pytest.mark.parametrize("n_parts", [1, 5])
def test_one_stream_and_plain_xml_give_the_same(tmp_path: Path, n_parts: int) -> None:
    pages = [page(n) for n in range(40)]
    whole = HEAD + "".join(pages) + "</mediawiki>"
    (tmp_path / "dewiki.xml").write_text(whole)
    (tmp_path / "dewiki.xml.bz2").write_bytes(bz2.compress(whole.encode()))
    expected = read(multistream(tmp_path, pages))[1]
    assert read(tmp_path / "dewiki.xml", n_parts)[1] == expected
    assert read(tmp_path / "dewiki.xml.bz2", n_parts)[1] == expected


def test_what_is_left_out_says_why(tmp_path: Path) -> None:
    pages = [
        page(1, ns=1), page(2, more='<redirect title="Seite 1" />'), page(3, "#WEITERLEITUNG [[Seite 1]]"),
        page(4, "{{Begriffsklärung}} x"), page(5, " \n"), page(6).replace("wikitext", "css"), page(8, "x" * 3000),
        page(9),
    ]  # fmt: skip
    items, texts = read(multistream(tmp_path, pages), max_page_bytes=2000)
    reasons = [item.reason for item in items if isinstance(item, Skipped)]
    assert reasons == [
        "namespace", "redirect", "redirect", "disambiguation", "no_text", "not_wikitext", "oversized_page"
    ]  # fmt: skip
    assert list(texts) == ["dewiki:9"]


def test_a_broken_page_costs_itself(tmp_path: Path) -> None:
    pages = [page(1), page(2).replace("</title>", "</titel>"), page(3)]
    items, texts = read(multistream(tmp_path, pages))
    assert [type(item) for item in items] == [Header, Broken, Header]
    assert items[1].cause == "malformed_page"
    assert list(texts) == ["dewiki:1", "dewiki:3"]


def test_a_corrupt_stream_costs_itself_and_a_cut_file_its_end(tmp_path: Path) -> None:
    path = multistream(tmp_path, [page(n) for n in range(12)])
    data = bytearray(path.read_bytes())
    starts = [n for n in range(len(data)) if data[n : n + 10].startswith(b"BZh9") and data[n + 4 : n + 6] == b"1A"]
    data[starts[2] + 40] ^= 255  # the second stream of pages
    path.write_bytes(bytes(data))
    items, texts = read(path, 3)
    assert Counter(type(item).__name__ for item in items) == {"Header": 9, "Broken": 1}
    assert [item.cause for item in items if isinstance(item, Broken)] == ["corrupt_member"]
    path.write_bytes(bytes(data[: starts[4] + 30]))
    items, texts = read(path)
    assert [item.cause for item in items if isinstance(item, Broken)][-1] == "truncated_member"
    assert len(texts) == 6


@pytest.mark.parametrize(
    ("data", "cause"),
    [(b"", "empty_file"), (b"no dump", "not_a_dump"), ("<mediawiki/>".encode("utf-16"), "unsupported_encoding")],
)
def test_no_dump_is_one_failure(tmp_path: Path, data: bytes, cause: str) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(data)
    items, _ = read(path)
    assert [item.cause for item in items] == [cause]


@pytest.mark.skipif(not SHARED.exists(), reason="the excerpt of a real dump is absent")
def test_a_real_excerpt() -> None:
    items, texts = read(SHARED)
    assert Counter(getattr(item, "reason", "read") for item in items) == {
        "read": 98, "redirect": 99, "disambiguation": 8, "namespace": 1
    }  # fmt: skip
    assert all(text.strip() for text in texts.values())
    marks = ("[[", "]]", "'''", "<ref", "{|", "&nbsp;", "&lt;", "\x01", "\x04")
    prose = ["\n".join(line for line in text.split("\n") if "$" not in line) for text in texts.values()]
    assert [mark for mark in marks if any(mark in text for text in prose)] == []
