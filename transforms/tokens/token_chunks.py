"""Chunks: the tokens of a shard in groups of about 2 MB, small enough for any engine's shuffle.

A shard of the default size is 17 to 33 MB, and an engine that holds a group of a shuffle as one element dies of few of
them (blocks.GROUP_BYTES). So what is shuffled is cut at chunks, runs of tokens of which a row group of a shard holds a
whole number; each chunk is sorted by itself and laid down as one scratch file, and a shard is written from its files,
one after the other. Neither the size of a chunk nor its end affects the bytes of the shard.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from schemas.errors import RunError
from schemas.shards import TokenizerFacts
from transforms.shuffle.hash_blocks import GROUP_BYTES, Block, read_block
from transforms.tokens.token_rows import HEAD, ROW_GROUP_ROWS, ShardConfig, travel

Load: TypeAlias = tuple[bytes, bytes]  # (HEAD block, tokens)
_COUNT_BYTES = 8


@dataclass(frozen=True)
class ChunkLayout:
    """Where the chunks of a source lie; they are numbered on from shard to shard."""

    shard_tokens: int
    group_tokens: int  # of a row group of a shard, which chunks do not cross
    chunk_tokens: int

    @property
    def per_group(self) -> int:
        return -(-self.group_tokens // self.chunk_tokens)

    @property
    def per_shard(self) -> int:
        groups, rest = divmod(self.shard_tokens, self.group_tokens)
        return groups * self.per_group + -(-rest // self.chunk_tokens)

    def number(self, tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the chunk of each token, given its number in its source."""
        shard, rest = np.divmod(tokens, self.shard_tokens)
        group, rest = np.divmod(rest, self.group_tokens)
        numbers: npt.NDArray[np.int64] = shard * self.per_shard + group * self.per_group + rest // self.chunk_tokens
        return numbers

    def start(self, chunks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the first token of each chunk, by its number in its source."""
        shard, rest = np.divmod(chunks, self.per_shard)
        group, rest = np.divmod(rest, self.per_group)
        starts: npt.NDArray[np.int64] = shard * self.shard_tokens + group * self.group_tokens + rest * self.chunk_tokens
        return starts

    def numbers(self, start: int, end: int) -> range:
        """Return the chunks of tokens `start` to `end`, of which there is one at least."""
        first, last = self.number(np.array([start, end - 1])).tolist()
        return range(first, last + 1)


def layout_of(config: ShardConfig, facts: TokenizerFacts, chunk_bytes: int = GROUP_BYTES) -> ChunkLayout:
    """Return the layout of shards of this form, a chunk of which has `chunk_bytes` of tokens at most."""
    group_tokens = config.row_tokens * min(ROW_GROUP_ROWS, config.rows_per_shard)
    return ChunkLayout(config.shard_tokens, group_tokens, max(1, chunk_bytes // travel(facts).itemsize))


def pack_chunk(loads: Iterable[Load], facts: TokenizerFacts) -> bytes:
    """Return the content of a chunk's file, the pieces given in any order: number of heads, heads, tokens."""
    loads = list(loads)
    heads = read_block(b"".join(head for head, _ in loads), HEAD)
    tokens = np.frombuffer(b"".join(data for _, data in loads), travel(facts))
    ends = np.cumsum(heads["n"], dtype=np.int64)
    order = np.argsort(heads["start"], kind="stable")
    spans = zip((ends - heads["n"])[order].tolist(), ends[order].tolist(), strict=True)
    found = [tokens[start:end] for start, end in spans]
    return b"".join((len(heads).to_bytes(_COUNT_BYTES, "little"), heads[order].tobytes(), *map(_bytes, found)))


def checksum(data: bytes) -> int:
    """Return the CRC-32 of a chunk's file, which is stored with it."""
    return zlib.crc32(data)


def read_chunk(data: bytes, expected: int, path: str, facts: TokenizerFacts) -> tuple[Block, npt.NDArray[Any]]:
    """Return heads and tokens of a chunk's file, the tokens as a view. RunError when it is not what was written."""
    if checksum(data) != expected:
        raise RunError(f"{path}: is damaged: its checksum is not that of what was written")
    end = _COUNT_BYTES + int.from_bytes(data[:_COUNT_BYTES], "little") * HEAD.itemsize
    view = memoryview(data)
    return np.frombuffer(view[_COUNT_BYTES:end], HEAD).copy(), np.frombuffer(view[end:], travel(facts))


def _bytes(tokens: npt.NDArray[Any]) -> bytes:
    return tokens.tobytes()
