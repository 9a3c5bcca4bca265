"""Token shards: the global shuffle of documents, and the rows of a fixed length that they are packed into.

SPEC 3.4: documents are shuffled over their whole source before they are laid end to end and cut into rows
(transforms/tokens/token_rows.py). The place of a document in that order is a keyed hash of its id and the
number of the copy, so neither files, parts, workers nor partitions have a say in it, and each shard is the same bytes
whatever they were.

Tokens cross a shuffle once. First 38 bytes for each copy are sorted by hash range; the tokens of each range, summed,
give every copy the number of its first token in its source. Those numbers go back to the part that holds the document,
which cuts its tokens where chunks of shards end (transforms/tokens/token_chunks.py) and sends each chunk its pieces:

    PLACE by hash range -> POSITION by part -> pieces of tokens by chunk -> one scratch file
                                                  numbers of chunks by shard -> one Parquet file
"""

from __future__ import annotations

import hashlib
import io
import itertools
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.pvalue import AsSingleton, PCollection
from apache_beam.transforms.combiners import ToList

from schemas.errors import ConfigError, RunError
from schemas.identity import keyed_hash
from schemas.shards import ShardFile, ShardMetadata, TokenizerFacts, shard_path
from transforms.shuffle.hash_blocks import (
    Block,
    GroupBlocks,
    Piece,
    Pieces,
    make_block,
    read_block,
    run_starts,
    split_block,
    split_by,
    to_pieces,
)
from transforms.tokens.token_chunks import ChunkLayout, Load, checksum, layout_of, pack_chunk, read_chunk
from transforms.tokens.token_rows import (
    HEAD,
    ShardConfig,
    documents_started,
    id_words,
    open_parquet,
    pack_rows,
    travel,
    write_rows,
)

SALT = "shards.order"
MAX_SOURCES = 1 << 16

# One copy of a document: its place in the order, and where it lies.
PLACE = np.dtype([("order", "<u8"), ("id_high", "<u8"), ("id_low", "<u8"), ("copy", "<u2"), ("source", "<u2"),
                  ("n_tokens", "<u4"), ("part", "<u4"), ("row", "<u4")])  # fmt: skip
# The same copy seen from its part: the number, in its source, of its first token.
POSITION = np.dtype([("row", "<u4"), ("copy", "<u2"), ("source", "<u2"), ("n_tokens", "<u4"), ("start", "<i8")])
# A piece of a copy that lies within one chunk: `n` tokens from token `offset` of the document.
CUT = np.dtype([("source", "<u2"), ("chunk", "<u4"), ("row", "<u4"), ("start", "<i8"), ("offset", "<u4"), ("n", "<u4"),
                ("n_tokens", "<u4")])  # fmt: skip
Chunk: TypeAlias = tuple[int, int]  # (source, number of the chunk)
Shard: TypeAlias = tuple[int, int]  # (source, number of the shard)
Packed: TypeAlias = tuple[int, int]  # (number of the chunk, checksum of its file)
ReadTokens: TypeAlias = Callable[[int], Iterable[pa.RecordBatch]]  # part -> its rows in order, columns id and tokens
OpenFile: TypeAlias = Callable[[str], typing.ContextManager[typing.BinaryIO]]
ReadFile: TypeAlias = Callable[[str], bytes]


@dataclass(frozen=True)
class Totals:
    """The tokens before each partition and in all, by source."""

    before: Mapping[int, tuple[int, ...]]
    total: tuple[int, ...]


def place_block(
    part: int,
    rows: Sequence[int],
    ids: Sequence[str],
    sources: Sequence[int],
    n_tokens: Sequence[int],
    copies: Sequence[int],
) -> bytes:
    """Return the PLACE block of documents of one part, each as often as it is to be taken; 0 leaves it out."""
    times = np.asarray(copies, np.int64)
    of = np.repeat(np.arange(len(times)), times)
    copy = np.arange(len(of)) - np.repeat(np.cumsum(times) - times, times)
    high, low = id_words(ids)
    order = [keyed_hash(SALT, f"{ids[n]}:{k}") for n, k in zip(of.tolist(), copy.tolist(), strict=True)]
    return make_block(
        PLACE,
        order=np.array(order, np.uint64),
        id_high=high[of],
        id_low=low[of],
        copy=copy,
        source=np.asarray(sources, np.uint16)[of],
        n_tokens=np.asarray(n_tokens, np.uint32)[of],
        part=part,
        row=np.asarray(rows, np.uint32)[of],
    ).tobytes()


