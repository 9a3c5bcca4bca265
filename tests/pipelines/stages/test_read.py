"""The read stage without a runner: what a page's row tells of its extraction, and the count of second opinions."""

from __future__ import annotations

import bz2
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipelines.runs.tables import read_batches
from pipelines.runs.upstream import Upstream
from pipelines.stages.index import IndexStage
from pipelines.stages.read import ReadStage
from transforms.extraction.choice.page_kind import KINDS
from transforms.extraction.extract import ExtractConfig, text_of_page
from transforms.sources.items import IngestConfig
from transforms.sources.web.archives import WebArchives
from transforms.sources.web.page_reader import SECOND_OPINION, TITLES, UNREADABLE_DATES, PageReader, PageReading
from transforms.sources.wikipedia.reader import ArticleReader
from transforms.sources.wikipedia.settings import WikipediaReadConfig, WikipediaScanConfig
from transforms.sources.wikipedia.source import Wikipedia

PROSE = "A sentence of the article that is long enough to be kept by any engine, with commas, and more words."
HTML = f"<html><body><article><h1>Head</h1>{f'<p>{PROSE}</p><p>Other: {PROSE}</p>' * 4}</article></body></html>"
HEADS = {  # what the pages say of themselves
    "https://a.example/news/one": "<title>A walk at night | The Paper</title><meta name=date content=2023-12-31>",
    "https://b.example/news/two": "<title>Home</title><meta name=date content=2034-03-07>",
}
FETCHED = "2024-03-05T10:00:00Z"


def html_of(url: str) -> bytes:
    head = f"<head>{HEADS[url]}<meta name=description content='Of {url}.'></head>"
    return HTML.replace("<html>", f"<html lang=en_gb>{head}").encode()


def archive(folder: Path) -> Path:
    stream = io.BytesIO()
    writer = WARCWriter(stream, gzip=True)
    for url in HEADS:
        page = html_of(url)
        head = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
        writer.write_record(
            writer.create_warc_record(
                url, "response", payload=io.BytesIO(page), length=len(page), http_headers=head,
                warc_headers_dict={"WARC-Date": FETCHED},
            )
        )  # fmt: skip
    path = folder / "pages.warc.gz"
    path.write_bytes(stream.getvalue())
    return path


@pytest.mark.parametrize(("below", "n_second"), [(0.0, 0), (1.0, 2)])
def test_rows_and_counts(new_dataset: Callable[..., Any], tmp_path: Path, below: float, n_second: int) -> None:
    data = new_dataset(tmp_path)
    config = ExtractConfig(second_opinion_below=below)
    source = WebArchives("web", IngestConfig(), PageReader(PageReading(extract=config)))
    index = data.archives(IndexStage(source), [archive(tmp_path)])
    done = data.run(ReadStage(source, name="extract"), [], Upstream(((index.manifest, index.data),)))
    counts, target = done.manifest.counts, done.data
    assert (counts.read, counts.kept) == (2, 2)
    n_titles = 1 if n_second else 2  # trafilatura keeps the heading of the page called Home
    assert Counter(counts.edits) == Counter({TITLES: n_titles, UNREADABLE_DATES: 1, SECOND_OPINION: n_second})
    rows = [row for file in target.files("documents") for batch in read_batches(file) for row in batch.to_pylist()]
    for row in rows:
        found = text_of_page(html_of(str(row["url"])), "utf-8", row["url"], config)
        assert (row["text"], row["page_kind"]) == (found.text, found.kind)
        assert row["page_kind"] in KINDS
        assert row["extraction_confidence"] == pytest.approx(found.confidence, rel=1e-6)
        spans = [(block["kind"], block["start"], block["end"]) for block in row["blocks"]]
        assert spans == found.blocks.spans()
        assert bool(spans) != bool(n_second)  # those of a second opinion are unknown
        assert found.is_second == bool(n_second)
    said = {row["url"]: row["web"] for row in rows}
    assert said["https://a.example/news/one"] == {
        "title": "A walk at night", "published": "2023-12-31", "declared_language": "en-GB",
        "description": "Of https://a.example/news/one.",
    }  # fmt: skip
    later = said["https://b.example/news/two"]
    assert (later["title"], later["published"]) == ("Head", None)  # more than ten years after it was fetched
    assert {row["text"].split("\n")[0] for row in rows} == {"A walk at night", "Head"}


def test_a_dump_of_wikipedia_is_a_source_like_any_other(new_dataset: Callable[..., Any], tmp_path: Path) -> None:
    pages = "".join(
        f"<page><title>Page {n}</title><ns>0</ns><id>{n}</id><revision><id>{n}</id><text>Text '''{n}'''.\n* item</text>"
        "</revision></page>\n"
        for n in range(3)
    )
    head = "<mediawiki xml:lang='en'><siteinfo><dbname>enwiki</dbname></siteinfo>"
    dump = tmp_path / "enwiki.xml.bz2"
    dump.write_bytes(b"".join(bz2.compress(data.encode()) for data in (head, pages, "</mediawiki>")))
    source = Wikipedia("wiki", WikipediaScanConfig(part_mib=1), ArticleReader(WikipediaReadConfig()))
    data = new_dataset(tmp_path / "runs")
    index = data.archives(IndexStage(source), [dump])
    data.runs.clear()
    done = data.run(ReadStage(source), [], Upstream(((index.manifest, index.data),)))
    rows = sorted(done.rows("documents"), key=lambda row: str(row["record_id"]))
    assert [row["text"] for row in rows] == [f"Page {n}\n\nText {n}.\n\nitem" for n in range(3)]
    assert {(row["source"], row["language"], row["wikipedia"]["wiki"]) for row in rows} == {("wiki", "en", "enwiki")}
    assert [block["kind"] for block in rows[0]["blocks"]] == ["heading", "paragraph", "list_item"]
