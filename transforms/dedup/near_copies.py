"""Clusters of near copies across a corpus, each pair verified, and which member of each to keep.

From signed documents (transforms.dedup.minhash) to verdicts, in blocks of hashes alone:

  1. members of one bucket are candidate pairs (transforms.dedup.candidate_pairs);
  2. a pair counts once however many bands it shares, and only if the share of equal hashes in the two signatures, the
     estimated Jaccard similarity, is at least `min_similarity`;
  3. clusters are the connected components over verified pairs only (never over buckets: a bucket holds chance meetings,
     and joining by bucket would put back together what verification parted);
  4. the member of the highest rank is kept; ties go to the smaller id.

Documents are identified by 128-bit ids, which must be unique in the input (of rows that share an id only one takes
part). Pairs, links in large buckets and ties follow ids; so the result depends on neither part numbers, nor the
number of partitions, nor order. Signatures meet by ranges of ids, not by part: a group's size follows the number of
partitions, however large the files are. Members of one cluster meet only as one row for each partition, so a huge
cluster is no huge group here (transforms.dedup.components says where it is).

Documents of earlier runs (transforms.shuffle.known_rows: their buckets and signatures) take part where a new one meets
them, with a rank above all: a cluster that has a known member keeps none of its new ones, and its keeper is the known
member of the smallest id. That member need not have been kept in its own run: there it may be a copy of another, whose
cluster the new ones then are of. `cluster_size` counts the known members that a new one links to. Deviation: two
clusters that only a document of a later run joins would be one in a single run; here one of each was kept before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from apache_beam.pvalue import PCollection

from schemas.errors import RunError
from schemas.identity import id_text
from transforms.dedup.candidate_pairs import (
    BUCKETED,
    PAIR,
    REQUEST,
    bucket_heads,
    bucket_rows,
    candidate_pairs,
    pairs_with_known,
    requests_for,
)
from transforms.dedup.components import EDGE, LABEL, ConnectedComponents
from transforms.dedup.minhash import MinHashConfig
from transforms.shuffle.hash_blocks import (
    Block,
    GroupBlocks,
    Hashes,
    JoinBlocks,
    Joined,
    Piece,
    Pieces,
    make_block,
    positions_of,
    read_block,
    run_lengths,
    run_starts,
    sort_rows,
    split_block,
    split_by,
    to_piece,
    to_pieces,
    unique_rows,
)
from transforms.shuffle.known_rows import KnownRows

NEAR = np.dtype(
    [
        ("row", "<u4"),
        ("keeper_hi", "<u8"),  # id of the member that is kept; its own for the keeper
        ("keeper_lo", "<u8"),
        ("cluster_size", "<u4"),  # members of the cluster, the keeper included
        ("similarity", "<f4"),  # the best verified similarity of this member with any other
        ("known", "u1"),  # the keeper is of an earlier run
    ]
)
LINK = np.dtype(
    [
        ("node", "<u8"),  # `node_of` the member's place
        ("other", "<u8"),
        ("id_hi", "<u8"),
        ("id_lo", "<u8"),
        ("rank", "<i8"),
        ("similarity", "<f4"),
    ]
)
MEMBER = np.dtype([*((name, LINK[name]) for name in ("node", "id_hi", "id_lo", "rank", "similarity")), ("root", "<u8")])
CLUSTER = np.dtype(
    [("root", "<u8"), ("rank", "<i8"), ("id_hi", "<u8"), ("id_lo", "<u8"), ("size", "<u4"), ("asker", "<u4")]
)
KEEPER = np.dtype([("root", "<u8"), ("id_hi", "<u8"), ("id_lo", "<u8"), ("size", "<u4"), ("known", "u1")])

KNOWN_RANK = 2**63 - 1  # of a document of an earlier run; no rank of a new one is as high
KNOWN_PARTS = 1 << 31  # part numbers from here on are files of earlier runs; those of a run lie below

_SPREAD = 0x9E37_79B9_7F4A_7C15  # odd, so multiplying by it is a bijection of 64 bits that fills the top ones
_UNSPREAD = pow(_SPREAD, -1, 2**64)


def signed_dtype(n_hashes: int) -> np.dtype[np.void]:
    """Return the dtype of a signed document of a part: what `FindNearCopies` reads."""
    fields = [("row", "<u4"), ("id_hi", "<u8"), ("id_lo", "<u8"), ("rank", "<i8"), ("signature", "<u4", (n_hashes,))]
    return np.dtype(fields)


def known_dtype(n_hashes: int) -> np.dtype[np.void]:
    """Return the dtype of a signed document that a run leaves for later ones."""
    return np.dtype([("id_hi", "<u8"), ("id_lo", "<u8"), ("signature", "<u4", (n_hashes,))])


def _placed_dtype(n_hashes: int) -> np.dtype[np.void]:
    fields = [("id_hi", "<u8"), ("id_lo", "<u8"), ("node", "<u8"), ("rank", "<i8"), ("signature", "<u4", (n_hashes,))]
    return np.dtype(fields)


def node_of(part: int | npt.NDArray[np.uint64], row: npt.NDArray[np.uint32]) -> Hashes:
    """Return a 64-bit number for each place, distinct for distinct places and spread evenly."""
    place = (np.asarray(part, np.uint64) << np.uint64(32)) | row.astype(np.uint64)
    return place * np.uint64(_SPREAD)


def place_of(nodes: Hashes) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return part and row of nodes: the inverse of `node_of`."""
    place = nodes * np.uint64(_UNSPREAD)
    return (place >> np.uint64(32)).astype(np.uint32), place.astype(np.uint32)