def count_tokens(places: Block, n_sources: int) -> tuple[int, ...]:
    """Return the tokens of each source in a block of places."""
    counts = np.zeros(n_sources, np.int64)
    np.add.at(counts, places["source"], places["n_tokens"].astype(np.int64))
    return tuple(counts.tolist())


def sum_up(counts: Iterable[tuple[int, tuple[int, ...]]], n_sources: int) -> Totals:
    """Return the totals, from the tokens of each (partition, sources), in any order."""
    before, running = {}, (0,) * n_sources
    for partition, tokens in sorted(counts):
        before[partition] = running
        running = tuple(a + b for a, b in zip(running, tokens, strict=True))
    return Totals(before, running)


def positions_of_places(places: Block, before: Sequence[int]) -> Iterator[Piece]:
    """Yield the POSITION block of each part, from a partition's sorted places and the tokens before them by source."""
    places = places[np.argsort(places["source"], kind="stable")]
    n_tokens = places["n_tokens"].astype(np.int64)
    ahead = np.cumsum(n_tokens) - n_tokens
    starts = run_starts(places["source"])
    lengths = np.diff(starts, append=len(places))
    ahead += np.repeat(np.array(before, np.int64)[places["source"][starts]] - ahead[starts], lengths)
    names = ("row", "copy", "source", "n_tokens")
    block = make_block(POSITION, start=ahead, **{name: places[name] for name in names})
    yield from split_by(block, places["part"])


def cut_at_chunks(positions: Block, layout: ChunkLayout) -> Block:
    """Return the CUT block of copies, one row for each chunk that a copy reaches into; a copy of no tokens has none."""
    start, n_tokens = positions["start"], positions["n_tokens"].astype(np.int64)
    first, last = layout.number(start), layout.number(start + n_tokens - 1)
    times = np.where(n_tokens > 0, last - first + 1, 0)
    of = np.repeat(np.arange(len(positions)), times)
    chunk = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(times) - times, times)
    low = np.maximum(start[of], layout.start(chunk))
    high = np.minimum((start + n_tokens)[of], layout.start(chunk + 1))
    kept = {name: positions[name][of] for name in ("source", "row", "n_tokens")}
    return make_block(CUT, chunk=chunk, start=low, offset=low - start[of], n=high - low, **kept)


