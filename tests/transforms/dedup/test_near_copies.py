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

from schemas.errors import RunError
from schemas.identity import keyed_hash
from transforms.dedup.candidate_pairs import BUCKETED, REQUEST
from transforms.dedup.minhash import MinHashConfig, band_hashes, signature
from transforms.dedup.near_copies import (
    KNOWN_PARTS,
    MEMBER,
    NEAR,
    FindNearCopies,
    KnownDocuments,
    known_dtype,
    node_of,
    partial_clusters,
    place_known,
    place_of,
    signed_dtype,
    total_clusters,
)
from transforms.shuffle.hash_blocks import merge_blocks
from transforms.shuffle.known_rows import KnownRows, KnownTable, table_facts

ARTICLES = pathlib.Path(__file__).resolve().parents[3].parent / "shared" / "data" / "neardup"
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


def brute_force(documents, config, known=None):
    """{id: (keeper id, cluster size, similarity, keeper is known)} of every new member of a cluster, by comparing all
    new documents with all; documents of earlier runs take part where a new one is like them."""
    known = known or {}
    both = {**documents, **known}
    bands = {name: set(band_hashes(values[None], config)[0].tolist()) for name, (_, _, values) in both.items()}
    best = defaultdict(float)
    cluster = {name: {name} for name in both}
    for a, b in (*itertools.combinations(documents, 2), *itertools.product(documents, known)):
        similarity = float(np.mean(both[a][2] == both[b][2]))
        if bands[a] & bands[b] and similarity >= config.min_similarity:
            best[a], best[b] = max(best[a], similarity), max(best[b], similarity)
            joined = cluster[a] | cluster[b]
            for member in joined:
                cluster[member] = joined
    verdicts = {}
    for name in documents:
        members = cluster[name]
        if len(members) > 1:
            keeper = min(members, key=lambda member: (member not in known, -both[member][1], both[member][0]))
            if keeper in known:
                keeper = min(members & known.keys(), key=lambda member: known[member][0])
            verdicts[documents[name][0]] = (both[keeper][0], len(members), best[name], keeper in known)
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


def known_documents(folder, config, earlier=()):
    """The tables of earlier runs, from the folders those wrote, and the place of this run's own."""
    dtypes = {"buckets": BUCKETED, "signatures": known_dtype(config.n_hashes)}
    return KnownDocuments(
        *(
            KnownRows(
                f"{folder}/{kind}",
                dtype,
                tuple(KnownTable(f"{run}/{kind}", table_facts(f"{run}/{kind}", dtype)["digest"]) for run in earlier),
            )
            for kind, dtype in dtypes.items()
        )
    )


def check(documents, config, n_partitions, places, tables, rounds=3, known=None):
    truth = brute_force(documents, config, known)
    parts = defaultdict(list)
    for name, (part, row) in places.items():
        if documents[name][0] in truth:
            keeper, size, similarity, is_known = truth[documents[name][0]]
            parts[part].append((row, *keeper, size, similarity, is_known))
    expected = [(part, merge_blocks([np.array(rows, NEAR).tobytes()], NEAR).tobytes()) for part, rows in parts.items()]
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        signed = pipeline | beam.Create(blocks_of(documents, places, config))
        near, unconverged = signed | FindNearCopies(config, tables, n_partitions, rounds)
        assert_that(near, equal_to(expected), label="near")
        assert_that(unconverged | beam.CombineGlobally(sum), equal_to([0]), label="converged")


@pytest.mark.parametrize(("n_partitions", "numbering"), [(1, 0), (3, 1), (17, 2)])
def test_clusters_equal_brute_force_for_any_partitions_and_part_numbers(n_partitions, numbering, tmp_path):
    documents = families(14, 5)
    truth = brute_force(documents, SMALL)
    assert len(truth) > 30
    assert {size for _, size, _, _ in truth.values()} >= {2, 3, 5}
    assert any(similarity < 1 for _, _, similarity, _ in truth.values())
    tables = known_documents(tmp_path, SMALL)
    check(documents, SMALL, n_partitions, places_of(documents, 3 + numbering, numbering), tables)
    facts = {kind: table_facts(table.folder, table.dtype) for kind, table in vars(tables).items()}
    assert {kind: fact["rows"] for kind, fact in facts.items()} == {"buckets": 4 * 84, "signatures": 84}


def test_a_pair_that_meets_in_a_band_but_is_not_alike_is_no_cluster(tmp_path):
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
    assert {name: truth[document_id(name)][1:3] for name in "abc"} == {
        "a": (3, 0.75),
        "b": (3, 0.8125),
        "c": (3, 0.8125),
    }
    assert document_id("d") not in truth
    check(documents, SMALL, 2, places_of(documents, 2, 0), known_documents(tmp_path, SMALL), rounds=2)


def test_no_documents_no_verdicts(tmp_path):
    check({}, SMALL, 2, {}, known_documents(tmp_path, SMALL), rounds=1)


def in_three_runs(documents):
    """Families drift: a later member is like the first of its family only through those between them. Of every third
    family the first run has none."""

    def run_of(name):
        family, member = (int(word) for word in name.split()[1::2]) if "member" in name else (1, 0)
        return 1 + member % 2 if family % 3 == 0 else {0: 0, 1: 1, 2: 2}.get(member, 1)

    return [{name: documents[name] for name in documents if run_of(name) == run} for run in range(3)]


