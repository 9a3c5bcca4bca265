"""Connected components: against union-find on random and on hard graphs, in memory and in Beam."""

from __future__ import annotations

import itertools

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.components import (
    EDGE,
    LABEL,
    ConnectedComponents,
    both_ways,
    count_unconverged,
    downward,
    labels,
    large_star,
    small_star,
)
from transforms.shuffle.hash_blocks import partition_of, split_by

TOP = 2**64 - 1


def edges_of(pairs):
    return np.array(list(pairs), EDGE)


def union_find(pairs):
    parent = {node: node for pair in pairs for node in pair if pair[0] != pair[1]}

    def find(node):
        while parent[node] != node:
            node = parent[node]
        return node

    for a, b in pairs:
        if a != b:
            low, high = sorted((find(a), find(b)))
            parent[high] = low
    return {node: find(node) for node in parent}


def solve(pairs):
    edges, rounds = edges_of(pairs), 0
    while count_unconverged(both_ways(edges)):
        edges = small_star(downward(large_star(both_ways(edges))))
        rounds += 1
    return dict(labels(both_ways(edges)).tolist()), rounds


def spread(pairs):
    """The same graph with nodes scattered over 64 bits, in another order."""
    return [((a + 1) * 0x9E3779B97F4A7C15 % 2**64, (b + 1) * 0x9E3779B97F4A7C15 % 2**64) for a, b in pairs]


PATH = [(n, n + 1) for n in range(199)]
STAR = [(500, n) for n in range(300)] + [(0, n) for n in range(600, 700)]
CLIQUES = [pair for base in (0, 100, 200) for pair in itertools.combinations(range(base, base + 20), 2)]
GRID = [(10 * x + y, 10 * x + y + d) for x in range(9) for y in range(9) for d in (1, 10)]
GRAPHS = {"path": PATH, "star": STAR, "cliques": CLIQUES, "grid": GRID}


def test_large_star_by_hand():
    # 1-2-3: node 2 sees 1 and 3, so 3 is linked to 1; node 1 links 2 to itself; node 3 has no larger neighbour.
    assert large_star(both_ways(edges_of([(1, 2), (2, 3)]))).tolist() == [(2, 1), (3, 1)]


def test_small_star_by_hand():
    # node 9 sees 4 and 7: all go to 4; node 7 sees 5: 7 goes to 5.
    assert small_star(downward(edges_of([(9, 4), (7, 9), (5, 7)]))).tolist() == [(7, 4), (7, 5), (9, 4)]


def test_directions_drop_loops_and_repeats():
    edges = edges_of([(1, 2), (2, 1), (3, 3), (1, 2)])
    assert both_ways(edges).tolist() == [(1, 2), (2, 1)]
    assert downward(edges).tolist() == [(2, 1)]


def test_unconverged_counts_edges_of_nodes_in_the_middle():
    assert count_unconverged(both_ways(edges_of([]))) == 0
    assert count_unconverged(both_ways(edges_of([(1, 2), (1, 3), (7, 8)]))) == 0  # stars around 1 and 7
    assert count_unconverged(both_ways(edges_of([(1, 2), (2, 3)]))) == 2  # node 2 has a smaller and a larger one
    assert count_unconverged(both_ways(edges_of([(1, 3), (2, 3)]))) == 2  # node 3 has two smaller ones


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("scattered", [False, True])
def test_hard_graphs(name, scattered):
    graph = spread(GRAPHS[name]) if scattered else GRAPHS[name]
    found, rounds = solve(graph)
    assert found == union_find(graph)
    assert rounds <= 8


def test_extreme_nodes():
    assert solve([(0, TOP), (TOP - 1, TOP)])[0] == {0: 0, TOP: 0, TOP - 1: 0}


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=40))
def test_random_graphs_equal_union_find(pairs):
    assert solve(pairs)[0] == union_find(pairs)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=30))
def test_each_operation_keeps_what_is_connected(pairs):
    for step in (large_star(both_ways(edges_of(pairs))), small_star(downward(edges_of(pairs)))):
        assert union_find(step.tolist()) == union_find(pairs)
        assert (step["node"] > step["other"]).all()


def in_beam(graph, rounds, n_partitions):
    """The expected label blocks and a pipeline that checks them."""
    truth = np.array(sorted(union_find(graph).items()), LABEL)
    expected = list(split_by(truth, partition_of(truth["node"], n_partitions)))
    pieces = [
        (n % 2, edges_of(chunk).tobytes())
        for n, chunk in enumerate([graph[start : start + 30] for start in range(0, len(graph), 30)])
    ]
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        found, unconverged = pipeline | beam.Create(pieces) | ConnectedComponents(rounds, n_partitions)
        assert_that(found, equal_to(expected), label="labels")
        assert_that(unconverged | beam.CombineGlobally(sum), equal_to([0]), label="converged")


@pytest.mark.parametrize("n_partitions", [1, 3, 17])
def test_same_components_for_any_number_of_partitions(n_partitions):
    path = [(n, n + 1) for n in range(6)]
    in_beam(spread([*path, *itertools.combinations(range(20, 26), 2), (30, 31)]), 3, n_partitions)


def test_too_few_rounds_are_reported():
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _, unconverged = pipeline | beam.Create([(0, edges_of(spread(PATH)).tobytes())]) | ConnectedComponents(1, 3)

        def positive(totals):
            assert totals[0] > 0

        assert_that(unconverged | beam.CombineGlobally(sum), positive)