def verified_links(placed: Block, pairs: Block, min_similarity: float) -> Block:
    """Return two LINK rows, one for each end, of every pair that is similar enough (step 2).

    `placed` holds the signatures of all ids of the pairs, in canonical order.
    """
    pairs_known = pairs["known"] == 1
    placed_known = place_of(placed["node"])[0] >= KNOWN_PARTS
    a = placed[_rows_of(placed, ~placed_known, pairs["a_hi"], pairs["a_lo"])]
    at = np.empty(len(pairs), np.int64)
    for of_pairs, of_placed in ((~pairs_known, ~placed_known), (pairs_known, placed_known)):
        at[of_pairs] = _rows_of(placed, of_placed, pairs["b_hi"][of_pairs], pairs["b_lo"][of_pairs])
    b = placed[at]
    similarity = (a["signature"] == b["signature"]).mean(axis=1) if len(pairs) else np.zeros(0)
    alike = similarity >= min_similarity
    ends = [
        make_block(
            LINK,
            node=end["node"],
            other=other["node"],
            id_hi=end["id_hi"],
            id_lo=end["id_lo"],
            rank=end["rank"],
            similarity=similarity[alike],
        )
        for end, other in ((a[alike], b[alike]), (b[alike], a[alike]))
    ]
    return np.concatenate(ends)


def _rows_of(placed: Block, some: npt.NDArray[np.bool_], high: Hashes, low: Hashes) -> npt.NDArray[np.int64]:
    """Return where ids stand among some of the rows."""
    rows = np.flatnonzero(some)
    return rows[positions_of((high, low), placed["id_hi"][rows], placed["id_lo"][rows])]


def signed_once(placed: Block, dtype: np.dtype[np.void]) -> Block:
    """Return what a run leaves of the placed documents of a partition: each id once, with its signature."""
    once = placed[run_starts(placed["id_hi"], placed["id_lo"])]
    return make_block(dtype, **{name: once[name] for name in dtype.names or ()})


def place_known(requests: Block, signatures: KnownRows) -> Block:
    """Return the placed row of each requested document of an earlier run; of runs that share an id, of the oldest."""
    rows, places = signatures.locate(requests["id_hi"])
    order = np.lexsort((rows["id_lo"], rows["id_hi"]))  # stable: the oldest run stays first
    order = order[run_starts(rows["id_hi"][order], rows["id_lo"][order])]
    rows, places = rows[order], places[order]
    at = positions_of((requests["id_hi"], requests["id_lo"]), rows["id_hi"], rows["id_lo"])
    if (at < 0).any():
        lost = requests[np.argmin(at)]
        raise RunError(f"known hashes of an earlier run: {id_text(*lost.tolist()[:2])} is in a bucket, not signed")
    rows, places = rows[at], places[at]
    nodes = node_of((places >> np.uint64(32)) + np.uint64(KNOWN_PARTS), places.astype(np.uint32))
    columns = {name: rows[name] for name in ("id_hi", "id_lo", "signature")}
    return make_block(_placed_dtype(rows["signature"].shape[1]), node=nodes, rank=KNOWN_RANK, **columns)


def label_members(links: Block, labels: Block) -> Block:
    """Return a MEMBER row for each node with its best similarity and its root; both blocks are canonical and hold the
    same nodes."""
    starts = run_starts(links["node"])
    if not len(starts):
        return np.zeros(0, MEMBER)
    one = links[starts]
    best = np.maximum.reduceat(links["similarity"], starts)
    columns = {name: one[name] for name in ("node", "id_hi", "id_lo", "rank")}
    return make_block(
        MEMBER, **columns, similarity=best, root=labels["root"][np.searchsorted(labels["node"], one["node"])]
    )


