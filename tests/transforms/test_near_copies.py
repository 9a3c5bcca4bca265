"""FindNearCopies against brute force: clusters, keepers and similarities, for any partitions, parts and order."""

from __future__ import annotations

import itertools
import json
import pathlib
from collections import defaultdict

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.identity import keyed_hash
from transforms.blocks import merge_blocks, sort_rows, unique_rows
from transforms.minhash import MinHashConfig, band_hashes, signature
from transforms.near_copies import (
    BUCKETED,
    MEMBER,
    NEAR,
    PAIR,
    FindNearCopies,
    bucket_rows,
    candidate_pairs,
    node_of,
    partial_clusters,
    place_of,
    requests_for,
    signed_dtype,
    total_clusters,
)

ARTICLES = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "data" / "neardup"
SMALL = MinHashConfig(n_hashes=16, bands=4, rows=4, min_similarity=0.75)


def document_id(name):
    return keyed_hash("high", name), keyed_hash("low", name)


def families(n_families, n_members, seed=7):
    """Documents {name: (id, rank, signature)} in families whose signatures drift apart, and as many strangers."""
    random = np.random.default_rng(seed)
    documents = {}
    for family in range(n_families):
        values = random.integers(0, 2**32, 16, np.uint32)
        for member in range(n_members):
            values = values.copy()
            values[random.integers(0, 16, family % 7)] = random.integers(0, 2**32, 1, np.uint32)
            name = f"family {family} member {member}"
            documents[name] = (document_id(name), int(random.integers(0, 2)), values)
        name = f"stranger {family}"
        documents[name] = (document_id(name), 9, random.integers(0, 2**32, 16, np.uint32))
    return documents


def brute_force(documents, config):
    """{id: (keeper id, cluster size, similarity)} of every member of a cluster, by comparing all with all."""
    bands = {name: set(band_hashes(values[None], config)[0].tolist()) for name, (_, _, values) in documents.items()}
    best = defaultdict(float)
    cluster = {name: {name} for name in documents}
    for a, b in itertools.combinations(documents, 2):
        similarity = float(np.mean(documents[a][2] == documents[b][2]))
        if bands[a] & bands[b] and similarity >= config.min_similarity:
            best[a], best[b] = max(best[a], similarity), max(best[b], similarity)
            joined = cluster[a] | cluster[b]
            for member in joined:
                cluster[member] = joined
    verdicts = {}
    for name, members in cluster.items():
        if len(members) > 1:
            keeper = min(members, key=lambda member: (-documents[member][1], documents[member][0]))
            verdicts[documents[name][0]] = (documents[keeper][0], len(members), best[name])
    return verdicts