@pytest.mark.parametrize("partitions", [(1, 3, 4, 1), (17, 2, 1, 5)])
def test_a_later_run_drops_clusters_that_a_known_document_belongs_to(partitions, tmp_path):
    """Three runs, and one without documents between them; the partitions of each do not matter to any other."""
    first, second, third = in_three_runs(families(21, 6))
    truth = brute_force(second, SMALL, first)
    assert {is_known for *_, is_known in truth.values()} == {False, True}
    direct = {name: brute_force({name: found}, SMALL, first) for name, found in second.items()}
    assert any(truth.get(found[0], (0, 0, 0, False))[3] and not direct[name] for name, found in second.items())
    earlier, known = [], {}
    for run, (found, n_partitions) in enumerate(zip((first, second, {}, third), partitions, strict=True)):
        tables = known_documents(tmp_path / str(run), SMALL, earlier)
        check(found, SMALL, n_partitions, places_of(found, 3, run), tables, known=known)
        earlier.append(tmp_path / str(run))
        known |= found


def test_a_document_that_comes_again_under_its_id_is_a_copy_of_itself(tmp_path):
    documents = {name: found for name, found in families(2, 1).items() if "family 0" in name}
    (name,) = documents
    check(documents, SMALL, 2, {name: (0, 0)}, known_documents(tmp_path / "1", SMALL), rounds=1)
    again = {f"{name} again": documents[name]}
    for run in ("2", "3"):  # the third run finds the id in both earlier ones
        tables = known_documents(tmp_path / run, SMALL, [tmp_path / str(n) for n in range(1, int(run))])
        check(again, SMALL, 3, {f"{name} again": (0, 7)}, tables, rounds=1, known=documents)
        assert brute_force(again, SMALL, documents) == {documents[name][0]: (documents[name][0], 2, 1.0, True)}


def test_a_bucket_without_signatures_is_said_in_one_line(tmp_path):
    dtype = known_dtype(16)
    requests = np.array([(5, 6, 1, 0)], REQUEST)
    with pytest.raises(RunError, match="00000000000000050000000000000006 is in a bucket, not signed"):
        place_known(requests, KnownRows(str(tmp_path), dtype))
    assert len(place_known(requests[:0], KnownRows(str(tmp_path), dtype))) == 0


def test_known_documents_have_nodes_above_all_parts(tmp_path):
    dtype = known_dtype(2)
    tables = []
    for run, high in enumerate((5, 5, 2**63)):  # id 5 is in two runs: the oldest one's counts
        own = KnownRows(str(tmp_path / str(run)), dtype)
        own.write(high >> 63, 2, np.array([(high, 0, (run, run)), (high, 1, (run, run))], dtype))
        tables.append(KnownTable(own.folder, table_facts(own.folder, dtype)["digest"]))
    requests = np.array([(5, 1, 1, 0), (2**63, 0, 1, 3), (5, 1, 1, 9)], REQUEST)
    placed = place_known(requests, KnownRows("", dtype, tuple(tables)))
    assert placed["signature"].tolist() == [[0, 0], [2, 2], [0, 0]]
    parts, rows = place_of(placed["node"])
    assert (parts.tolist(), rows.tolist()) == ([KNOWN_PARTS, KNOWN_PARTS + 5, KNOWN_PARTS], [1, 0, 1])


def test_node_and_place_are_a_bijection():
    rows = np.array([0, 1, 2**32 - 1, 77], np.uint32)
    for part in (0, 1, 2**32 - 1):
        nodes = node_of(part, rows)
        parts, back = place_of(nodes)
        assert parts.tolist() == [part] * 4
        assert back.tolist() == rows.tolist()
    spread = node_of(0, np.arange(1000, dtype=np.uint32)) >> np.uint64(61)
    assert np.bincount(spread.astype(int)).min() > 100  # of 125 in each eighth


def test_keeper_has_the_highest_rank_then_the_smaller_id_across_partitions():
    dtype = MEMBER
    left = np.array([(1, 50, 0, 3, 0.9, 7), (2, 40, 0, -(2**63), 0.9, 7)], dtype)
    right = np.array([(3, 49, 1, 3, 0.9, 7), (4, 49, 0, 3, 0.9, 7), (5, 1, 1, 2, 0.9, 8)], dtype)
    clusters = np.concatenate((partial_clusters(left, 0), partial_clusters(right, 1)))
    assert sorted(total_clusters(clusters).tolist()) == [(7, 3, 49, 0, 4, 0), (7, 3, 49, 0, 4, 1), (8, 2, 1, 1, 1, 1)]


@pytest.mark.skipif(not ARTICLES.is_dir(), reason="needs shared/data beside the checkout")
def test_news_articles_with_known_copies(tmp_path):
    config = MinHashConfig()
    lines = (ARTICLES / "minhash_articles_1000.train").read_text("utf-8").splitlines()
    texts = dict(line.split(" ", 1) for line in lines)
    documents = {name: (document_id(name), 0, signature(text, config)) for name, text in texts.items()}
    pairs = [line.split() for line in (ARTICLES / "minhash_articles_1000.truth").read_text("utf-8").splitlines()]
    truth = {document_id(name): document_id(min(pair, key=document_id)) for pair in pairs for name in pair}
    places = places_of(documents, 4, 1)
    rows = {place: documents[name][0] for name, place in places.items()}
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        find = FindNearCopies(config, known_documents(tmp_path, config), 5, 2)
        near, _ = pipeline | beam.Create(blocks_of(documents, places, config)) | find

        def exactly_the_known_pairs(pieces):
            found = {}
            for part, data in pieces:
                for row, high, low, size, similarity, _ in np.frombuffer(data, NEAR).tolist():
                    found[rows[part, row]] = (high, low)
                    assert (size, similarity >= 0.7) == (2, True)
            assert found == truth, json.dumps([len(found), len(truth)])

        assert_that(near, exactly_the_known_pairs)