def partial_clusters(members: Block, asker: int) -> Block:
    """Return for each root the best member (step 4) and the number of members among those of one partition."""
    members = _best_first(members)
    starts = run_starts(members["root"])
    best = members[starts]
    columns = {name: best[name] for name in ("root", "rank", "id_hi", "id_lo")}
    return make_block(CLUSTER, **columns, size=run_lengths(starts, len(members)), asker=asker)


def total_clusters(clusters: Block) -> Block:
    """Return the partial clusters with the best member and the size of the whole cluster in every row."""
    clusters = _best_first(clusters)
    starts = run_starts(clusters["root"])
    if len(starts):
        counts = run_lengths(starts, len(clusters))
        for name in ("rank", "id_hi", "id_lo"):
            clusters[name] = np.repeat(clusters[name][starts], counts)
        clusters["size"] = np.repeat(np.add.reduceat(clusters["size"], starts), counts)
    return clusters


def verdicts(members: Block, keepers: Block) -> Iterator[Piece]:
    """Cut the new members of one partition into (part, NEAR block), given the keeper of every root among them."""
    members = members[place_of(members["node"])[0] < KNOWN_PARTS]
    keeper = keepers[np.searchsorted(keepers["root"], members["root"])]
    part, row = place_of(members["node"])
    near = make_block(
        NEAR,
        row=row,
        keeper_hi=keeper["id_hi"],
        keeper_lo=keeper["id_lo"],
        cluster_size=keeper["size"],
        similarity=members["similarity"],
        known=keeper["known"],
    )
    return split_by(near, part)


def _best_first(rows: Block) -> Block:
    """Sort by root, then the highest rank (~ turns the order without overflow), then the smaller id."""
    return rows[np.lexsort((rows["id_lo"], rows["id_hi"], ~rows["rank"], rows["root"]))]


@dataclass(frozen=True)
class KnownDocuments:
    """The tables of the documents of earlier runs."""

    buckets: KnownRows  # of BUCKETED
    signatures: KnownRows  # of `known_dtype`


