from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from tests.trainer.shards import counting, write_source
from trainer.data.batches import IGNORE
from trainer.data.corpus import Corpus
from trainer.data.mixture import Mixture, counts_in_block, data_step, pack


@pytest.fixture
def corpora(tmp_path: Path) -> dict[str, Corpus]:
    made = {}
    for name, first in (("a", 1_000), ("b", 20_000)):
        paths = write_source(tmp_path, name, counting([70, 300, 13, 641], first))
        made[name] = Corpus(name, paths, unit=32, seed=5)
    return made


def _mixture(corpora: dict[str, Corpus], **changes: object) -> Mixture:
    given_: dict = {
        "mix": {"a": 0.7, "b": 0.3}, "seq_len": 16, "batch_sequences": 12, "starts": {}, "block": 20, "key": "0:x",
    }  # fmt: skip
    return Mixture(corpora, **{**given_, **changes})


def test_shares_are_exact_in_each_block(corpora: dict[str, Corpus]) -> None:
    mixture = _mixture(corpora)
    for block in range(5):
        drawn = Counter(mixture.locate(n)[0] for n in range(block * 20, block * 20 + 20))
        assert drawn == {"a": 14, "b": 6}


@pytest.mark.parametrize("drawn", [7, 33, 200])  # 7 and 33 end amid a block
def test_a_source_is_read_forward_without_gaps(corpora: dict[str, Corpus], drawn: int) -> None:
    mixture = _mixture(corpora)
    for source in ("a", "b"):
        places = [place for name, place in map(mixture.locate, range(drawn)) if name == source]
        assert places == [16 * n for n in range(len(places))]


def test_what_was_drawn_is_counted_without_drawing(corpora: dict[str, Corpus]) -> None:
    mixture = _mixture(corpora)
    for n in (0, 1, 19, 20, 53):
        drawn = Counter(mixture.locate(k)[0] for k in range(n))
        assert mixture.drawn(n) == {"a": drawn["a"], "b": drawn["b"]}


def test_the_next_stage_starts_where_this_one_ends(corpora: dict[str, Corpus]) -> None:
    ends = _mixture(corpora).ends(5)
    assert sum(ends.values()) == 5 * 12 * 16
    after = _mixture(corpora, seq_len=32, starts={"a": 16, "b": ends["b"]}, key="0:y")
    places = {name: min(p for s, p in map(after.locate, range(40)) if s == name) for name in ("a", "b")}
    assert places == {"a": 32, "b": -(-ends["b"] // 32) * 32}


@settings(deadline=None, max_examples=40)
@given(world=st.integers(1, 12), number=st.integers(0, 50))
def test_ranks_in_order_make_up_the_batch(world: int, number: int) -> None:
    corpora = _SHARED[0]
    whole = _mixture(corpora).batch(number)
    shares = [_mixture(corpora).batch(number, rank, world) for rank in range(world)]
    for column in ("tokens", "positions", "labels"):
        assert np.array_equal(np.concatenate([getattr(s, column) for s in shares]), getattr(whole, column))
    sizes = [len(share.tokens) for share in shares]
    assert max(sizes) - min(sizes) <= 1


_SHARED: list[dict[str, Corpus]] = []


@pytest.fixture(autouse=True)
def _share(corpora: dict[str, Corpus]) -> None:
    _SHARED[:] = [corpora]


def test_labels_never_cross_a_document(corpora: dict[str, Corpus]) -> None:
    mixture = _mixture(corpora)
    seen = 0
    for number in range(10):
        batch = mixture.batch(number)
        for tokens, positions, labels in zip(batch.tokens, batch.positions, batch.labels, strict=True):
            counted = labels != IGNORE
            # Tokens go up by one within a source, so a right label is its token plus one.
            assert np.array_equal(labels[counted], tokens[counted] + 1)
            starts_next = np.append(positions[1:] == 0, False)
            assert not (counted & starts_next).any()
            assert counted[:-1][~starts_next[:-1]].all()
            seen += int(starts_next.sum())
    assert seen


def test_positions_start_anew_with_each_document(tmp_path: Path) -> None:
    corpus = Corpus("a", write_source(tmp_path, "a", counting([5, 9, 18]), rows_per_shard=1), unit=32, seed=0)
    batch = pack([corpus.slice(0, 16)])
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1]]
    assert batch.labels[0, [4, 13, 15]].tolist() == [IGNORE, IGNORE, 116]
    assert (batch.labels != IGNORE).sum() == 14


@pytest.mark.parametrize(
    ("mix", "block", "expected"),
    [
        ({"a": 1, "b": 1, "c": 1}, 10, {"a": 4, "b": 3, "c": 3}),
        ({"a": 0.5, "b": 0.25, "c": 0.17, "d": 0.08}, 1000, {"a": 500, "b": 250, "c": 170, "d": 80}),
        ({"a": 2, "b": 0}, 7, {"a": 7}),
    ],
)
def test_counts_in_a_block(mix: dict[str, float], block: int, expected: dict[str, int]) -> None:
    assert counts_in_block(mix, block) == expected


@pytest.mark.parametrize("mix", [{}, {"a": 0.0}, {"a": 1.0, "b": -0.1}])
def test_mixes_that_are_none(mix: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="mix: "):
        counts_in_block(mix, 100)


def test_a_share_below_one_sequence_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"mix\.b: 0\.0004 of 1\.0004 is less than one sequence in a block of 1000"):
        counts_in_block({"a": 1.0, "b": 0.0004}, 1000)


def test_an_unknown_source_is_refused(corpora: dict[str, Corpus]) -> None:
    with pytest.raises(ConfigError, match=r"mix\.c: no such source; allowed: a, b"):
        _mixture(corpora, mix={"a": 1, "c": 1})


def test_more_ranks_than_sequences_are_refused(corpora: dict[str, Corpus]) -> None:
    with pytest.raises(ConfigError, match="a batch of 12 sequences cannot be shared by 13 ranks"):
        _mixture(corpora).batch(0, 0, 13)


@pytest.mark.parametrize(
    ("skipped", "expected"),
    [(set(), [0, 1, 2, 3]), ({0}, [1, 2, 3, 4]), ({2, 3}, [0, 1, 4, 5]), ({9, 1}, [0, 2, 3, 4])],
)
def test_bad_batches_are_passed_over(skipped: set[int], expected: list[int]) -> None:
    assert [data_step(step, skipped) for step in range(4)] == expected
