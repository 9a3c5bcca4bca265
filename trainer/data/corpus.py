"""One source of token shards as an endless stream of tokens, in an order drawn anew each epoch.

Shards are already shuffled document by document. On top of that the row groups of a source are permuted, and the rows
within each: so a reader that goes forward decodes one row group at a time, and any position is found without a table of
rows. The stream does not know how long sequences are; a stage cuts it into its own length, from where the stage before
stopped. Positions count tokens:

    position -> epoch, place in the epoch -> row group (permuted) -> row (permuted) -> slice of the row

Lengths are in units of the longest sequence of the recipe. What of a row that padding cut short does not fill a unit is
left out: less than one unit for each source of each run, and padding is never trained on.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import ConfigError, RunError
from schemas.identity import content_id
from schemas.shards import ShardMetadata, TokenizerFacts
from trainer.data.parquet import open_parquet
from trainer.data.permutation import Permutation
from trainer.data.shared import Decoded, SharedGroups, of_node

# Decoded row groups that a source holds: two, and more of small ones up to so many tokens, since a block of a mixture
# takes its sequences in no order. 67 MB: two row groups of 64 rows of 131,072 tokens.
CACHED_GROUPS, CACHED_TOKENS = 2, 1 << 24
TOKEN_BYTES = 4


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Where a row group lies and how much of it is used."""

    path: str
    number: int  # in its file
    rows: int
    row_tokens: int
    used_tokens: int  # a multiple of the unit; less than rows * row_tokens only where padding ends the shard


@dataclass(frozen=True, slots=True)
class TokenSlice:
    """`n` consecutive tokens of one row, with what the document mask needs."""

    tokens: npt.NDArray[np.uint32]  # [n]
    next_token: int  # the row's token after the slice; -1 at the end of the row
    doc_ends: npt.NDArray[np.int64]  # [n_docs] exclusive ends within the slice, ascending; the last is n
    cut: bool  # the last document goes on after the slice
    left_out: npt.NDArray[np.bool_] | None = None  # [n_docs] documents that are not trained on; None: no such
    unlabelled: npt.NDArray[np.bool_] | None = None  # [n] places whose next token does not count; None: no such


class Stream(Protocol):
    """What a mixture draws from: any position, at any length that divides the unit."""

    @property
    def source(self) -> str: ...

    @property
    def tokenizer(self) -> TokenizerFacts: ...

    @property
    def epoch_tokens(self) -> int:
        """Tokens of one epoch."""

    def slice(self, position: int, n: int) -> TokenSlice: ...