class FindNearCopies(beam.PTransform[Pieces, tuple[Pieces, PCollection[int]]]):
    """Find every member of a cluster of two or more near copies.

    In: PCollection[tuple[int, bytes]], (part, block of `signed_dtype(config.n_hashes)`), any number of blocks a part.
    Out: (PCollection[tuple[int, bytes]], (part, NEAR block sorted by row), one element for each part that has members,
    keepers included; PCollection[int], numbers whose sum is 0 when `rounds` were enough: otherwise the verdicts are not
    final and the caller runs again with more rounds).
    Part numbers are below `KNOWN_PARTS`. Documents of earlier runs are looked up in `known`, new ones left there.
    Order: none. Retry: writes the same files again. Cost: shuffles of 24 bytes a band, of the signature once, of the
    signatures that have a candidate once or a few times more, and of 16 to 44 bytes a link or member; files of 24 bytes
    a band and of the signature.
    """

    def __init__(self, config: MinHashConfig, known: KnownDocuments, n_partitions: int, rounds: int = 6) -> None:
        super().__init__()
        self.config = config
        self.known = known
        self.n_partitions = n_partitions
        self.rounds = rounds

    def expand(self, signed: Pieces) -> tuple[Pieces, PCollection[int]]:
        links = self._verify(signed, self._pairs(signed))
        edges = links | "Edges" >> to_piece(_edges)
        labels, unconverged = edges | "Components" >> ConnectedComponents(self.rounds, self.n_partitions)
        return self._choose(links, labels), unconverged

    def _pairs(self, signed: Pieces) -> Pieces:
        """(partition of the larger id, distinct PAIR block)."""
        config, known, n_partitions = self.config, self.known.buckets, self.n_partitions
        signed_rows, most = signed_dtype(config.n_hashes), config.max_bucket_all_pairs

        def to_buckets(piece: Piece) -> Iterator[Piece]:
            return split_block(bucket_rows(read_block(piece[1], signed_rows), config), "bucket", n_partitions)

        def to_pairs(piece: Piece) -> Iterator[Piece]:
            bucketed = read_block(piece[1], BUCKETED)
            known.write(piece[0], n_partitions, bucket_heads(bucketed, most))
            met = sort_rows(known.find(bucketed["bucket"]))
            pairs = np.concatenate((candidate_pairs(bucketed, most), pairs_with_known(bucketed, met, most)))
            return split_block(pairs, "b_hi", n_partitions)

        def distinct(piece: Piece) -> Piece:
            return piece[0], unique_rows(read_block(piece[1], PAIR)).tobytes()

        pairs: Pieces = (
            signed
            | "SplitByBucket" >> to_pieces(to_buckets)
            | "GroupBuckets" >> GroupBlocks(BUCKETED)
            | "PairUp" >> to_pieces(to_pairs)
            | "GroupPairs" >> GroupBlocks(PAIR)
            | "DistinctPairs" >> to_piece(distinct)
        )
        return pairs

    def _verify(self, signed: Pieces, pairs: Pieces) -> Pieces:
        """(partition of the node, LINK block)."""
        n_partitions, known, min_similarity = self.n_partitions, self.known.signatures, self.config.min_similarity
        signed_rows, placed_rows = signed_dtype(self.config.n_hashes), _placed_dtype(self.config.n_hashes)

        def by_id(piece: Piece) -> Iterator[Piece]:
            block = read_block(piece[1], signed_rows)
            columns = {name: block[name] for name in ("id_hi", "id_lo", "rank", "signature")}
            placed = make_block(placed_rows, node=node_of(piece[0], block["row"]), **columns)
            return split_block(placed, "id_hi", n_partitions)

        def ask(piece: Piece) -> Iterator[Piece]:
            return split_block(requests_for(read_block(piece[1], PAIR), piece[0]), "id_hi", n_partitions)

        def answer(group: Joined) -> Iterator[Piece]:
            placed, requests = read_block(group[1][0], placed_rows), read_block(group[1][1], REQUEST)
            known.write(group[0], n_partitions, signed_once(placed, known.dtype))
            of_known = requests["known"] == 1
            new, old = requests[~of_known], requests[of_known]
            found = positions_of((new["id_hi"], new["id_lo"]), placed["id_hi"], placed["id_lo"])
            answers = np.concatenate((placed[found], place_known(old, known)))
            return split_by(answers, np.concatenate((new["asker"], old["asker"])))

        def compare(group: Joined) -> Iterator[Piece]:
            placed, candidates = read_block(group[1][0], placed_rows), read_block(group[1][1], PAIR)
            return split_block(verified_links(placed, candidates, min_similarity), "node", n_partitions)

        placed = signed | "SplitById" >> to_pieces(by_id)
        requests = pairs | "Ask" >> to_pieces(ask)
        answers = (
            (placed, requests) | "JoinRequests" >> JoinBlocks(placed_rows, REQUEST) | "Answer" >> to_pieces(answer)
        )
        links: Pieces = (
            (answers, pairs) | "JoinPairs" >> JoinBlocks(placed_rows, PAIR) | "Compare" >> to_pieces(compare)
        )
        return links

    def _choose(self, links: Pieces, labels: Pieces) -> Pieces:
        """(part, NEAR block)."""
        n_partitions = self.n_partitions

        def label(group: Joined) -> Piece:
            return group[0], label_members(read_block(group[1][0], LINK), read_block(group[1][1], LABEL)).tobytes()

        def summarise(piece: Piece) -> Iterator[Piece]:
            return split_block(partial_clusters(read_block(piece[1], MEMBER), piece[0]), "root", n_partitions)

        def reply(piece: Piece) -> Iterator[Piece]:
            clusters = total_clusters(read_block(piece[1], CLUSTER))
            columns = {name: clusters[name] for name in ("root", "id_hi", "id_lo", "size")}
            keepers = make_block(KEEPER, **columns, known=clusters["rank"] == KNOWN_RANK)
            return split_by(keepers, clusters["asker"])

        def decide(group: Joined) -> Iterator[Piece]:
            return verdicts(read_block(group[1][0], MEMBER), read_block(group[1][1], KEEPER))

        members = (links, labels) | "JoinLabels" >> JoinBlocks(LINK, LABEL) | "LabelMembers" >> to_piece(label)
        keepers = (
            members
            | "Summarise" >> to_pieces(summarise)
            | "GroupClusters" >> GroupBlocks(CLUSTER)
            | "Reply" >> to_pieces(reply)
        )
        near: Pieces = (
            (members, keepers)
            | "JoinKeepers" >> JoinBlocks(MEMBER, KEEPER)
            | "Decide" >> to_pieces(decide)
            | "GroupByPart" >> GroupBlocks(NEAR)
        )
        return near


def _edges(piece: Piece) -> Piece:
    links = read_block(piece[1], LINK)
    links = links[links["node"] > links["other"]]
    return piece[0], make_block(EDGE, node=links["node"], other=links["other"]).tobytes()
