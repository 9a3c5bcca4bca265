"""Connected components inside Beam, with no worker that holds the graph.

Large-star and small-star operations of Kiveris et al. 2014, "Connected Components in MapReduce and Beyond" (SoCC), in
turns, a fixed number of rounds unrolled into one graph. Large-star: each node links its larger neighbours to the least
node it sees. Small-star: each node links its smaller neighbours and itself to the least of them. Both keep what is
connected, and their fixed point is a star around the least node of each component. The paper shows O(log^2 n) rounds;
measured: a path of 10 nodes takes at most 4 of both, one of 200 at most 8. Each operation is one shuffle of edge
blocks and a few numpy passes over a sorted block.

Whether the rounds were enough is measured: the transform also returns the number of edges that are not yet
in a star. The partition into components depends on neither rounds (once enough) nor partitions nor order; the label,
the least node of a component, neither.

Deviation: edges of one node are not spread over several groups, as the paper's section 4 offers for nodes of high
degree. A group therefore holds the largest component among its nodes, 16 bytes a member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from apache_beam.pvalue import PCollection

from transforms.shuffle.hash_blocks import (
    Block,
    GroupBlocks,
    Piece,
    Pieces,
    make_block,
    read_block,
    run_lengths,
    run_starts,
    sort_rows,
    split_block,
    to_piece,
    to_pieces,
    unique_rows,
)

EDGE = np.dtype([("node", "<u8"), ("other", "<u8")])
LABEL = np.dtype([("node", "<u8"), ("root", "<u8")])


def both_ways(edges: Block) -> Block:
    """Return each edge in both directions, without loops and repeats, sorted: every node with all its neighbours."""
    edges = edges[edges["node"] != edges["other"]]
    node, other = edges["node"], edges["other"]
    return _edges(np.concatenate((node, other)), np.concatenate((other, node)))


def downward(edges: Block) -> Block:
    """Return each edge from its larger node to its smaller, without loops and repeats, sorted."""
    edges = edges[edges["node"] != edges["other"]]
    node, other = edges["node"], edges["other"]
    return _edges(np.maximum(node, other), np.minimum(node, other))


def large_star(edges: Block) -> Block:
    """Link the larger neighbours of every node to the least of the node and its neighbours; edges point downward.

    `edges` are as `both_ways` returns them; a block may hold some nodes only, but each with all its neighbours.
    """
    least = _least_neighbour(edges)
    larger = edges["other"] > edges["node"]
    return _edges(edges["other"][larger], np.minimum(least, edges["node"])[larger])


def small_star(edges: Block) -> Block:
    """Link every node and its smaller neighbours to the least of these; edges point downward.

    `edges` are as `downward` returns them; a block may hold some nodes only, but each with all its smaller neighbours.
    """
    least = _least_neighbour(edges)
    starts = run_starts(edges["node"])
    moved = edges["other"] != least
    return _edges(
        np.concatenate((edges["node"][starts], edges["other"][moved])), np.concatenate((least[starts], least[moved]))
    )


def labels(edges: Block) -> Block:
    """Return each node with the least of itself and its neighbours, its root once the graph is made of stars."""
    starts = run_starts(edges["node"])
    node = edges["node"][starts]
    return make_block(LABEL, node=node, root=np.minimum(node, edges["other"][starts]))


def count_unconverged(edges: Block) -> int:
    """Count the edges of nodes that are neither the centre of a star nor a leaf of one; `edges` as from `both_ways`."""
    starts = run_starts(edges["node"])
    sizes = run_lengths(starts, len(edges))
    has_smaller = edges["other"][starts] < edges["node"][starts]
    return int(sizes[has_smaller & (sizes > 1)].sum())


def _least_neighbour(edges: Block) -> npt.NDArray[np.uint64]:
    starts = run_starts(edges["node"])
    return np.repeat(edges["other"][starts], run_lengths(starts, len(edges)))


def _edges(node: npt.NDArray[np.uint64], other: npt.NDArray[np.uint64]) -> Block:
    return unique_rows(sort_rows(make_block(EDGE, node=node, other=other)))


class ConnectedComponents(beam.PTransform[Pieces, tuple[Pieces, PCollection[int]]]):
    """Label every node that has an edge with the least node of its component.

    In: PCollection[tuple[int, bytes]] of EDGE, pieces under any key, each edge in any direction, any number of times;
    nodes spread evenly over 64 bits.
    Out: (PCollection[tuple[int, bytes]], (partition of the node, LABEL block sorted by node); PCollection[int], numbers
    whose sum is the number of edges not yet in a star). When the sum is not 0 the labels are not final and the caller
    runs again with more rounds. Order: none. Retry: pure. Cost: 2 * rounds + 1 shuffles of 16 bytes an edge.
    """

    def __init__(self, rounds: int, n_partitions: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.n_partitions = n_partitions

    def expand(self, edges: Pieces) -> tuple[Pieces, PCollection[int]]:
        for n in range(1, self.rounds + 1):
            edges = edges | f"BothWays{n}" >> self._regroup(both_ways) | f"LargeStar{n}" >> _per_group(large_star)
            edges = edges | f"Downward{n}" >> self._regroup(downward) | f"SmallStar{n}" >> _per_group(small_star)
        stars = edges | "BothWays" >> self._regroup(both_ways)
        count = beam.Map(_count_group).with_output_types(int)
        return stars | "Label" >> _per_group(labels), stars | "CountUnconverged" >> count

    def _regroup(self, direct: Callable[[Block], Block]) -> _Regroup:
        return _Regroup(direct, self.n_partitions)


class _Regroup(beam.PTransform[Pieces, Pieces]):
    """Direct the edges and bring all edges that leave a node together."""

    def __init__(self, direct: Callable[[Block], Block], n_partitions: int) -> None:
        super().__init__()
        self.direct = direct
        self.n_partitions = n_partitions

    def expand(self, edges: Pieces) -> Pieces:
        direct, n_partitions = self.direct, self.n_partitions

        def split(piece: Piece) -> Iterator[Piece]:
            return split_block(direct(read_block(piece[1], EDGE)), "node", n_partitions)

        grouped: Pieces = edges | "Split" >> to_pieces(split) | "Group" >> GroupBlocks(EDGE)
        return grouped


def _per_group(operation: Callable[[Block], Block]) -> beam.PTransform[Pieces, Pieces]:
    def apply(piece: Piece) -> Piece:
        return piece[0], operation(unique_rows(read_block(piece[1], EDGE))).tobytes()

    return to_piece(apply)


def _count_group(piece: Piece) -> int:
    return count_unconverged(unique_rows(read_block(piece[1], EDGE)))
