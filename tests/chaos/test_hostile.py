"""Pages made to hurt: the run ends in bounded time and each of them has exactly one fate."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.chaos.harness import Running, Web, assert_balanced, fates

SENTENCE = "This is paragraph {} of an article, and it says that the reader will find what they were looking for. "
ARTICLE = "".join(f"<p>{SENTENCE.format(n)}</p>" for n in range(12))
PAGES = {
    "nested": b"<div>" * 200_000 + b"x" + b"</div>" * 200_000,
    "nested-tables": b"<table><tr><td>" * 100_000,
    "misnested": b"<b><i><a href=x>" * 70_000 + b"text",
    "attributes": b"<p " + b" ".join(b"a%d=1" % n for n in range(1_000_000)) + b">text",
    "formatting": b"<p><font size=1>" * 60_000,
    "comments": b"<!--" * 500_000,
    "entities": b"&lt;" * 1_000_000,
    "options": b"<select>" * 50_000 + b"<option>x" * 50_000,
    "lists": b"<dl><dt><dd>" * 60_000,
    "breaks": b"<br>" * 1_000_000,
    "links": b"<ul>" + b'<li><a href="/x">link</a>' * 100_000,
    "scripts": b"<script>" + b"if(a<b){" * 500_000,
    "nul": b"\0" * 1_000_000 + ARTICLE.encode(),
    "nul-inside": ARTICLE.replace("reader", "rea\0der").encode(),
    "empty": b"",
    "one-line": b"<p>" + b"word " * 1_500_000,
    "one-word": b"<p>" + b"w" * 5_000_000,
    "surrogates": b"<p>" + b"\xed\xa0\x80" * 100_000,
    "bytes": bytes(range(256)) * 4_000,
    "good": b"<html><body><article>" + ARTICLE.encode() + b"</article></body></html>",
}
BOMBS = {
    "bomb": ("gzip", gzip.compress(b"a" * (600 << 20), 9)),
    "bomb-in-bomb": ("gzip, gzip", gzip.compress(gzip.compress(b"\0" * (300 << 20), 9), 9)),
}
TEXTS = {  # for patterns that go back and forth: an article around a million signs
    "dots": ". " * 500_000, "mail": "a." * 500_000 + "@", "ats": "@a" * 500_000, "addresses": "1." * 500_000,
    "colons": "::" * 500_000, "dashes": "- " * 500_000, "brackets": "{[(" * 300_000, "lines": "a\n" * 500_000,
    "blank": "\n \t" * 300_000, "unspaced": "w" * 1_000_000,
}  # fmt: skip


def _record(number: int, name: str, body: bytes, coding: str = "") -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
    head += f"Content-Encoding: {coding}\r\n" if coding else ""
    payload = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    fields = {
        "WARC-Type": "response", "WARC-Target-URI": f"http://{name}.example/", "WARC-Date": "2024-01-01T00:00:00Z",
        "WARC-Record-ID": f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>",
        "Content-Type": "application/http; msgtype=response", "Content-Length": str(len(payload)),
    }  # fmt: skip
    lines = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
    return f"WARC/1.0\r\n{lines}\r\n".encode() + payload + b"\r\n\r\n"


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    folder = tmp_path / "crawl"
    folder.mkdir()
    records = [_record(number, name, body) for number, (name, body) in enumerate(PAGES.items())]
    records += [_record(100 + n, name, body, coding) for n, (name, (coding, body)) in enumerate(BOMBS.items())]
    (folder / "hostile.warc").write_bytes(b"".join(records))
    article = "\n".join(SENTENCE.format(n) for n in range(200))
    rows = [
        {"url": f"http://text-{name}.example/", "text": f"{article}\n{text}\n{article}"} for name, text in TEXTS.items()
    ]
    (folder / "hostile.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize("engine", ["resiliparse", "trafilatura"])
def test_hostile_pages(web: Web, crawl: Path, tmp_path: Path, engine: str) -> None:
    output, timeout_s = tmp_path / "run", 5
    limits = [f"index.ingest.max_body_bytes={32 << 20}", f"extract.timeout_s={timeout_s}"]
    changes = [word for limit in limits for word in ("--set", limit)]
    running = Web(web.root, engine).start(output, *changes, crawl=crawl)
    n_records = len(PAGES) + len(BOMBS) + len(TEXTS)
    ended = running.wait(60 + n_records * (timeout_s + 2))
    assert ended.code == 0, ended.err
    assert running.orphans() == []
    assert_balanced(output)
    assert fates(output)[0]["read"] == n_records
    assert fates(output)[0]["failed"] == {"oversized_decoded_body": len(BOMBS)}
    failed = fates(output)[1]["failed"]
    assert failed.get("extraction_timeout", 0) >= 1  # nothing else in these archives makes a parser hang
    assert set(failed) <= {"extraction_timeout", "extraction_memory", "extraction_crash"}


def test_each_hostile_page_has_one_fate(web: Web, crawl: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    assert web.run(output, "--set", "extract.timeout_s=5", crawl=crawl).code == 0
    found: list[str] = []
    for table in ("documents", "rejected", "failed"):
        shown = Running(["show", str(output), "--table", table, "--limit", "0", "--json"], web.root / "starts").wait()
        assert shown.code == 0, shown.err
        found += [row["url"] for row in json.loads(shown.out)]
    wanted = [f"http://{name}.example/" for name in [*PAGES, *BOMBS]] + [
        f"http://text-{name}.example/" for name in TEXTS
    ]
    assert sorted(url for url in found if url) == sorted(wanted)
