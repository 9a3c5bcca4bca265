"""Candidate pairs: all of a small bucket, few of a large one, the same rule between new and known documents."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.candidate_pairs import (
    BUCKETED,
    PAIR,
    bucket_heads,
    bucket_rows,
    candidate_pairs,
    pairs_with_known,
    requests_for,
)
from transforms.dedup.minhash import MinHashConfig
from transforms.dedup.near_copies import signed_dtype
from transforms.shuffle.hash_blocks import sort_rows, unique_rows

SMALL = MinHashConfig(n_hashes=16, bands=4, rows=4, min_similarity=0.75)


def bucket(*ids, key=1):
    return np.array([(key, identity // 10, identity % 10) for identity in ids], BUCKETED)


def pairs_in(block, max_all_pairs=3):
    return [(a * 10 + b, c * 10 + d) for a, b, c, d, _ in candidate_pairs(sort_rows(block), max_all_pairs).tolist()]


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
    pairs = {(a, b) for a, _, b, _, _ in candidate_pairs(sort_rows(block), max_all_pairs).tolist()}
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
    pairs = np.array([(1, 1, 2, 2, 0), (1, 1, 3, 3, 0), (3, 3, 1, 1, 1)], PAIR)
    assert requests_for(pairs, 6).tolist() == [(1, 1, 0, 6), (1, 1, 1, 6), (2, 2, 0, 6), (3, 3, 0, 6)]


def met(new, known, max_all_pairs=4):
    pairs = pairs_with_known(sort_rows(new), sort_rows(known), max_all_pairs)
    assert set(pairs["known"].tolist()) <= {1}
    return [(a * 10 + b, c * 10 + d) for a, b, c, d, _ in pairs.tolist()]


def test_a_small_bucket_gives_all_pairs_of_new_and_known():
    assert met(bucket(1, 9), bucket(5, 3)) == [(1, 3), (1, 5), (9, 3), (9, 5)]
    assert met(bucket(1), bucket(5, 3, 7)) == [(1, 3), (1, 5), (1, 7)]
    assert met(bucket(1, 9), bucket(5, key=2)) == []
    assert met(bucket(), bucket(5)) == met(bucket(5), bucket()) == []


def test_a_large_bucket_pairs_each_new_one_with_the_first_known_and_the_nearest_before_it():
    assert met(bucket(1, 4, 9), bucket(3, 5)) == [(1, 3), (4, 3), (9, 3), (9, 5)]
    assert met(bucket(6), bucket(3, 5, 7, 9)) == [(6, 3), (6, 5)]
    assert met(bucket(1), bucket(3, 5, 7, 9)) == [(1, 3)]


def test_a_known_document_may_have_the_id_of_a_new_one():
    assert met(bucket(5), bucket(5)) == [(5, 5)]
    assert met(bucket(5), bucket(3, 5, 7, 9)) == [(5, 3), (5, 5)]


def test_buckets_do_not_see_each_other():
    new = np.concatenate((bucket(2, 8, key=6), bucket(2, key=7)))
    known = np.concatenate((bucket(1, 3, 4, key=5), bucket(1, 3, 4, key=6), bucket(9, key=7)))
    assert met(new, known) == [(2, 1), (2, 9), (8, 1), (8, 4)]


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=30),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=30),
    st.integers(2, 6),
)
def test_pairs_with_known_equal_the_rule(new, known, max_all_pairs):
    blocks = [np.array([(key, identity, 0) for key, identity in rows], BUCKETED) for rows in (new, known)]
    found = {(a, b) for a, _, b, _, _ in pairs_with_known(*map(sort_rows, blocks), max_all_pairs).tolist()}
    expected = set()
    for key in {key for key, _ in new}:
        ours, theirs = (sorted({identity for other, identity in rows if other == key}) for rows in (new, known))
        for identity, other in itertools.product(ours, theirs):
            before = [one for one in theirs if one <= identity] or theirs[:1]
            if len(ours) + len(theirs) <= max_all_pairs or other in (theirs[0], before[-1]):
                expected.add((identity, other))
    assert found == expected


def test_a_run_leaves_the_smallest_ids_of_each_bucket():
    rows = sort_rows(np.concatenate((bucket(5, 3, 3, 9), bucket(7, key=2), bucket(4, 2, 1, key=3))))
    assert bucket_heads(rows, 2).tolist() == [(1, 0, 3), (1, 0, 5), (2, 0, 7), (3, 0, 1), (3, 0, 2)]
    assert len(bucket_heads(rows[:0], 2)) == 0
