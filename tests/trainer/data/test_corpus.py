from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import ConfigError, InputError
from tests.trainer.shards import TOKENIZER, counting, write_source
from trainer.data.corpus import Corpus


def _read_epoch(corpus: Corpus, n: int, epoch: int = 0) -> list[np.ndarray]:
    start = epoch * corpus.epoch_tokens
    return [corpus.slice(start + at, n).tokens for at in range(0, corpus.epoch_tokens, n)]


@pytest.mark.parametrize("n", [4, 8, 16])
def test_an_epoch_holds_each_token_once_at_any_length(tmp_path: Path, n: int) -> None:
    paths = write_source(tmp_path, "a", counting([10, 300, 3, 200, 127]), row_tokens=32)
    corpus = Corpus("a", paths, unit=16, seed=1)
    found = np.concatenate(_read_epoch(corpus, n))
    assert sorted(found.tolist()) == list(range(100, 100 + 640))


def test_padding_and_what_fills_no_unit_is_left_out(tmp_path: Path) -> None:
    paths = write_source(tmp_path, "a", counting([100]), row_tokens=32)  # three rows and 4 tokens of a fourth
    corpus = Corpus("a", paths, unit=16, seed=0)
    assert corpus.epoch_tokens == 96
    assert sorted(np.concatenate(_read_epoch(corpus, 16)).tolist()) == list(range(100, 196))
    assert Corpus("a", paths, unit=4, seed=0).epoch_tokens == 100


@pytest.mark.parametrize("seed", range(4))
def test_a_longer_unit_leaves_out_more_and_changes_no_order(tmp_path: Path, seed: int) -> None:
    """A stage that is added, and longer, goes on in the stream of those before it."""
    paths = write_source(tmp_path, "a", counting([9 * 64 + 10]), row_tokens=32)  # of the last row group 10 tokens
    short, long = (
        np.concatenate(_read_epoch(Corpus("a", paths, unit, seed), unit)).tolist() for unit in (8, 32)
    )  # fmt: skip
    assert len(short) == len(long) + 8
    assert [token for token in short if token in set(long)] == long


def test_the_stream_is_one_whatever_the_length(tmp_path: Path) -> None:
    corpus = Corpus("a", write_source(tmp_path, "a", counting([512])), unit=32, seed=3)
    whole = np.concatenate(_read_epoch(corpus, 32))
    assert np.array_equal(whole, np.concatenate(_read_epoch(corpus, 4)))


def test_epochs_have_orders_of_their_own_and_come_back(tmp_path: Path) -> None:
    paths = write_source(tmp_path, "a", counting([1024]))
    corpus = Corpus("a", paths, unit=32, seed=3)
    first, second = (np.concatenate(_read_epoch(corpus, 32, epoch)) for epoch in (0, 1))
    assert not np.array_equal(first, second)
    assert sorted(first.tolist()) == sorted(second.tolist())
    assert np.array_equal(first, np.concatenate(_read_epoch(Corpus("a", paths, unit=32, seed=3), 32, 0)))


def test_a_slice_knows_its_documents_and_the_token_after_it(tmp_path: Path) -> None:
    paths = write_source(tmp_path, "a", counting([5, 9, 18]), row_tokens=32, rows_per_shard=1)
    corpus = Corpus("a", paths, unit=32, seed=0)
    first, second, last = (corpus.slice(at, 8) for at in (0, 8, 24))
    assert (first.doc_ends.tolist(), first.cut, first.next_token) == ([5, 8], True, 108)
    assert (second.doc_ends.tolist(), second.cut, second.next_token) == ([6, 8], True, 116)
    assert (last.doc_ends.tolist(), last.cut, last.next_token) == ([8], False, -1)


def test_a_document_that_ends_with_the_slice_is_not_cut(tmp_path: Path) -> None:
    corpus = Corpus("a", write_source(tmp_path, "a", counting([8, 24])), unit=32, seed=0)
    piece = corpus.slice(0, 8)
    assert (piece.doc_ends.tolist(), piece.cut) == ([8], False)


@pytest.mark.parametrize(("tokens", "groups"), [(0, 2), (64, 2), (5 * 64, 5), (1 << 24, 64)])
def test_only_few_row_groups_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokens: int, groups: int
) -> None:
    monkeypatch.setattr("trainer.data.corpus.CACHED_TOKENS", tokens)
    corpus = Corpus("a", write_source(tmp_path, "a", counting([4096])), unit=32, seed=0)
    _read_epoch(corpus, 32)
    assert len(corpus._decoded) == groups


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    paths = write_source(tmp_path, "a", counting([512]))
    with pytest.raises(ConfigError, match="rows of 32 tokens cannot be cut into sequences of 24"):
        Corpus("a", paths, unit=24, seed=0)
    with pytest.raises(ConfigError, match=r"sources\.a: no shards"):
        Corpus("a", [], unit=32, seed=0)
    other = dataclasses.replace(TOKENIZER, sha256="1" * 64)
    more = write_source(tmp_path / "b", "a", counting([64]), tokenizer=other)
    with pytest.raises(ConfigError, match="another tokenizer than the other shards of source a"):
        Corpus("a", [*paths, *more], unit=32, seed=0)
    Path(paths[0]).write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="not a Parquet file"):
        Corpus("a", paths, unit=32, seed=0)


def test_slices_must_fit(tmp_path: Path) -> None:
    corpus = Corpus("a", write_source(tmp_path, "a", counting([512])), unit=32, seed=0)
    with pytest.raises(ValueError, match="8 tokens at 4"):
        corpus.slice(4, 8)
