"""The survey of frequent lines: all copies of a line that is in too many documents go (frequent_lines.py)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from schemas.identity import keyed_hash
from transforms.dedup.frequent_lines import (
    BUCKET_SALT,
    COUNTED,
    LINE,
    NO_KEY,
    Buckets,
    FindFrequentLines,
    LinesConfig,
    count_lines,
    drop_lines,
    judged_lines,
    line_hashes,
    salt_of,
)
from transforms.shuffle.hash_blocks import Block, Hashes, Piece, Pieces, read_block, run_starts, to_pieces
from transforms.step import Draft, Drop, Edit
from transforms.survey import Ground, Judged, Row, addressed

HASHED = np.dtype([("hash", "<u8"), ("draw", "<u8"), ("language", "S8")])  # draw: what chooses the document's bucket
LINES_PER_DOCUMENT = 30  # only sets how many partitions the shuffle has


@dataclass(frozen=True)
class FrequentLines:
    """Removes frequent lines; a document of which nothing is left goes. `only`: sources that it is about."""

    settings: LinesConfig
    only: tuple[str, ...] = ()
    resources: Sequence[str] = ()
    name: str = "lines"
    stats: ClassVar[type | None] = None
    row: ClassVar[Row] = HASHED
    leaves: ClassVar[dict[str, Row]] = {"lines": COUNTED}
    fixed: ClassVar[Sequence[str]] = ("bucket_docs", "count_documents", "by_blocks", "min_words")
    edits: ClassVar[bool] = True
    needs: ClassVar[Sequence[str]] = ()
    looks_at: ClassVar[Sequence[str] | None] = None
    cpu_ms: ClassVar[float] = 0.7

    def emit(self, draft: Draft) -> Block:
        """Return the hash of each line that is not empty once normalised."""
        document = draft.document
        about = self._is_about(draft)
        hashes = line_hashes(judged_lines(draft.view, self.settings)) if about else np.zeros(0, np.uint64)
        hashes = hashes[hashes != NO_KEY]
        rows = np.empty(len(hashes), HASHED)
        rows["hash"] = hashes
        rows["draw"] = keyed_hash(BUCKET_SALT, document.id)
        rows["language"] = document.language.encode()
        return rows

    def judge(self, rows: Pieces, ground: Ground) -> Judged:
        """Find the keys that have too many copies, for each part."""
        config, buckets = self.settings, self._buckets(ground)

        def count(piece: Piece) -> Iterator[Piece]:
            keyed = keys_by_document(read_block(piece[1], addressed(HASHED)), buckets)
            yield piece[0], count_lines(keyed, config).tobytes()

        partitions = ground.partitions(LINES_PER_DOCUMENT, LINE.itemsize + 4)
        counted = rows | "Count" >> to_pieces(count)
        return Judged(counted | "Frequent" >> FindFrequentLines(config, ground.known["lines"], partitions))

    def verdict(self, blocks: Sequence[bytes], ground: Ground) -> Callable[[Draft, int], Drop | Edit | None]:
        """Remove the frequent lines of a document."""
        frequent = np.sort(np.concatenate([np.empty(0, np.uint64), *(np.frombuffer(b, "<u8") for b in blocks)]))
        buckets = self._buckets(ground)

        def decide(draft: Draft, row: int) -> Drop | Edit | None:
            if not len(frequent) or not self._is_about(draft):
                return None
            document = draft.document
            bucket = buckets[document.language].of(document.id)
            return drop_lines(draft.view, bucket, frequent, self.settings)

        return decide

    def _is_about(self, draft: Draft) -> bool:
        return not self.only or draft.document.source in self.only

    def _buckets(self, ground: Ground) -> dict[str, Buckets]:
        size = self.settings.bucket_docs
        return {name: Buckets(size, n, ground.earlier_documents.get(name, 0)) for name, n in ground.documents.items()}


def keys_by_document(rows: Block, buckets: Mapping[str, Buckets]) -> Iterator[tuple[Hashes, bool]]:
    """Yield the keys of the lines of each document, and whether its bucket is open to later runs."""
    starts = run_starts(rows["row"]).tolist()
    for start, end in itertools.pairwise([*starts, len(rows)]):
        language = rows["language"][start].decode()
        some = buckets[language]
        bucket = some.drawn(int(rows["draw"][start]))
        yield rows["hash"][start:end] ^ salt_of(language, bucket), some.is_open(bucket)