def places_of(documents, n_parts, numbering):
    """A part and a row for each document, in an order that depends on `numbering`."""
    names = sorted(documents, key=lambda name: keyed_hash(f"place {numbering}", name))
    return {name: (numbering * 1000 + n % n_parts, n // n_parts) for n, name in enumerate(names)}


def blocks_of(documents, places, config):
    parts = defaultdict(list)
    for name, (part, row) in places.items():
        ids, rank, values = documents[name]
        parts[part].append((row, *ids, rank, values))
    return [(part, np.array(rows, signed_dtype(config.n_hashes)).tobytes()) for part, rows in parts.items()]


def check(documents, config, n_partitions, places, rounds=3):
    truth = brute_force(documents, config)
    parts = defaultdict(list)
    for name, (part, row) in places.items():
        if documents[name][0] in truth:
            keeper, size, similarity = truth[documents[name][0]]
            parts[part].append((row, *keeper, size, similarity))
    expected = [(part, merge_blocks([np.array(rows, NEAR).tobytes()], NEAR).tobytes()) for part, rows in parts.items()]
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        signed = pipeline | beam.Create(blocks_of(documents, places, config))
        near, unconverged = signed | FindNearCopies(config, n_partitions, rounds)
        assert_that(near, equal_to(expected), label="near")
        assert_that(unconverged | beam.CombineGlobally(sum), equal_to([0]), label="converged")


@pytest.mark.parametrize(("n_partitions", "numbering"), [(1, 0), (3, 1), (17, 2)])
def test_clusters_equal_brute_force_for_any_partitions_and_part_numbers(n_partitions, numbering):
    documents = families(14, 5)
    truth = brute_force(documents, SMALL)
    assert len(truth) > 30
    assert {size for _, size, _ in truth.values()} >= {2, 3, 5}
    assert any(similarity < 1 for _, _, similarity in truth.values())
    check(documents, SMALL, n_partitions, places_of(documents, 3 + numbering, numbering))


def test_a_pair_that_meets_in_a_band_but_is_not_alike_is_no_cluster():
    """Transitive closure runs over verified pairs: A and C, each like B, are joined; D, which only shares a band of A,
    is not."""
    a = np.arange(16, dtype=np.uint32)
    b, c, d = a.copy(), a.copy(), a + 100
    b[12:] += 50  # equal to a: 12 of 16 = 0.75, the limit itself
    c[12:] = b[12:]
    c[8:11] += 70  # equal to b 13, to a 9
    d[:4] = a[:4]
    documents = {name: (document_id(name), 0, values) for name, values in zip("abcd", (a, b, c, d), strict=True)}
    truth = brute_force(documents, SMALL)
    assert {name: truth[document_id(name)][1:] for name in "abc"} == {
        "a": (3, 0.75),
        "b": (3, 0.8125),
        "c": (3, 0.8125),
    }
    assert document_id("d") not in truth
    check(documents, SMALL, 2, places_of(documents, 2, 0), rounds=2)


def test_no_documents_no_verdicts():
    check({}, SMALL, 2, {}, rounds=1)


def test_node_and_place_are_a_bijection():
    rows = np.array([0, 1, 2**32 - 1, 77], np.uint32)
    for part in (0, 1, 2**32 - 1):
        nodes = node_of(part, rows)
        parts, back = place_of(nodes)
        assert parts.tolist() == [part] * 4
        assert back.tolist() == rows.tolist()
    spread = node_of(0, np.arange(1000, dtype=np.uint32)) >> np.uint64(61)
    assert np.bincount(spread.astype(int)).min() > 100  # of 125 in each eighth


def bucket(*ids, key=1):
    return np.array([(key, identity // 10, identity % 10) for identity in ids], BUCKETED)


def pairs_in(block, max_all_pairs=3):
    return [(a * 10 + b, c * 10 + d) for a, b, c, d in candidate_pairs(sort_rows(block), max_all_pairs).tolist()]


def test_small_buckets_give_all_pairs_large_ones_first_and_neighbour():
    assert pairs_in(bucket(7)) == []
    assert pairs_in(bucket(7, 3)) == [(3, 7)]
    assert pairs_in(bucket(31, 7, 3)) == [(3, 7), (3, 31), (7, 31)]
    assert pairs_in(bucket(31, 7, 3, 55, 40)) == [
        (3, 7), (3, 31), (3, 40), (3, 55), (7, 31), (31, 40), (40, 55)
    ]  # fmt: skip
    assert pairs_in(np.zeros(0, BUCKETED)) == []


def test_pairs_are_distinct_across_buckets_and_a_repeated_id_is_no_pair():
    both = np.concatenate((bucket(1, 2, key=5), bucket(2, 1, key=6), bucket(1, 3, key=7), bucket(4, 4, key=8)))
    assert pairs_in(both) == [(1, 2), (1, 3)]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=40), st.integers(2, 6))
def test_every_bucket_stays_connected_by_its_pairs(rows, max_all_pairs):
    block = np.array([(key, identity, 0) for key, identity in rows], BUCKETED)
    pairs = {(a, b) for a, _, b, _ in candidate_pairs(sort_rows(block), max_all_pairs).tolist()}
    for key in {key for key, _ in rows}:
        members = sorted({identity for other, identity in rows if other == key})
        assert all(pair in pairs for pair in itertools.pairwise(members))
        assert all((members[0], other) in pairs for other in members[1:])
        if len(members) <= max_all_pairs:
            assert all(pair in pairs for pair in itertools.combinations(members, 2))


def test_bucket_rows_and_requests():
    signed = np.zeros(2, signed_dtype(16))
    signed["id_hi"] = [8, 9]
    rows = bucket_rows(signed, SMALL)
    assert rows["id_hi"].tolist() == [8] * 4 + [9] * 4
    assert len(unique_rows(sort_rows(rows))) == 8
    assert rows["bucket"][:4].tolist() == rows["bucket"][4:].tolist()
    pairs = np.array([(1, 1, 2, 2), (1, 1, 3, 3)], PAIR)
    assert requests_for(pairs, 6).tolist() == [(1, 1, 6), (2, 2, 6), (3, 3, 6)]


def test_keeper_has_the_highest_rank_then_the_smaller_id_across_partitions():
    dtype = MEMBER
    left = np.array([(1, 50, 0, 3, 0.9, 7), (2, 40, 0, -(2**63), 0.9, 7)], dtype)
    right = np.array([(3, 49, 1, 3, 0.9, 7), (4, 49, 0, 3, 0.9, 7), (5, 1, 1, 2, 0.9, 8)], dtype)
    clusters = np.concatenate((partial_clusters(left, 0), partial_clusters(right, 1)))
    assert sorted(total_clusters(clusters).tolist()) == [(7, 3, 49, 0, 4, 0), (7, 3, 49, 0, 4, 1), (8, 2, 1, 1, 1, 1)]


@pytest.mark.skipif(not ARTICLES.is_dir(), reason="needs shared/data beside the checkout")
def test_news_articles_with_known_copies():
    config = MinHashConfig()
    lines = (ARTICLES / "minhash_articles_1000.train").read_text("utf-8").splitlines()
    texts = dict(line.split(" ", 1) for line in lines)
    documents = {name: (document_id(name), 0, signature(text, config)) for name, text in texts.items()}
    pairs = [line.split() for line in (ARTICLES / "minhash_articles_1000.truth").read_text("utf-8").splitlines()]
    truth = {document_id(name): document_id(min(pair, key=document_id)) for pair in pairs for name in pair}
    places = places_of(documents, 4, 1)
    rows = {place: documents[name][0] for name, place in places.items()}
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        near, _ = pipeline | beam.Create(blocks_of(documents, places, config)) | FindNearCopies(config, 5, 2)

        def exactly_the_known_pairs(pieces):
            found = {}
            for part, data in pieces:
                for row, high, low, size, similarity in np.frombuffer(data, NEAR).tolist():
                    found[rows[part, row]] = (high, low)
                    assert (size, similarity >= 0.7) == (2, True)
            assert found == truth, json.dumps([len(found), len(truth)])

        assert_that(near, exactly_the_known_pairs)
