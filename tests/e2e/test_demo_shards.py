"""The demo's shards against the texts they were made of, and the way back from a token to its record."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from transforms.tokens.tokenizer import TokenizerConfig, load


@pytest.fixture(scope="module")
def rows(demo: Any) -> list[dict[str, Any]]:
    """All rows of all shards, in order."""
    return [row for file in demo.shard_files() for row in pq.ParquetFile(file).read().to_pylist()]


def test_shards_decode_to_exactly_the_texts_as_often_as_the_mix_took_them(
    demo: Any, documents: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    tokens: dict[str, list[int]] = {}
    pieces = Counter()
    for row in rows:
        start = 0
        for end, doc_id, offset in zip(row["doc_ends"], row["doc_ids"], row["doc_offsets"], strict=True):
            if doc_id:
                pieces[doc_id] += end - start
                if offset == len(tokens.setdefault(doc_id, [])):
                    tokens[doc_id] += row["tokens"][start:end]
                else:  # a further copy says the same
                    have = tokens[doc_id][offset : offset + end - start]
                    assert have == row["tokens"][start:end][: len(have)]
            start = end
    taken = {row["id"]: row["copies"] for row in demo.rows("mix", "mixed")}
    lengths = {row["id"]: row["n_tokens"] for row in demo.rows("mix", "mixed")}
    assert pieces == {doc_id: copies * lengths[doc_id] for doc_id, copies in taken.items()}
    manifest, data = demo.stages()["tokenize"]
    config = TokenizerConfig(vocab_size=4096)
    tokenizer = load(Path(data.root, "tokenizer.json").read_bytes(), "tokenizer.json", config)
    assert set(taken) <= set(documents)
    for doc_id, found in tokens.items():
        assert (found[0], found[-1]) == (tokenizer.bos_id, tokenizer.eos_id)
        assert not {tokenizer.bos_id, tokenizer.eos_id} & set(found[1:-1])
        assert tokenizer.decode(found[1:-1]) == documents[doc_id]["text"]
    assert manifest.facts["tokenizer"]["sha256"] == tokenizer.sha256


def test_rows_are_full_and_only_the_last_is_padded(demo: Any, rows: list[dict[str, Any]]) -> None:
    eos = demo.manifest("tokenize").facts["tokenizer"]["eos_id"]
    for n, row in enumerate(rows):
        assert len(row["tokens"]) == row["doc_ends"][-1] == 2048
        assert row["doc_ends"] == sorted(set(row["doc_ends"]))
        assert ("" in row["doc_ids"]) <= (n == len(rows) - 1)
    last = rows[-1]
    if last["doc_ids"][-1] == "":
        start = last["doc_ends"][-2]
        assert set(last["tokens"][start:]) == {eos}
        assert last["doc_ids"].count("") == 1


def test_the_cut_of_a_row_is_told_and_goes_on_in_the_next(rows: list[dict[str, Any]]) -> None:
    assert any(row["cut"] for row in rows)
    for row, after in itertools.pairwise(rows):
        if row["cut"]:
            starts = [0, *row["doc_ends"]]
            length = row["doc_ends"][-1] - starts[-2]
            assert after["doc_ids"][0] == row["doc_ids"][-1]
            assert after["doc_offsets"][0] == row["doc_offsets"][-1] + length
        else:
            assert after["doc_offsets"][0] == 0


def test_shards_say_what_they_hold(demo: Any) -> None:
    facts = demo.manifest("tokenize").facts["tokenizer"]
    book = {shard["path"]: shard for shard in demo.manifest("shards").facts["shards"]}
    _, data = demo.stages()["shards"]
    for path, told in book.items():
        file = pq.ParquetFile(f"{data.root}/{path}")
        metadata = {key.decode(): value.decode() for key, value in file.schema_arrow.metadata.items()}
        assert metadata["winnow.tokenizer_sha256"] == facts["sha256"]
        assert metadata["winnow.schema_version"] == "1"
        assert int(metadata["winnow.real_tokens"]) == told["tokens"]
        assert int(metadata["winnow.total_tokens"]) == told["tokens"] + told["padding"] == told["rows"] * 2048
        assert file.metadata.num_rows == told["rows"]


def test_the_wanted_and_the_reached_mix_are_told(demo: Any) -> None:
    mix = demo.manifest("mix").facts["mix"]
    assert mix["reached_tokens"] == sum(shard["tokens"] for shard in demo.manifest("shards").facts["shards"])
    languages = {row["name"]: row for row in mix["rows"] if row["axis"] == "language"}
    assert languages["en"]["wanted_share"] == 0.5
    assert languages["de"]["wanted_share"] == 0.15
    for row in languages.values():
        assert row["reached_share"] == pytest.approx(row["wanted_share"], abs=0.02), row["name"]
    assert sum(row["reached_share"] for row in languages.values()) == pytest.approx(1)
    assert mix["budget"] == pytest.approx(mix["reached_tokens"], rel=0.02)


# --- from a token back to its record


def _trace(winnow: Callable[..., str], demo: Any, where: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(winnow("show", demo.folder, "--token", where, "--json"))
    assert len(found) == 1
    return found[0]


def test_a_token_leads_back_to_its_document_and_its_record(
    web: Any, demo: Any, rows: list[dict[str, Any]], winnow: Callable[..., str]
) -> None:
    records = {(record.file, record.offset): record for record in web.truth.records}
    files = demo.shard_files()
    last = pq.ParquetFile(files[-1]).metadata.num_rows - 1
    end_of_text = (rows[-1]["doc_ends"][-2] if rows[-1]["doc_ids"][-1] == "" else 2048) - 1
    cases = [("0:0:0", 0, 0), ("0:0:2047", 0, 2047), (f"{files[0]}:1:7", 1, 7),
             (f"{len(files) - 1}:{last}:{end_of_text}", len(rows) - 1, end_of_text)]  # fmt: skip
    for where, row, position in cases:
        found = _trace(winnow, demo, where)
        number = next(n for n, end in enumerate(rows[row]["doc_ends"]) if position < end)
        start = [0, *rows[row]["doc_ends"]][number]
        assert found["token_id"] == rows[row]["tokens"][position]
        assert found["document_id"] == found["id"] == rows[row]["doc_ids"][number]
        assert found["token_of_document"] == rows[row]["doc_offsets"][number] + position - start
        record = records[Path(found["archive"]).name, found["offset"]]
        assert (found["record_id"], found["url"]) == (record.record_id, record.url)
    assert found["token_id"] == demo.manifest("tokenize").facts["tokenizer"]["eos_id"]


def test_padding_leads_nowhere(demo: Any, rows: list[dict[str, Any]], winnow: Callable[..., str]) -> None:
    assert rows[-1]["doc_ids"][-1] == "", "the demo's tokens happen to fill the last row: choose another length"
    files = demo.shard_files()
    row = pq.ParquetFile(files[-1]).metadata.num_rows - 1
    found = _trace(winnow, demo, f"{len(files) - 1}:{row}:2047")
    assert (found["table"], found["id"]) == ("padding", "")
    assert "text" not in found


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("0:0", "expected SHARD:ROW:POSITION"),
        ("0:0:2048", "the row has positions 0 to 2047"),
        ("0:9999999:0", "the shard has rows 0 to "),
        ("99999:0:0", "no such shard"),
        ("0:-1:0", "expected SHARD:ROW:POSITION"),
    ],
)
def test_a_place_that_is_none_is_refused(demo: Any, winnow: Callable[..., str], where: str, message: str) -> None:
    printed = winnow("show", demo.folder, "--token", where, check=False)
    assert message in printed
    assert printed.startswith("winnow: ")
    assert printed.count("\n") == 1
