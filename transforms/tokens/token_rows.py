"""Token rows: documents laid end to end, cut into rows of a fixed length, written as Parquet (SPEC 3.4).

Deviation: the list of tokens is written as BYTE_STREAM_SPLIT under zstd 1 (Parquet 2.11): 1.54 bytes and 9 ns a token
of English under a vocabulary of 32,000, where plain under zstd 3 takes 1.69 bytes and 62 ns.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import RunError
from schemas.records import TokenRow, arrow_schema
from schemas.settings import setting, validate
from schemas.shards import TokenizerFacts
from transforms.shuffle.hash_blocks import Block, run_starts

ROW_GROUP_ROWS = 64  # SPEC 3.4
_ID = re.compile("[0-9a-f]{32}")

# The head of a piece on its way to its shard; the tokens follow in the order of the heads.
HEAD = np.dtype([("start", "<i8"), ("id_high", ">u8"), ("id_low", ">u8"), ("offset", "<u4"), ("n", "<u4"),
                 ("n_tokens", "<u4")])  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ShardConfig:
    """The layout of the token shards."""

    row_tokens: int = setting(131_072, "tokens of a row (2^17, SPEC 3.4); the trainer slices it", ge=2, le=1 << 24)
    rows_per_shard: int = setting(
        64, "rows of a shard; a worker holds 64 rows, 4 bytes a token, while it writes one", ge=1, le=1 << 16
    )

    def __post_init__(self) -> None:
        validate(self)

    @property
    def shard_tokens(self) -> int:
        return self.row_tokens * self.rows_per_shard


def travel(facts: TokenizerFacts) -> np.dtype[Any]:
    """Return the type in which tokens are shuffled."""
    return np.dtype("<u2") if facts.vocab_size <= 1 << 16 else np.dtype("<u4")


def pack_rows(
    pieces: Iterable[tuple[Block, npt.NDArray[Any]]],
    base: int,
    end: int,
    where: str,
    config: ShardConfig,
    facts: TokenizerFacts,
) -> pa.Table:
    """Return tokens `base` to `end` of a source as a table of TokenRow.

    `pieces` are heads and their tokens in order, any number at a time. Where the source ends within a row, that row is
    filled with EOS. RunError naming `where` when the pieces leave a gap or overlap.
    """
    flat = np.full(-(-(end - base) // config.row_tokens) * config.row_tokens, facts.eos_id, np.uint32)
    found, at = [np.zeros(0, HEAD)], 0
    for heads, tokens in pieces:
        found.append(heads)
        room = flat[at : at + len(tokens)]
        room[:] = tokens[: len(room)]  # more than there is room for is refused below
        at += len(tokens)
    heads = join_pieces(np.concatenate(found))
    ends = heads["start"] + heads["n"]
    if not len(heads) or heads["start"][0] != base or ends[-1] != end or (ends[:-1] != heads["start"][1:]).any():
        raise RunError(f"shards: the pieces of {where} do not add up to tokens {base} to {end} of its source")
    return _rows(flat, heads, base, config.row_tokens)


def join_pieces(heads: Block) -> Block:
    """Return sorted heads with the pieces of one copy that follow each other joined: a chunk's end cut them.

    Two pieces are of one copy when that began at the same token.
    """
    starts = run_starts(heads["start"] - heads["offset"])
    joined = heads[starts]
    if len(heads):
        joined["n"] = np.add.reduceat(heads["n"], starts)
    return joined


def _rows(flat: npt.NDArray[np.uint32], heads: Block, base: int, row_tokens: int) -> pa.Table:
    """Cut the tokens of a shard into rows; a document piece ends where the document or the row does."""
    n_rows, end = len(flat) // row_tokens, int(heads["start"][-1]) + int(heads["n"][-1]) - base
    row_starts = np.arange(n_rows, dtype=np.int64) * row_tokens
    padding = [end] if end < len(flat) else []
    cuts = np.unique(np.concatenate((heads["start"] - base, row_starts, padding)).astype(np.int64))
    ends = np.append(cuts[1:], len(flat))
    real = cuts < end
    of = np.searchsorted(heads["start"] - base, cuts, side="right") - 1
    offsets = np.where(real, heads["offset"][of] + cuts - (heads["start"][of] - base), 0)
    first = np.searchsorted(cuts, row_starts)
    lists = pa.array(np.append(first, len(cuts)), pa.int32())
    ids = pa.array([*_id_texts(heads), ""]).take(pa.array(np.where(real, of, len(heads))))
    last = np.append(first[1:], len(cuts)) - 1
    cut = real[last] & (offsets[last] + (ends - cuts)[last] < heads["n_tokens"][of[last]])
    columns = [
        pa.ListArray.from_arrays(pa.array(np.arange(n_rows + 1) * row_tokens, pa.int32()), pa.array(flat)),
        pa.ListArray.from_arrays(lists, pa.array(ends - row_starts[cuts // row_tokens], pa.int32())),
        pa.ListArray.from_arrays(lists, ids),
        pa.ListArray.from_arrays(lists, pa.array(offsets, pa.int64())),
        pa.array(cut),
    ]
    return pa.Table.from_arrays(columns, schema=arrow_schema(TokenRow))


def open_parquet(stream: BinaryIO | io.RawIOBase, metadata: Mapping[str, str]) -> pq.ParquetWriter:
    """Return a writer of tables of TokenRow into a Parquet file; every setting of it is fixed."""
    schema = arrow_schema(TokenRow)
    return pq.ParquetWriter(
        stream,
        schema.with_metadata({**(schema.metadata or {}), **metadata}),
        version="2.6",
        compression="zstd",
        compression_level=1,
        use_dictionary=["doc_ids.list.element"],
        column_encoding={"tokens.list.element": "BYTE_STREAM_SPLIT"},
        write_statistics=False,
        write_page_checksum=True,
    )


def write_rows(writer: pq.ParquetWriter, table: pa.Table) -> None:
    """Write the rows of one row group."""
    writer.write_table(table.replace_schema_metadata(writer.schema.metadata), row_group_size=ROW_GROUP_ROWS)


def documents_started(table: pa.Table) -> int:
    """Return how many copies of documents start in a table of TokenRow."""
    ids = np.asarray(table["doc_ids"].combine_chunks().values) != ""
    return int(((np.asarray(table["doc_offsets"].combine_chunks().values) == 0) & ids).sum())


def id_words(ids: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return the halves of document ids of 32 hexadecimal digits; RunError for another id."""
    wrong = [doc_id for doc_id in ids if not _ID.fullmatch(doc_id)]
    if wrong:
        raise RunError(f"shards: document id {wrong[0]!r} is not 32 hexadecimal digits")
    words = np.frombuffer(bytes.fromhex("".join(ids)), ">u8").astype(np.uint64).reshape(-1, 2)
    return words[:, 0], words[:, 1]


def _id_texts(heads: Block) -> list[str]:
    words = np.stack((heads["id_high"], heads["id_low"]), axis=1).astype(">u8")
    digits = words.tobytes().hex()
    return [digits[n : n + 32] for n in range(0, len(digits), 32)]
