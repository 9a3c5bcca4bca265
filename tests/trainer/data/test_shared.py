"""Row groups are decoded once for all ranks of a node; what the ranks see is the same."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.trainer.shards import counting, write_source
from trainer.data import corpus as corpus_module
from trainer.data import shared as shared_module
from trainer.data.corpus import Corpus, document_ids
from trainer.data.mixture import Mixture
from trainer.data.shared import Decoded, SharedGroups

UNIT, ROWS_A_GROUP, RANKS = 32, 64, 64
MIX = {"a": 0.6, "b": 0.3, "c": 0.1}


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Three sources of six row groups each, documents of all lengths."""
    folder, found = tmp_path_factory.mktemp("shards"), {}
    for source in MIX:
        draw = random.Random(source)
        lengths = [draw.randrange(3, 60) for _ in range(390)]
        found[source] = write_source(folder, source, counting(lengths), UNIT, 4 * ROWS_A_GROUP, ROWS_A_GROUP)
    return found


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The tokens of each row group that was decoded."""
    found: list[int] = []
    read = corpus_module._read_group

    def counted(group: corpus_module.RowGroup, left_out: pa.Array | None) -> Decoded:
        found.append(group.rows * group.row_tokens)
        return read(group, left_out)

    monkeypatch.setattr(corpus_module, "_read_group", counted)
    monkeypatch.setattr(corpus_module, "CACHED_TOKENS", 2 * ROWS_A_GROUP * UNIT)  # real groups are as large as the room
    return found


def rank(shards: dict[str, list[str]], groups: SharedGroups | None) -> Mixture:
    streams = {source: Corpus(source, paths, UNIT, 0, shared=groups) for source, paths in shards.items()}
    return Mixture(streams, MIX, UNIT, RANKS, {}, 50, "k")


@pytest.mark.parametrize("shares", [True, False])
def test_64_ranks_decode_little_more_than_one(
    shards: dict[str, list[str]], decoded: list[int], tmp_path: Path, shares: bool
) -> None:
    groups = SharedGroups(tmp_path, 4 * 2 * ROWS_A_GROUP * UNIT) if shares else None
    ranks = [rank(shards, groups) for _ in range(RANKS)]
    used = 0
    for step in range(12):
        found = [mixture.batch(step, n, RANKS) for n, mixture in enumerate(ranks)]
        used += sum(batch.tokens.size for batch in found)
    amplification = sum(decoded) / used
    assert amplification < 2 if shares else amplification > 40


def test_what_is_mapped_is_what_is_decoded(shards: dict[str, list[str]], tmp_path: Path) -> None:
    held_out = document_ids(shards["a"])[::3]
    alone = Corpus("a", shards["a"], UNIT, 0, held_out)
    for _ in range(2):  # written, then mapped
        sharing = Corpus("a", shards["a"], UNIT, 0, held_out, shared=SharedGroups(tmp_path, 0))
        for n in range(0, alone.epoch_tokens // UNIT, 7):
            ours, theirs = alone.slice(n * UNIT, UNIT), sharing.slice(n * UNIT, UNIT)
            assert np.array_equal(ours.tokens, theirs.tokens)
            assert np.array_equal(ours.doc_ends, theirs.doc_ends)
            assert (ours.next_token, ours.cut) == (theirs.next_token, theirs.cut)
            assert ours.left_out is not None
            assert np.array_equal(ours.left_out, theirs.left_out)
    assert len([path for path in tmp_path.iterdir() if "lock" not in path.name]) == shared_module.FILES


def test_streams_that_leave_out_other_documents_share_nothing(shards: dict[str, list[str]], tmp_path: Path) -> None:
    groups, ids = SharedGroups(tmp_path, 10**9), document_ids(shards["a"])
    one, other = (Corpus("a", shards["a"], UNIT, 0, some, shared=groups) for some in (ids[:9], ids[9:]))
    for n in range(one.epoch_tokens // UNIT):
        left = [corpus.slice(n * UNIT, UNIT).left_out for corpus in (one, other)]
        assert np.array_equal(left[0], ~left[1])


def test_ranks_that_ask_at_once_wait_for_the_one_that_decodes(tmp_path: Path) -> None:
    calls: list[int] = []
    array = np.arange(6, dtype=np.uint32).reshape(2, 3)

    def decode() -> Decoded:
        calls.append(1)
        return Decoded(array, [np.array([3]), np.array([1, 3])], None)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: SharedGroups(tmp_path, 0).get("a", "k", decode), range(32)))
    assert len(calls) == 1
    assert all(np.array_equal(one.tokens, array) and one.doc_ends[1].tolist() == [1, 3] for one in found)


def test_without_a_folder_each_decodes_for_itself(tmp_path: Path) -> None:
    expected = Decoded(np.zeros((1, 1), np.uint32), [np.array([1])], None)
    assert SharedGroups(tmp_path / "gone", 0).get("a", "k", lambda: expected) is expected


def test_a_node_shares_one_folder_and_sweeps_those_of_runs_that_were_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_module.tempfile, "gettempdir", lambda: str(tmp_path))
    shared_module.of_node.cache_clear()
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert shared_module.of_node(1) is None
    shared_module.of_node.cache_clear()
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    killed = tmp_path / f"winnow-rows-{os.getuid()}-{2**22 + 1}-abc"
    killed.mkdir()
    registered = []
    monkeypatch.setattr(shared_module.atexit, "register", lambda *words, **_: registered.append(words[1]))
    assert shared_module.of_node(1) is not None
    [mine] = tmp_path.iterdir()
    assert registered == [mine]
    assert mine.name.startswith(f"winnow-rows-{os.getuid()}-{os.getppid()}-")
    shared_module.of_node.cache_clear()
