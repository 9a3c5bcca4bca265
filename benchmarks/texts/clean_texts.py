"""Texts that no rule should take for harmful or personal, by kind, for benchmarks/texts/false_positives.py.

A page is its gold main text where there is one, and what Winnow extracts of it elsewhere. A long text is cut to
documents of at most 10,000 characters. Medical and educational are documents of all kinds with at least 5 words of
their field, and 4 in every 1,000 words.
"""

from __future__ import annotations

import csv
import gzip
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from benchmarks import machine
from schemas.records import Header
from transforms.extraction.extract import main_text
from transforms.sources.wikipedia.reader import ArticleReader
from transforms.sources.wikipedia.settings import WikipediaReadConfig, WikipediaScanConfig
from transforms.sources.wikipedia.source import Wikipedia

DATA = machine.ROOT.parent / "shared" / "data"
MAX_CHARS = 10_000
FIELDS = {
    "medical": r"patients?|symptoms?|clinical|diseases?|medical|treatments?|diagnos\w+|doctors?",
    "educational": r"students?|teachers?|lessons?|courses?|classrooms?|curriculum|exams?|homework|university|schools?",
}


@dataclass(frozen=True)
class CleanText:
    """A document; `url` is '' where it has none."""

    kind: str
    text: str
    url: str = ""


def clean_texts(data: Path) -> Iterator[CleanText]:
    """Yield the documents of all kinds."""
    for some in (_declarations, _gold_pages, _pages, _web_texts, _news, _wikipedia, _other):
        for one in some(data):
            for at in range(0, len(one.text), MAX_CHARS):
                yield CleanText(one.kind, one.text[at : at + MAX_CHARS], one.url)


def is_of(field: str, text: str) -> bool:
    """Say whether a text is of a field of FIELDS."""
    n_found = len(re.findall(rf"\b(?:{FIELDS[field]})\b", text.lower()))
    return n_found >= 5 and n_found * 1000 >= 4 * len(text.split())


def _declarations(data: Path) -> Iterator[CleanText]:
    for file in sorted((data / "langid" / "udhr2").glob("*.txt")):
        yield CleanText("Universal Declaration", file.read_text(encoding="utf-8"))


def _gold_pages(data: Path) -> Iterator[CleanText]:
    for name, kind in (("fundus", "news pages (fundus)"), ("wcxb", "pages (WCXB)")):
        for file in sorted((data / "extraction" / name / "ground-truth").glob("*.json")):
            page = json.loads(file.read_text(encoding="utf-8"))
            yield CleanText(kind, page["ground_truth"].get("main_content") or "", page.get("url") or "")


def _pages(data: Path) -> Iterator[CleanText]:
    folder = data / "extraction"
    names = [*sorted((folder / "snippets" / "html").iterdir()),
             *sorted((folder / "mozilla_readability").glob("*/source.html.gz"))]  # fmt: skip
    for file in names:
        page = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        yield CleanText("pages (snippets, Readability)", main_text(page))


def _web_texts(data: Path) -> Iterator[CleanText]:
    for file in sorted((data / "web_text").glob("*.jsonl")):
        for line in file.open(encoding="utf-8"):
            row = json.loads(line)
            yield CleanText("web texts (C4, Dolma)", row["text"], row["id"] if "://" in row.get("id", "") else "")
    for line in (data / "quality" / "dclm_human_quality_dev.jsonl").open(encoding="utf-8"):
        yield CleanText("web texts (DCLM's sample)", json.loads(line)["text"])


def _news(data: Path) -> Iterator[CleanText]:
    for line in (data / "neardup" / "minhash_articles_1000.train").open(encoding="utf-8"):
        yield CleanText("news (articles)", line.partition(" ")[2])
    with (data / "domain" / "ag_news_test_even.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            yield CleanText("news (AG)", "\n".join(row[1:]))


def _wikipedia(data: Path) -> Iterator[CleanText]:
    for file in sorted((data / "web_text").glob("*wiki*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield CleanText("Wikipedia", line)
    dump = data / "wikipedia" / "enwiki-shortened.xml.bz2"
    source = Wikipedia("wikipedia", WikipediaScanConfig(), ArticleReader(WikipediaReadConfig()))
    for part in source.parts([(str(dump), dump.stat().st_size)]):
        headers = {header.row: header for header in source.scan(part) if isinstance(header, Header)}
        for text in source.reader.read(part, headers):
            yield CleanText("Wikipedia", text.text, headers[text.row].url)


def _other(data: Path) -> Iterator[CleanText]:
    for file in sorted((data / "gutenberg").glob("*.txt")):
        yield CleanText("books", file.read_text(encoding="utf-8", errors="replace"))
    for row in ElementTree.parse(data / "stackexchange" / "coffee_Posts.xml").iter("row"):  # noqa: S314  our own file
        yield CleanText("posts (StackExchange)", html.unescape(re.sub("<[^>]+>", "", row.get("Body", ""))))
    for line in (data / "sft" / "gsm8k_train.jsonl").open(encoding="utf-8"):
        yield CleanText("sums (GSM8K)", "\n".join(json.loads(line).values()))
