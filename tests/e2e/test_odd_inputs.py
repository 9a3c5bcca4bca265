"""Records that used to end a run or to vanish, as users met them, in one `winnow run`: each has the fate it should.

Each case is a file; what is right stands beside it. The kinds behind the cases are tested where they are read.
"""

from __future__ import annotations

import gzip
import io
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

SENTENCE = "The harbour master counted the boats of the morning and wrote their names into the book of the day. "
SETTINGS = """
dedup: {exact: false, near: false}
lines: off
clean: {pii: off, dirty_words: off, repetition: off, gopher: off, c4: off, fineweb: off, junk: off, ngram_lines: off}
tokenizer: {vocab_size: 400}
"""


def _text(name: str) -> str:
    return f"{SENTENCE * 3}It was the case of {name}."


def _html(name: str) -> bytes:
    return f"<html><body><article><p>{_text(name)}</p></article></body></html>".encode()


def _warc(name: str, block: bytes, kind: str = "response", day: int = 1, **fields: str) -> bytes:
    values = {
        "WARC-Type": kind, "WARC-Target-URI": f"http://{name}.example/", "WARC-Date": f"2024-01-{day:02}T00:00:00Z",
        "Content-Length": str(len(block)), **{key.replace("_", "-"): value for key, value in fields.items()},
    }  # fmt: skip
    head = "".join(f"{key}: {value}\r\n" for key, value in values.items())
    return b"WARC/1.0\r\n" + head.encode("latin-1") + b"\r\n" + block + b"\r\n\r\n"


