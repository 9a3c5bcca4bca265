"""A stage whose mix changes: each batch has the mix of its time, and no sequence comes twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from schemas.errors import ConfigError
from tests.trainer.shards import counting, write_source
from trainer.data.batches import Batch
from trainer.data.corpus import Corpus
from trainer.data.mixture import Mixture
from trainer.data.phases import Phases
from trainer.recipe import MixChange, StageConfig

MIXES = ({"a": 1.0}, {"a": 0.5, "b": 0.5}, {"b": 1.0})


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Corpus]:
    folder = tmp_path_factory.mktemp("shards")
    return {
        name: Corpus(name, write_source(folder, name, counting([32] * 60, first)), unit=32, seed=0)
        for name, first in (("a", 100), ("b", 10_000))
    }


def phases(corpora: Mapping[str, Corpus], starts: Mapping[str, int]) -> Phases:
    def make(n: int, starts: Mapping[str, int]) -> Mixture:
        return Mixture(corpora, MIXES[n], 16, 4, starts, 8, f"k:{n}")

    return Phases([3, 7], starts, make)


def sources(batch: Batch) -> Counter[str]:
    return Counter("b" if first >= 10_000 else "a" for first in batch.tokens[:, 0].tolist())


def test_each_batch_has_the_mix_of_its_time(corpora: Mapping[str, Corpus]) -> None:
    feed = phases(corpora, {})
    found = [sources(feed.batch(n)) for n in range(10)]
    assert [counts["a"] for counts in found[:3]] == [4] * 3
    assert sum((counts for counts in found[3:7]), Counter()) == {"a": 8, "b": 8}
    assert [counts["b"] for counts in found[7:]] == [4] * 3


def test_no_sequence_comes_twice_and_the_next_stage_goes_on_behind_all(corpora: Mapping[str, Corpus]) -> None:
    feed = phases(corpora, {"a": 32})
    firsts = [int(first) for n in range(10) for first in feed.batch(n).tokens[:, 0]]
    assert len(set(firsts)) == len(firsts) == 40
    assert feed.ends(10) == {"a": 32 + 16 * 20, "b": 16 * 20}
    assert feed.ends(5) == {"a": 32 + 16 * 16, "b": 16 * 4}
    assert feed.ends(3) == {"a": 32 + 16 * 12}
    assert feed.ends(0) == {"a": 32}


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_in_order_make_up_the_batch(corpora: Mapping[str, Corpus], world: int) -> None:
    feed = phases(corpora, {})
    for number in (2, 3, 8):
        shares = [feed.batch(number, rank, world).tokens for rank in range(world)]
        assert [row for share in shares for row in share.tolist()] == feed.batch(number).tokens.tolist()


def test_changes_come_in_order() -> None:
    with pytest.raises(ConfigError, match=r"mix_changes: batches \[5, 2\] are not allowed"):
        StageConfig(name="a", mix_changes=(MixChange(batch=5), MixChange(batch=2)))


def test_a_change_that_changes_nothing_is_refused() -> None:
    def changed(batch: int, mix: Mapping[str, float]) -> StageConfig:
        change = MixChange(batch=batch, mix=dict(mix))
        return StageConfig(name="a", tokens=96, seq_len=16, batch_tokens=32, mix_changes=(change,))

    assert changed(2, {"a": 1.0}).steps == 3
    with pytest.raises(ConfigError, match="mix_changes: batch 3 is not allowed; the stage has 3 steps"):
        changed(3, {"a": 1.0})
    with pytest.raises(ConfigError, match="mix_changes: a change without a mix is not allowed"):
        changed(2, {})