def load_chunks(
    batches: Iterable[pa.RecordBatch],
    positions: Block,
    layout: ChunkLayout,
    facts: TokenizerFacts,
    wave: tuple[int, int] = (0, 1),
) -> Iterator[tuple[Chunk, Load]]:
    """Yield the pieces of a part's documents for each chunk of the wave: one load for each chunk and batch.

    `positions` is sorted by row. RunError when the rows are not those that were counted.
    """
    at = 0  # rows read so far
    for batch in batches:
        low, high = np.searchsorted(positions["row"], (at, at + batch.num_rows))
        cuts = cut_at_chunks(positions[low:high], layout)
        cuts["row"] -= np.uint32(at)
        cuts = cuts[cuts["chunk"] // layout.per_shard % wave[1] == wave[0]]
        yield from _load_batch(batch, cuts, facts)
        at += batch.num_rows
    if len(positions) and positions["row"][-1] >= at:
        raise RunError(f"shards: a part has {at} rows, but row {positions['row'][-1]} was counted")


def _load_batch(batch: pa.RecordBatch, cuts: Block, facts: TokenizerFacts) -> Iterator[tuple[Chunk, Load]]:
    tokens = batch.column("tokens")
    offsets, values = tokens.offsets.to_numpy().astype(np.int64), tokens.values.to_numpy()
    if (np.diff(offsets)[cuts["row"]] != cuts["n_tokens"]).any():
        raise RunError("shards: a document has not the number of tokens that was counted")
    if len(values) and int(values.max()) >= facts.vocab_size:
        raise RunError(f"shards: token {values.max()} is not of the tokenizer; its ids end at {facts.vocab_size}")
    cuts = cuts[np.lexsort((cuts["start"], cuts["chunk"], cuts["source"]))]
    high, low = id_words(batch.column("id").take(pa.array(cuts["row"])).to_pylist())
    same = {name: cuts[name] for name in ("start", "offset", "n", "n_tokens")}
    heads = make_block(HEAD, id_high=high, id_low=low, **same)
    begins = (offsets[cuts["row"]] + cuts["offset"]).tolist()
    ends = (offsets[cuts["row"]] + cuts["offset"] + cuts["n"]).tolist()
    bounds = [*run_starts(cuts["source"], cuts["chunk"]).tolist(), len(cuts)]
    for first, last in itertools.pairwise(bounds):
        found = np.concatenate([values[b:e] for b, e in zip(begins[first:last], ends[first:last], strict=True)])
        chunk = (int(cuts["source"][first]), int(cuts["chunk"][first]))
        yield chunk, (heads[first:last].tobytes(), found.astype(travel(facts)).tobytes())


@dataclass(frozen=True)
class Files:
    """Where shards and scratch go, and how they are opened; travels to the workers by pickle."""

    shards: str  # folder
    scratch: str  # folder of chunks, for whoever runs the pipeline to remove when it has ended, and not before
    open_shard: OpenFile  # for writing: appears whole or not at all
    open_scratch: OpenFile  # the same, and need not outlive a power cut
    read_scratch: ReadFile

    def chunk(self, chunk: Chunk) -> str:
        return f"{self.scratch}/source-{chunk[0]:05d}-chunk-{chunk[1]:08d}"


class WriteShards(beam.PTransform[PCollection[bytes], PCollection[ShardFile]]):
    """Shuffle all copies of all documents, each source by itself, and write the token shards.

    In: PCollection[bytes], PLACE blocks (`place_block`). Out: ShardFile, one for each file written.
    `read_tokens(part)` returns the rows of a part in order; it travels to the workers by pickle. Order: none. Retry:
    writes the same bytes to the same path, and reads scratch that nothing here removes.
    Cost: one shuffle of 38 bytes and one of 20 for each copy, one of the tokens in groups of about 2 MB; tokens are
    written and read once more as scratch. A worker holds a chunk, then 64 rows.
    `wave` = (k, n) writes only every n-th shard, from the k-th on: a runner that shuffles in memory writes a corpus in
    n waves, and holds an n-th of its tokens at a time.
    """

    def __init__(
        self,
        sources: Sequence[str],
        facts: TokenizerFacts,
        read_tokens: ReadTokens,
        files: Files,
        config: ShardConfig,
        n_partitions: int,
        wave: tuple[int, int] = (0, 1),
        layout: ChunkLayout | None = None,
    ) -> None:
        super().__init__()
        if len(sources) > MAX_SOURCES:
            raise ConfigError(f"shards: {len(sources)} sources; must be <= {MAX_SOURCES}")
        self.writer = _ShardWriter(tuple(sources), facts, files, config, layout or layout_of(config, facts))
        self.read_tokens = read_tokens
        self.n_partitions = n_partitions
        self.wave = wave

    def expand(self, blocks: PCollection[bytes]) -> PCollection[ShardFile]:
        writer, read_tokens, n_partitions, wave = self.writer, self.read_tokens, self.n_partitions, self.wave
        n_sources, facts, layout = len(writer.sources), writer.facts, writer.layout

        def split(data: bytes) -> Iterator[Piece]:
            return split_block(read_block(data, PLACE), "order", n_partitions)

        def count(piece: Piece) -> tuple[int, tuple[int, ...]]:
            return piece[0], count_tokens(read_block(piece[1], PLACE), n_sources)

        def position(piece: Piece, totals: Totals) -> Iterator[Piece]:
            return positions_of_places(read_block(piece[1], PLACE), totals.before[piece[0]])

        def load(piece: Piece) -> Iterator[tuple[Chunk, Load]]:
            return load_chunks(read_tokens(piece[0]), read_block(piece[1], POSITION), layout, facts, wave)

        places: Pieces = blocks | "SplitByOrder" >> to_pieces(split) | "GroupByOrder" >> GroupBlocks(PLACE)
        totals = AsSingleton(
            places
            | "CountTokens" >> beam.Map(count)
            | "ListCounts" >> ToList()
            | "SumUp" >> beam.Map(sum_up, n_sources)
        )
        positions: Pieces = (
            places
            | "Position" >> beam.FlatMap(position, totals).with_output_types(tuple[int, bytes])
            | "GroupByPart" >> GroupBlocks(POSITION)
        )
        written: PCollection[ShardFile] = (
            positions
            | "LoadChunks" >> beam.FlatMap(load).with_output_types(tuple[Chunk, Load])
            | "GroupByChunk" >> beam.GroupByKey()
            | "PackChunk" >> beam.Map(writer.pack).with_output_types(tuple[Shard, Packed])
            | "GroupByShard" >> beam.GroupByKey()
            | "WriteShard" >> beam.Map(writer.write, totals)
        )
        return written


@dataclass(frozen=True)
class _ShardWriter:
    """Writes chunks, and shards from them; travels to the workers by pickle."""

    sources: tuple[str, ...]
    facts: TokenizerFacts
    files: Files
    config: ShardConfig
    layout: ChunkLayout

    def pack(self, group: tuple[Chunk, Iterable[Load]]) -> tuple[Shard, Packed]:
        """Write the scratch file of a chunk."""
        (code, number), loads = group
        data = pack_chunk(loads, self.facts)
        with self.files.open_scratch(self.files.chunk((code, number))) as file:
            file.write(data)
        return (code, number // self.layout.per_shard), (number, checksum(data))

    def write(self, group: tuple[Shard, Iterable[Packed]], totals: Totals) -> ShardFile:
        """Write a shard from its chunks' files, a row group at a time."""
        (code, shard), packed = group
        source, source_tokens = self.sources[code], totals.total[code]
        base = shard * self.config.shard_tokens
        tokens = min(self.config.shard_tokens, source_tokens - base)
        rows = -(-tokens // self.config.row_tokens)
        metadata = ShardMetadata(
            source=source,
            shard=shard,
            source_tokens=source_tokens,
            total_tokens=rows * self.config.row_tokens,
            real_tokens=tokens,
            row_tokens=self.config.row_tokens,
            tokenizer=self.facts,
        )
        checksums, documents, path = dict(packed), 0, shard_path(source, shard)
        with self.files.open_shard(f"{self.files.shards}/{path}") as file:
            hashed = _HashedFile(file)
            with open_parquet(hashed, metadata.to_footer()) as parquet:
                for start in range(base, base + tokens, self.layout.group_tokens):
                    end = min(start + self.layout.group_tokens, base + tokens)
                    chunks = self._chunks(code, (start, end), checksums)
                    table = pack_rows(chunks, start, end, f"shard {shard}", self.config, self.facts)
                    documents += documents_started(table)
                    write_rows(parquet, table)
        return ShardFile(
            path=path,
            source=source,
            shard=shard,
            rows=rows,
            tokens=tokens,
            padding=rows * self.config.row_tokens - tokens,
            documents=documents,
            sha256=hashed.sha256.hexdigest(),
            size_bytes=hashed.tell(),
        )

    def _chunks(
        self, code: int, span: tuple[int, int], checksums: Mapping[int, int]
    ) -> Iterator[tuple[Block, npt.NDArray[typing.Any]]]:
        """Yield heads and tokens of each chunk of a row group, in order."""
        for number in self.layout.numbers(*span):
            if number not in checksums:
                raise RunError(f"shards: chunk {number} of source {self.sources[code]} holds no tokens")
            path = self.files.chunk((code, number))
            yield read_chunk(self.files.read_scratch(path), checksums[number], path, self.facts)


class _HashedFile(io.RawIOBase):
    """Passes bytes on to a file, one after the other, and takes their SHA-256."""

    def __init__(self, file: typing.BinaryIO) -> None:
        self.sha256 = hashlib.sha256()
        self._file = file
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: typing.Any, /) -> int:
        self.sha256.update(data)
        self._size += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._size