class Corpus:
    """The stream of one source. Opening it reads footers only; a slice decodes the row group it lies in."""

    def __init__(
        self, source: str, shards: Sequence[str], unit: int, seed: int, left_out: pa.Array | None = None,
        shared: SharedGroups | None = None,
    ) -> None:  # fmt: skip
        """`unit` is the longest sequence of the recipe, in tokens, and divides the rows of the shards.

        `left_out` are the ids of documents that are not trained on; they keep their places in the stream. Row groups
        are decoded once for all ranks of this node, or for those that use `shared`.
        """
        if not shards:
            raise ConfigError(f"sources.{source}: no shards")
        self.source, self.unit = source, unit
        self._seed, self._left_out = seed, left_out
        with ThreadPoolExecutor(max_workers=16) as pool:
            footers = list(pool.map(functools.partial(_groups_of, unit=unit), sorted(shards)))
        self.tokenizer = footers[0][0].tokenizer
        for path, (metadata, _) in zip(sorted(shards), footers, strict=True):
            if metadata.tokenizer != self.tokenizer:
                raise ConfigError(f"{path}: another tokenizer than the other shards of source {source}")
        # Also those of which nothing is used: the order of the others must not depend on the unit.
        self._groups = [group for _, groups in footers for group in groups]
        if not self.epoch_tokens:
            raise ConfigError(f"sources.{source}: less than one sequence of {unit} tokens in its shards")
        self._decoded: OrderedDict[int, Decoded] = OrderedDict()
        self._shared = of_node(TOKEN_BYTES * CACHED_TOKENS) if shared is None else shared

    @functools.cached_property
    def epoch_tokens(self) -> int:
        """Tokens of one epoch."""
        return sum(group.used_tokens for group in self._groups)

    def slice(self, position: int, n: int) -> TokenSlice:
        """Return `n` tokens of the stream; `position` is a multiple of `n`, and `n` divides the unit."""
        if self.unit % n or position % n:
            raise ValueError(f"{n} tokens at {position}: the length must divide {self.unit} and the position")
        epoch, place = divmod(position, self.epoch_tokens)
        order, ends = self._epoch(epoch)
        nth = int(np.searchsorted(ends, place, side="right"))
        group_number = int(order[nth])
        offset = place - (int(ends[nth - 1]) if nth else 0)
        group = self._groups[group_number]
        row, start = divmod(offset, group.row_tokens)
        return _cut(self._decode(group_number), self._row(group_number, row, epoch), start, n)

    def _epoch(self, epoch: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Return the row groups in the order of an epoch, and the position in it where each ends."""
        if getattr(self, "_epoch_cached", None) != epoch:
            order = Permutation(len(self._groups), f"{self._seed}:{self.source}:{epoch}").of(
                np.arange(len(self._groups), dtype=np.uint64)
            )
            lengths = np.array([group.used_tokens for group in self._groups], np.int64)
            self._epoch_cached, self._epoch_order = epoch, (order, np.cumsum(lengths[order.astype(np.int64)]))
        return self._epoch_order

    def _row(self, group_number: int, row: int, epoch: int) -> int:
        """Return which row of a group comes `row`-th in an epoch; a row that padding cuts short stays the last."""
        group = self._groups[group_number]
        whole = group.used_tokens // group.row_tokens
        if row >= whole:
            return row
        return int(_row_order(whole, f"{self._seed}:{self.source}:{epoch}:{group_number}")[row])

    @property
    def _held_tokens(self) -> int:
        return sum(group.tokens.size for group in self._decoded.values())

    def _decode(self, group_number: int) -> Decoded:
        found = self._decoded.get(group_number)
        if found is None:
            found = self._obtain(self._groups[group_number])
            self._decoded[group_number] = found
            while len(self._decoded) > CACHED_GROUPS and self._held_tokens > CACHED_TOKENS:
                self._decoded.popitem(last=False)
        self._decoded.move_to_end(group_number)
        return found

    def _obtain(self, group: RowGroup) -> Decoded:
        decode = functools.partial(_read_group, group, self._left_out)
        if self._shared is None:
            return decode()
        return self._shared.get(self.source, f"{group.path}:{group.number}:{self._left_out_key}", decode)

    @functools.cached_property
    def _left_out_key(self) -> str:
        """What tells these documents apart from those that another stream of the same shards leaves out."""
        return "" if self._left_out is None else content_id(*sorted(self._left_out.to_pylist()))


@functools.lru_cache(maxsize=64)  # a sequence at a time would hash its way to each row anew: 200 µs
def _row_order(rows: int, key: str) -> npt.NDArray[np.uint64]:
    return Permutation(rows, key).of(np.arange(rows, dtype=np.uint64))


def _groups_of(path: str, unit: int) -> tuple[ShardMetadata, list[RowGroup]]:
    with open_parquet(path) as file:
        footer = file.metadata
        metadata = ShardMetadata.from_footer(footer.metadata, path)
        rows = [footer.row_group(n).num_rows for n in range(footer.num_row_groups)]
    if metadata.row_tokens % unit:
        raise ConfigError(f"{path}: rows of {metadata.row_tokens} tokens cannot be cut into sequences of {unit}")
    left = metadata.real_tokens
    groups = []
    for number, n_rows in enumerate(rows):
        tokens = min(left, n_rows * metadata.row_tokens)
        groups.append(RowGroup(path, number, n_rows, metadata.row_tokens, tokens - tokens % unit))
        left -= tokens
    return metadata, groups


def document_ids(paths: Sequence[str]) -> pa.Array:
    """Return the ids of the documents in shards, without repeats, in no order. InputError for what is no shard."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        columns = list(pool.map(_ids_of, paths))
    return pc.unique(pa.concat_arrays([pa.array([], pa.string()), *columns]))


def _ids_of(path: str) -> pa.Array:
    with open_parquet(path) as file:
        table = file.read(columns=["doc_ids"])
    ids = _flat(table, "doc_ids")
    return pc.unique(pc.filter(ids, pc.not_equal(ids, "")))  # '' is padding


def _flat(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks().flatten()


def _read_group(group: RowGroup, left_out: pa.Array | None) -> Decoded:
    columns = ["tokens", "doc_ends", *(["doc_ids"] if left_out is not None else [])]
    with open_parquet(group.path) as file:
        table = file.read_row_group(group.number, columns=columns)
    tokens = table.column("tokens").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    if len(tokens) != group.rows * group.row_tokens:
        raise RunError(f"{group.path}: row group {group.number} holds {len(tokens)} tokens, its footer says otherwise")
    ends = table.column("doc_ends").combine_chunks()
    by_row = [ends[n].values.to_numpy(zero_copy_only=False).astype(np.int64) for n in range(group.rows)]
    marks = None
    if left_out is not None:
        marked = pc.is_in(_flat(table, "doc_ids"), value_set=left_out).to_numpy(zero_copy_only=False)
        marks = np.split(marked, np.cumsum([len(row) for row in by_row])[:-1])
    return Decoded(tokens.reshape(group.rows, group.row_tokens), by_row, marks)


def _cut(decoded: Decoded, row: int, start: int, n: int) -> TokenSlice:
    tokens, ends = decoded.tokens[row], decoded.doc_ends[row]
    end = start + n
    first, last = np.searchsorted(ends, start, side="right"), np.searchsorted(ends, end, side="left")
    inside = np.minimum(ends[first : last + 1], end) - start
    next_token = int(tokens[end]) if end < len(tokens) else -1
    left_out = None if decoded.left_out is None else decoded.left_out[row][first : last + 1]
    return TokenSlice(tokens[start:end], next_token, inside, bool(ends[last] > end), left_out)


def same_tokenizer(corpora: Sequence[Stream]) -> TokenizerFacts:
    """Return the one tokenizer of all corpora. ConfigError when they have several."""
    first = corpora[0]
    for corpus in corpora[1:]:
        if corpus.tokenizer != first.tokenizer:
            raise ConfigError(f"sources.{corpus.source}: another tokenizer than sources.{first.source}")
    return first.tokenizer
