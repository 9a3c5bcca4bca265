"""The survey of near copies: of each cluster of verified MinHash pairs one document stays (near_copies.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from schemas.identity import id_text, id_words
from schemas.settings import section
from transforms.dedup.candidate_pairs import BUCKETED
from transforms.dedup.exact_copies import KeepConfig, rank_of
from transforms.dedup.minhash import MinHashConfig, signature
from transforms.dedup.near_copies import NEAR, FindNearCopies, KnownDocuments, known_dtype, signed_dtype
from transforms.shuffle.hash_blocks import Pieces
from transforms.step import Draft, Drop
from transforms.survey import Ground, Judged, Row


@dataclass(frozen=True, kw_only=True)
class NearCopiesConfig(KeepConfig):
    """What a near copy is, and which one stays."""

    minhash: MinHashConfig = section(MinHashConfig, "signatures of near copies")


@dataclass(frozen=True, slots=True)
class Cluster:
    """What near-copy search knows of a document: the column `near_copies`."""

    size: int  # documents in its cluster, itself included; 1 when it is alone
    similarity: float | None  # its best verified estimate of Jaccard similarity with another member

    @property
    def stands_for_others(self) -> bool:
        """Whether the document is what is left of several."""
        return self.size > 1


@dataclass(frozen=True)
class NearCopies:
    """Drops all but one of each cluster (Llama 3, 3.1.1: global MinHash)."""

    settings: NearCopiesConfig
    resources: Sequence[str] = ()
    name: str = "near_copies"
    stats: ClassVar[type | None] = Cluster
    fixed: ClassVar[Sequence[str]] = ("minhash",)
    edits: ClassVar[bool] = False
    needs: ClassVar[Sequence[str]] = ()
    looks_at: ClassVar[Sequence[str] | None] = ("id", "url", "source", "language")
    cpu_ms: ClassVar[float] = 1.5

    @property
    def row(self) -> Row:
        signed = signed_dtype(self.settings.minhash.n_hashes)
        return np.dtype([(name, signed[name]) for name in (signed.names or ())[1:]])

    @property
    def leaves(self) -> dict[str, Row]:
        return {"buckets": BUCKETED, "signatures": known_dtype(self.settings.minhash.n_hashes)}

    def emit(self, draft: Draft) -> list[tuple[Any, ...]]:
        """Return id, rank and signature; nothing of a text without words, which has no near copies."""
        signed = signature(draft.document.text, self.settings.minhash)
        if signed is None:
            return []
        return [(*id_words(draft.document.id), rank_of(draft, self.settings.keep), signed)]

    def judge(self, rows: Pieces, ground: Ground) -> Judged:
        """Find the clusters."""
        documents = KnownDocuments(ground.known["buckets"], ground.known["signatures"])
        partitions = ground.partitions(self.settings.minhash.bands, 40)
        find = FindNearCopies(self.settings.minhash, documents, partitions, ground.rounds)
        near, open_edges = rows | "Near" >> find
        return Judged(near, open_edges)

    def verdict(self, blocks: Sequence[bytes], ground: Ground) -> Callable[[Draft, int], Drop | Cluster]:
        """Drop the members of a cluster but the one that is kept, which carries the size of its cluster."""
        near = {row: rest for block in blocks for row, *rest in np.frombuffer(block, NEAR).tolist()}
        limit = self.settings.minhash.min_similarity

        def decide(draft: Draft, row: int) -> Drop | Cluster:
            if row not in near:
                return Cluster(1, None)
            high, low, size, similarity, known = near[row]
            keeper = id_text(high, low)
            if known or keeper != draft.document.id:
                return Drop("near_copy_of_earlier_run" if known else "near_copy", similarity, limit, keeper)
            return Cluster(size, similarity)

        return decide
