"""What must hold of any bytes that a reader is given: a fate for each record, twice the same, no other exception."""

from __future__ import annotations

import tempfile
from pathlib import Path

from schemas.errors import BadRecord, ConfigError
from schemas.records import Header, to_batch
from transforms.dedup.urls import host, normalise, url_key
from transforms.safety.blocklist_files import domain_hashes, url_hashes
from transforms.sources.dates import date_text, parse_date
from transforms.sources.items import Broken, IngestConfig, Part, Skipped
from transforms.sources.read import read_bodies, scan
from transforms.sources.web.http import decode_body, parse_head
from transforms.tokens.tokenizer import TokenizerConfig, load, train_bpe

LIMIT = 1 << 16  # bytes of a body: bombs are many, and each costs its limit
CONFIG = IngestConfig(keep_plain_text=True, max_body_bytes=LIMIT)
TOKENS = TokenizerConfig(vocab_size=280)
FOLDER = Path(tempfile.mkdtemp(prefix="winnow-fuzz-"))


def check_file(data: bytes, name: str) -> list[Header | Skipped | Broken]:
    """Read a file as one part, and the bodies of what it holds; return its items."""
    path = FOLDER / name
    path.write_bytes(data)
    part = Part(str(path), 0, max(1, len(data)))
    items = list(scan(part, CONFIG))
    assert [item.row for item in items] == list(range(len(items))), "a row has not its place"
    assert all(item.offset >= 0 for item in items), "an item without its place in the file"
    assert all(item.cause for item in items if isinstance(item, Broken)), "a failure without a cause"
    headers = [item for item in items if isinstance(item, Header)]
    to_batch(Header, headers)  # Arrow takes every string
    bodies = list(read_bodies(part, [header.row for header in headers], CONFIG))
    assert [row for row, _ in bodies] == [header.row for header in headers], "not the same pages the second time"
    return items


def check_archive(data: bytes) -> None:
    for name in ("a.warc", "a.warc.gz", "a.arc", "a.warc.zst", "a.warc.lz4"):
        check_file(data, name)


def check_jsonl(data: bytes) -> None:
    for name in ("a.jsonl", "a.jsonl.gz"):
        check_file(data, name)


def check_parquet(data: bytes) -> None:
    check_file(data, "a.parquet")


def check_http(data: bytes) -> None:
    """Parse a head and decode what follows it, with the codings it declares and with all others."""
    head = parse_head(data)
    assert 0 <= head.body_start <= len(data)
    for codings in (head.codings, ("br",), ("deflate",), ("chunked",), ("gzip", "chunked")):
        try:
            assert len(decode_body(data[head.body_start :], codings, LIMIT)) <= LIMIT
        except BadRecord as error:
            if error.cause not in ("undecodable_body", "oversized_decoded_body"):
                raise


def check_lists(data: bytes) -> None:
    """Hash the lines of a block list as domains and as addresses."""
    domain_hashes(data)
    url_hashes(data)


def check_address(data: bytes) -> None:
    """Normalise an address twice: the second time changes nothing."""
    for text in (
        data.decode("utf-8", "surrogateescape"),
        data.decode("latin-1"),
        data.decode("utf-16-le", "surrogatepass") if len(data) % 2 == 0 else "",
    ):
        once = normalise(text)
        assert normalise(once) == once, "not idempotent"
        host(text)
        url_key(text)


def check_date(data: bytes) -> None:
    """Read a date, as a text and as a number."""
    text = data.decode("latin-1")
    found = parse_date(text)
    assert found is None or parse_date(found.isoformat()) == found
    for value in (int.from_bytes(data[:12], "little", signed=True), text, {"$date": text}, len(data) / 7):
        parse_date(date_text(value))


_SPEC = train_bpe(["one two three four"] * 4, TOKENS)


def check_tokenizer(data: bytes) -> None:
    """Load a tokenizer that bytes have been put into, as JSON and as a rank file; a text still comes back or is
    refused in one line."""
    at = int.from_bytes(data[:2], "little") % len(_SPEC)
    for file in (data, b"{" + data, _SPEC[:at] + data[2:] + _SPEC[at + max(1, len(data) - 2) :]):
        try:
            tokenizer = load(file, "file", TOKENS)
        except ConfigError as error:
            if "\n" in str(error):
                raise AssertionError("an error of more than one line") from error
            continue
        for ids in tokenizer.encode_batch(["one two", data.decode("utf-8", "replace")]):
            assert int(ids.max()) < tokenizer.vocab_size


TARGETS = {
    "archives": check_archive,
    "http": check_http,
    "jsonl": check_jsonl,
    "parquet": check_parquet,
    "lists": check_lists,
    "addresses": check_address,
    "dates": check_date,
    "tokenizers": check_tokenizer,
}
