"""Token shards: what the pipeline writes and the trainer reads, apart from the rows themselves (`records.TokenRow`)."""

from __future__ import annotations

import dataclasses
import urllib.parse
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.errors import ConfigError, RunError
from schemas.records import SCHEMA_VERSION

_PREFIX = "winnow."


@dataclass(frozen=True, kw_only=True)
class TokenizerFacts:
    """What a shard records about its tokenizer."""

    sha256: str
    vocab_size: int
    bos_id: int
    eos_id: int
    special_ids: tuple[int, ...] = ()  # other special tokens, ascending: of dialogues, which no document has

    def __post_init__(self) -> None:
        object.__setattr__(self, "special_ids", tuple(self.special_ids))  # a list in JSON

    def to_footer(self) -> dict[str, str]:
        """Return the entries of a Parquet footer that tell it."""
        facts = {"tokenizer_sha256" if name == "sha256" else name: v for name, v in vars(self).items()}
        ids = facts.pop("special_ids")
        facts |= {"special_ids": " ".join(map(str, ids))} if ids else {}
        return {f"{_PREFIX}{name}": str(value) for name, value in facts.items()}

    @staticmethod
    def from_footer(footer: Mapping[bytes, bytes] | None, path: str) -> TokenizerFacts:
        """Return what a footer tells. RunError when an entry is missing or wrong."""
        try:
            return _tokenizer(_entries(footer))
        except (KeyError, ValueError) as error:
            raise RunError(f"{path}: its footer does not tell the tokenizer: {error} is missing or wrong") from None


@dataclass(frozen=True, kw_only=True)
class ShardMetadata:
    """The metadata in the footer of a shard, each field under `winnow.<name>`."""

    source: str
    shard: int
    source_tokens: int  # of all shards of the source, without padding
    total_tokens: int  # of this shard, padding included: rows * row_tokens
    real_tokens: int  # of this shard, without padding
    row_tokens: int
    tokenizer: TokenizerFacts  # written as tokenizer_sha256, vocab_size, bos_id, eos_id

    def to_footer(self) -> dict[str, str]:
        """Return the footer's entries."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "tokenizer"}
        return {f"{_PREFIX}{name}": str(value) for name, value in own.items()} | self.tokenizer.to_footer()

    @staticmethod
    def from_footer(footer: Mapping[bytes, bytes] | None, path: str) -> ShardMetadata:
        """Return what a footer says. RunError when it is not a shard's, or of another version of the schema."""
        entries = _entries(footer)
        version = entries.get("schema_version", "none")
        if version != str(SCHEMA_VERSION):
            raise RunError(f"{path}: schema version {version}; this Winnow reads {SCHEMA_VERSION}")
        try:
            numbers = ("shard", "source_tokens", "total_tokens", "real_tokens", "row_tokens")
            tokenizer = _tokenizer(entries)
            own = {name: int(entries[name]) for name in numbers}
            return ShardMetadata(source=entries["source"], tokenizer=tokenizer, **own)
        except (KeyError, ValueError) as error:
            raise RunError(f"{path}: not a token shard of Winnow: {error} is missing or wrong in its footer") from None


def _entries(footer: Mapping[bytes, bytes] | None) -> dict[str, str]:
    """Return our entries of a footer, without the prefix."""
    prefix = _PREFIX.encode()
    ours = {key: value for key, value in (footer or {}).items() if key.startswith(prefix)}
    return {key.decode().removeprefix(_PREFIX): value.decode() for key, value in ours.items()}


def _tokenizer(entries: Mapping[str, str]) -> TokenizerFacts:
    ids = {name: int(entries[name]) for name in ("vocab_size", "bos_id", "eos_id")}
    special = tuple(map(int, entries.get("special_ids", "").split()))
    return TokenizerFacts(sha256=entries["tokenizer_sha256"], special_ids=special, **ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFile:
    """One shard that was written."""

    path: str  # under the directory of the shards
    source: str
    shard: int
    rows: int
    tokens: int  # padding not counted
    padding: int
    documents: int  # copies of documents that start in it
    sha256: str
    size_bytes: int


def shard_path(source: str, shard: int) -> str:
    """Return the path of a shard under the directory of all shards."""
    return f"source={urllib.parse.quote(source, safe=' ')}/shard-{shard:05d}.parquet"


def source_of_path(path: str) -> str:
    """Return the source that the path of a shard names: the inverse of `shard_path`."""
    return urllib.parse.unquote(path.rpartition("/")[0].rpartition("/")[2].removeprefix("source="))


def locate(row: Mapping[str, Any], position: int) -> tuple[str, int]:
    """Return the document id and the token of that document which stand at `position` of a TokenRow's columns.

    The id is '' in padding. ConfigError when the row has no such position.
    """
    ends = row["doc_ends"]
    if not 0 <= position < ends[-1]:
        raise ConfigError(f"position {position} is not in the row; must be 0 to {ends[-1] - 1}")
    n = bisect_right(ends, position)
    return row["doc_ids"][n], row["doc_offsets"][n] + position - (ends[n - 1] if n else 0)
