"""The footer of a token shard: what is written is read again, and what is not ours is refused."""

from __future__ import annotations

import pytest

from schemas.errors import RunError
from schemas.records import SCHEMA_VERSION
from schemas.shards import ShardMetadata, TokenizerFacts, shard_path

METADATA = ShardMetadata(
    source="wiki/en",
    shard=1,
    source_tokens=29,
    total_tokens=8,
    real_tokens=5,
    row_tokens=4,
    tokenizer=TokenizerFacts(sha256="ab", vocab_size=100, bos_id=0, eos_id=1),
)


def footer(**changes: str) -> dict[bytes, bytes]:
    entries = {**METADATA.to_footer(), "winnow.schema_version": str(SCHEMA_VERSION), "ARROW:schema": "x", **changes}
    return {key.encode(): value.encode() for key, value in entries.items()}


def test_a_footer_reads_back() -> None:
    assert ShardMetadata.from_footer(footer(), "f") == METADATA


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "f: schema version none"),
        ({}, "f: schema version none"),
        (footer(**{"winnow.schema_version": "99"}), "f: schema version 99"),
        (footer(**{"winnow.vocab_size": "many"}), "f: not a token shard of Winnow"),
        ({b"winnow.schema_version": str(SCHEMA_VERSION).encode()}, "f: not a token shard of Winnow"),
    ],
)
def test_another_footer_is_refused_in_one_line(found: dict[bytes, bytes] | None, message: str) -> None:
    with pytest.raises(RunError) as caught:
        ShardMetadata.from_footer(found, "f")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_source_is_quoted_in_its_path() -> None:
    assert shard_path("wiki/en", 7) == "source=wiki%2Fen/shard-00007.parquet"
