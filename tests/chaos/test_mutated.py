"""Files with a thousand of their bytes replaced, all in one run: it ends, and each record has one fate.

The archives of the small web, and those in shared/data/warc where that folder lies beside the checkout; its texts as
JSON Lines and Parquet. The seeds are fixed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.chaos.harness import Web, assert_balanced, fates
from tests.fuzz.mutate import jsonl_of, mutated, parquet_of

ARCHIVES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "warc"
MAX_BYTES = 300_000  # of a file: larger ones are cut, so that a thousand bytes are many of them
MUTATIONS = (1000, 100, 10)


def _files(web: Web, texts: list[str]) -> Iterator[tuple[str, bytes]]:
    for path in [*sorted(web.crawl.iterdir()), *(sorted(ARCHIVES.iterdir()) if ARCHIVES.is_dir() else ())]:
        yield path.name, path.read_bytes()[:MAX_BYTES]
    yield "rows.jsonl", jsonl_of(texts)
    yield "rows.jsonl.gz", gzip.compress(jsonl_of(texts), mtime=0)
    for compression in ("none", "snappy", "zstd"):
        yield f"{compression}.parquet", parquet_of(texts, 30, compression)


@pytest.fixture(scope="module")
def texts(undisturbed: Path) -> list[str]:
    """The texts of the small web."""
    tables = sorted((undisturbed / "web" / "extract").glob("*/documents/*.parquet"))
    return [text for table in tables for text in pq.read_table(table, columns=["text"])["text"].to_pylist()]


def test_a_mutated_corpus_runs_to_its_end(web: Web, texts: list[str], tmp_path: Path) -> None:
    crawl, output = tmp_path / "crawl", tmp_path / "run"
    crawl.mkdir()
    whole = {}
    for name, data in _files(web, texts):
        whole[name] = data
        for n in MUTATIONS:
            (crawl / f"{n}-{name}").write_bytes(mutated(data, n, f"{n}-{name}"))
    ended = web.run(output, "--set", "extract.timeout_s=10", crawl=crawl)
    assert ended.code == 0, ended.err
    assert_balanced(output)
    index = fates(output)[0]
    assert index["failed"], "no mutation was met"
    assert index["kept"] > len(whole), "next to nothing was read"
    for stage in ("web/index", "web/extract"):
        for table in sorted((output / stage).glob("*/failed/*.parquet")):
            for row in pq.read_table(table).to_pylist():
                assert row["cause"], row
                assert row["stage"] == stage, row
                assert Path(row["archive"]).parent == crawl, row
                assert row["offset"] >= 0, row
    manifest = json.loads((output / "web" / "index" / "manifest.json").read_text())
    assert sum(manifest["counts"]["read_of"].values()) == index["read"]
