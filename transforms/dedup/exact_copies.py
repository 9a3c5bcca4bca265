"""The survey of one document per key: of those that share a key, the best stays. Equal texts are its usual case.

A later run over the same dataset drops what an earlier one has seen (transforms/dedup/keep_best.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np

from schemas.identity import content_id, id_words
from schemas.settings import setting, validate
from transforms.dedup.keep_best import COPY, SEEN, KeepBestPerKey, losers_of, newest
from transforms.shuffle.hash_blocks import Piece, Pieces, make_block, read_block
from transforms.step import Draft, Drop
from transforms.survey import Ground, Judged, Row, addressed

KEYED = np.dtype([(name, COPY[name]) for name in ("key_hi", "key_lo", "rank", "id_hi", "id_lo")])
KEEP = ("newest", "longest", "best_score")


@dataclass(frozen=True, kw_only=True)
class KeepConfig:
    """Which of several copies stays."""

    keep: str = setting(
        "newest", "which copy stays; ties go to the smaller id (ours: the report does not say)", choices=KEEP
    )

    def __post_init__(self) -> None:
        validate(self)


def rank_of(draft: Draft, keep: str) -> int:
    """Return the number by which the best of some copies is chosen; the biggest wins."""
    if keep == "longest":
        return len(draft.document.text)
    if keep == "best_score":
        quality = draft.stored["quality"]
        score = quality["score"] if quality else None
        return -(2**62) if score is None else round(score * 2**40)
    return newest(draft.document.fetched_at)


def text_key(draft: Draft) -> tuple[int, int] | None:
    """Return the hash of a document's text as two 64-bit numbers."""
    return id_words(content_id(draft.document.text))


@dataclass(frozen=True)
class BestPerKey:
    """Keeps the best document of each key; `key` gives None for a document that has none."""

    name: str
    key: Callable[[Draft], tuple[int, int] | None]
    reason: str
    reason_earlier: str  # when an earlier run has seen the key
    settings: Any = field(default_factory=KeepConfig)
    resources: Sequence[str] = ()
    stats: ClassVar[type | None] = None
    row: ClassVar[Row] = KEYED
    leaves: ClassVar[dict[str, Row]] = {"keys": SEEN}
    fixed: ClassVar[Sequence[str]] = ()  # another choice of the best compares with the same keys
    edits: ClassVar[bool] = False
    needs: ClassVar[Sequence[str]] = ()
    looks_at: ClassVar[Sequence[str] | None] = ("id", "url", "source", "language")
    cpu_ms: ClassVar[float] = 0.2

    def emit(self, draft: Draft) -> list[tuple[int, ...]]:
        """Return the document's key, rank and id."""
        key = self.key(draft)
        if key is None:
            return []
        return [(*key, rank_of(draft, self.settings.keep), *id_words(draft.document.id))]

    def judge(self, rows: Pieces, ground: Ground) -> Judged:
        """Find the losers of each key."""
        copies = rows | "Copies" >> beam.FlatMap(_copies).with_output_types(bytes)
        find = KeepBestPerKey(ground.partitions(1, COPY.itemsize), ground.known["keys"])
        return Judged(copies | "KeepBest" >> find)

    def verdict(self, blocks: Sequence[bytes], ground: Ground) -> Callable[[Draft, int], Drop | None]:
        """Drop the losers; the detail is the id of the document that was kept."""
        losers = losers_of(blocks)

        def decide(draft: Draft, row: int) -> Drop | None:
            winner = losers.get(row)
            if winner is None:
                return None
            return Drop(self.reason_earlier if winner.known else self.reason, detail=winner.id)

        return decide


def _copies(piece: Piece) -> Iterator[bytes]:
    rows = read_block(piece[1], addressed(KEYED))
    yield make_block(COPY, part=piece[0], **{name: rows[name] for name in rows.dtype.names or ()}).tobytes()


def exact_copies(settings: KeepConfig) -> BestPerKey:
    """Return the survey of equal texts."""
    return BestPerKey("exact_copies", text_key, "exact_copy", "text_in_earlier_run", settings)