def _http(body: bytes, head: str = "Content-Type: text/html; charset=utf-8", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\n{head}\r\n\r\n".encode() + body


def _rows(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _parquet(columns: dict[str, pa.Array]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _newer(name: str, block: bytes, **fields: str) -> bytes:
    """A page, and a day later what must not beat it."""
    return _warc(name, _http(_html(name))) + _warc(name, block, day=2, **fields)


def _long_window(data: bytes) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()  # of a size nobody knows before
    return packer.compress(data) + packer.flush()


TEXTS = [_text(f"row {n}").encode() for n in range(600)]
CASES: dict[str, tuple[bytes, dict[str, int]]] = {
    "surrogate-url.jsonl": (_rows({"url": "http://s.example/\ud800", "text": _text("a")}), {"kept": 1}),
    "surrogate-id.jsonl": (_rows({"id": "\udfff", "text": _text("b")}), {"kept": 1}),
    "nanoseconds.parquet": (
        _parquet({"text": pa.array([_text("c")]), "date": pa.array([1], pa.timestamp("ns"))}), {"kept": 1},
    ),
    "far-days.parquet": (
        _parquet({"text": pa.array([_text("d")]), "date": pa.array([2**31 - 1], pa.date32())}), {"kept": 1},
    ),
    "one-bad-text.parquet": (
        _parquet({"text": pa.array([*TEXTS[:300], b"\xff", *TEXTS[301:]], pa.binary()).view(pa.string())}),
        {"kept": 599, "undecodable_text": 1},
    ),
    "bytes.parquet": (_parquet({"text": pa.array([_text("e").encode()], pa.binary())}), {"kept": 1}),
    "window.jsonl.zst": (_long_window(_rows({"text": _text("f")})), {"kept": 1}),
    "undecodable.warc": (
        _warc("u1", _http(b"\0\xff\x07\x80" * 20, "Content-Encoding: br"))
        + _warc("u2", _http(b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 40, "Content-Type: application/octet-stream"))
        + _warc("u3", _http(brotli.compress(b""), "Content-Encoding: br"))
        + _warc("u4", _http(_html("u4"))),
        {"undecodable_body": 2, "not_html": 1, "kept": 1},
    ),
    "charset.warc": (
        _warc("t1", _text("caf\u00e9").encode("latin-1"), "conversion", Content_Type="text/plain; charset=none"),
        {"kept": 1},
    ),
    "newer-empty.warc": (_newer("n1", _http(b"")), {"kept": 1, "no_text": 1}),
    "newer-204.warc": (_newer("n2", _http(b"", status="204 No Content")), {"kept": 1, "no_text": 1}),
    "newer-206.warc": (_newer("n3", _http(_html("x"), status="206 Partial")), {"kept": 1, "truncated_body": 1}),
    "newer-broken.warc": (
        _newer("n4", _http(b"\0\xff\x07" * 30, "Content-Type: text/html\r\nContent-Encoding: deflate")),
        {"kept": 1, "undecodable_body": 1},
    ),
    "raw-bytes.warc": (
        _warc("r", _http(_html("r1")), WARC_Target_URI="http://r.example/caf\u00e9")
        + _warc("r", _http(_html("r2")), WARC_Target_URI="http://r.example/caf\u00e8"),
        {"kept": 2},
    ),
    "resource.warc": (_warc("o", _html("o"), "resource", Content_Type="text/html"), {"kept": 1}),
    "nothing.warc": (
        b"".join(_warc(f"e{n}", _http(_html(f"e{n}")), WARC_Payload_Digest="md5:d41d8cd98f00b204e9800998ecf8427e")
                 for n in range(3)),
        {"kept": 3},
    ),
    "sessions.jsonl": (
        _rows(*({"url": f"http://conference.example/?session_id={n}", "text": _text(f"s{n}")} for n in range(3))),
        {"kept": 3},
    ),
    "epochs.jsonl": (
        _rows({"id": "c", "url": "http://d.example/", "date": 1_700_000_000_000, "text": _text("older")},
              {"id": "b", "url": "http://d.example/", "date": "2024-03-09 16:00:00+00:00", "text": _text("newer")}),
        {"kept": 1, "older_copy_of_url": 1},
    ),
    "too-long.warc": (
        _warc("l1", _http(_html("l1")), Content_Length=str(4 << 30)) + _warc("l2", _http(_html("l2"))),
        {"truncated_record": 1, "kept": 1},
    ),
    "members.warc.gz": (
        gzip.compress(_warc("m1", _http(_html("m1")))) + gzip.compress(b"WARX/1.0\r\n\r\n") * 2
        + gzip.compress(_warc("m2", _http(_html("m2")))),
        {"kept": 2, "malformed_header": 1, "members_missing": 1},
    ),
}  # fmt: skip
LATIN1_NAME = b"caf\xe9.jsonl"


@pytest.fixture(scope="module")
def run(
    winnow: Callable[..., str], run_of: Callable[[Path, str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """One run over all cases."""
    folder = tmp_path_factory.mktemp("odd")
    crawl = folder / "crawl"
    crawl.mkdir()
    for name, (data, _) in CASES.items():
        (crawl / name).write_bytes(data)
    Path(os.fsdecode(os.fsencode(crawl) + b"/" + LATIN1_NAME)).write_bytes(_rows({"text": _text("its name")}))
    config = folder / "settings.yaml"
    config.write_text(SETTINGS)
    return run_of(folder / "run", winnow("run", "--input", crawl, "--output", folder / "run", "--config", config))


@pytest.fixture(scope="module")
def rows(run: Any) -> list[dict[str, Any]]:
    """What became of every record, as the tables tell it; `fate` is 'kept', a reason or a cause."""
    last = "web/clean"
    found = [{**row, "fate": "kept"} for row in run.rows(last, "documents")]
    for stage in ("web/index", "web/extract", last):
        found += [{**row, "fate": row["reason"]} for row in run.rows(stage, "rejected")]
        found += [{**row, "fate": row["cause"]} for row in run.rows(stage, "failed")]
    return found


@pytest.mark.parametrize("name", CASES)
def test_each_record_has_its_fate(rows: list[dict[str, Any]], name: str) -> None:
    assert Counter(row["fate"] for row in rows if Path(row["archive"]).name == name) == CASES[name][1]


def test_a_name_that_is_no_utf_8(rows: list[dict[str, Any]]) -> None:
    assert [row["fate"] for row in rows if row["archive"].endswith("caf\\xe9.jsonl")] == ["kept"]


def test_every_row_says_where_it_was(rows: list[dict[str, Any]]) -> None:
    assert all(row["archive"] and row["offset"] >= 0 for row in rows)
    assert all(row["stage"] and row["step"] for row in rows if row["fate"] != "kept")


def test_the_newer_of_two_stays(rows: list[dict[str, Any]]) -> None:
    (kept,) = (row for row in rows if row["fate"] == "kept" and row["archive"].endswith("epochs.jsonl"))
    assert kept["record_id"] == "b"


def test_the_ledger_counts_what_is_lost_and_what_cannot_be_dated(run: Any, winnow: Callable[..., str]) -> None:
    stages = json.loads(winnow("ledger", run.folder, "--json"))["stages"]
    assert stages[0]["edits"]["read:unreadable_dates"] == 1
    assert stages[0]["read"] == stages[0]["kept"] + sum(
        (Counter(stages[0]["dropped"]) + Counter(stages[0]["failed"])).values()
    )
