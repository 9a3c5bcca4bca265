"""MinHash: the normalisation by hand, signatures against datasketch bit for bit, bands."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from transforms.dedup.minhash import (
    MinHashConfig,
    band_hashes,
    normal_character,
    shingle_hash,
    shingle_hashes,
    signature,
    words_of,
)

DEFAULT = MinHashConfig()
ANY_TEXT = st.text(st.characters() | st.sampled_from("ab e1 .,é漢字กक्षΣİ\u0301\u00ad\ud800"), max_size=80)


def datasketch_signature(text, config):
    words = words_of(text)
    n = min(config.ngram, len(words))
    reference = MinHash(config.n_hashes, config.seed, hashfunc=shingle_hash)
    reference.update_batch(b" ".join(words[start : start + n]) for start in range(len(words) - n + 1))
    return reference.hashvalues


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("a", "a"),
        (" \n\t ...!?_$ ", ""),
        ("The QUICK-brown fox's 3.14", "the quick brown fox s 0 00"),
        ("Crème brûlée, naïve", "creme brulee naive"),
        ("Cre\u0300me", "creme"),
        ("co\u00adoperate zero\u200bwidth", "cooperate zerowidth"),
        ("٣٤ ½", "00 ½"),
        ("ΟΔΟΣ", "οδος"),
        ("İstanbul", "istanbul"),
        ("한국어 말", "한국어 말"),
        ("שָׁלוֹם עולם", "שלום עולם"),
        ("我爱NLP，你呢？", "我 爱 nlp 你 呢"),
        ("ガラス", "カ ラ ス"),
        ("हिन्दी", "हिनदी"),
        ("a\u2028b\u00a0c\x00d\x1ce", "a b c d e"),
        ("lone \ud800 surrogate", "lone surrogate"),
    ],
)
def test_words(text, words):
    assert b" ".join(words_of(text)).decode() == words


@settings(deadline=None, max_examples=200)
@given(ANY_TEXT)
def test_fast_words_equal_their_definition(text):
    for whole in (text, "plain ascii words " * 40 + text):  # mapped whole, mapped run by run
        definition = "".join(map(normal_character, whole.lower())).split(" ")
        assert [word.decode() for word in words_of(whole)] == [word for word in definition if word]


def test_shingle_hash_is_pinned():
    """Signatures are stored and joined by later runs: the hash must never change."""
    assert shingle_hash(b"the quick brown fox jumps") == 3701667216
    assert shingle_hash(b"the") == 1402948027
    assert shingle_hash(b"a b") != shingle_hash(b"b a")


@settings(deadline=None, max_examples=100)
@given(ANY_TEXT, st.integers(1, 6))
def test_fast_shingles_equal_their_definition(text, ngram):
    words = words_of(text)
    n = min(ngram, len(words))
    shingles = [b" ".join(words[start : start + n]) for start in range(len(words) - n + 1)] if words else []
    assert shingle_hashes(text, ngram).tolist() == [shingle_hash(shingle) for shingle in shingles]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["a", "b", "c1", "über", "漢"]), min_size=1, max_size=30), st.integers(0, 3))
def test_signature_equals_datasketch(words, seed):
    for config in (DEFAULT, MinHashConfig(n_hashes=37, bands=5, rows=7, ngram=2, seed=seed)):
        text = " ".join(words)
        assert signature(text, config).tolist() == datasketch_signature(text, config).tolist()


@pytest.mark.parametrize("n_words", [1, 4, 5, 6, 515, 516, 517, 3000])
def test_signature_equals_datasketch_around_the_chunk(n_words):
    text = " ".join(f"word{chr(97 + n % 26)}{'x' * (n // 26)}" for n in range(n_words))
    found = signature(text, DEFAULT)
    assert found.dtype == np.uint32
    assert found.tolist() == datasketch_signature(text, DEFAULT).tolist()


def test_no_words_no_signature():
    assert signature("", DEFAULT) is None
    assert signature("... !!! \u200b", DEFAULT) is None


def test_short_texts_are_one_shingle():
    assert len(shingle_hashes("one two three four", 5)) == 1
    assert len(shingle_hashes("one two three four five", 5)) == 1
    assert len(shingle_hashes("one two three four five six", 5)) == 2
    assert signature("Hello!", DEFAULT).tolist() == signature("hello", DEFAULT).tolist()


def test_a_huge_word_is_not_kept_in_memory():
    text = "x" * 1_000_000
    assert signature(text, DEFAULT).tolist() == datasketch_signature(text, DEFAULT).tolist()


def test_similarity_estimates_jaccard():
    config = MinHashConfig(n_hashes=1024, ngram=1)
    a = " ".join(f"w{'x' * n}" for n in range(100))
    b = " ".join(f"w{'x' * n}" for n in range(25, 125))  # 75 shared of 125
    estimate = np.mean(signature(a, config) == signature(b, config))
    assert abs(estimate - 0.6) < 0.05  # 3 standard deviations: sqrt(.6 * .4 / 1024) = 0.015


def test_band_hashes():
    random = np.random.default_rng(1)
    signatures = random.integers(0, 2**32, (50, 112), np.uint32)
    signatures[7, :8] = signatures[3, :8]  # band 0 alone
    signatures[9, 8:15] = signatures[3, 8:15]  # seven of eight values of band 1: not enough
    bands = band_hashes(signatures, DEFAULT)
    assert bands.shape == (50, 14)
    assert bands.dtype == np.uint64
    assert bands[7, 0] == bands[3, 0]
    assert len(np.unique(bands)) == 50 * 14 - 1


def test_equal_bands_of_two_places_differ_and_values_beyond_the_bands_do_not_count():
    config = MinHashConfig(n_hashes=10, bands=3, rows=3)
    same = np.full((2, 10), 5, np.uint32)
    same[1, 9] = 6
    bands = band_hashes(same, config)
    assert bands[0].tolist() == bands[1].tolist()
    assert len(set(bands[0].tolist())) == 3
    assert band_hashes(np.zeros((0, 10), np.uint32), config).shape == (0, 3)


def test_band_hashes_see_high_bits():
    config = MinHashConfig(n_hashes=8, bands=1, rows=8)
    signatures = np.zeros((2**8, 8), np.uint32)
    signatures[:, 0] = np.arange(2**8, dtype=np.uint32) << np.uint32(24)
    bands = band_hashes(signatures, config)
    assert len(np.unique(bands)) == 2**8
    assert len(np.unique(bands >> np.uint64(48))) > 240  # the partition is chosen by the top bits


def test_config_refuses_more_bands_than_hashes():
    MinHashConfig(n_hashes=12, bands=3, rows=4)
    with pytest.raises(ConfigError, match="bands: 3"):
        MinHashConfig(n_hashes=11, bands=3, rows=4)
    with pytest.raises(ConfigError, match="min_similarity"):
        MinHashConfig(min_similarity=0.0)


def test_numbers_tell_texts_apart_where_they_are_kept() -> None:
    one, other = (
        "In {} there were {} ships, \u0664\u0662 of them new.".format(*numbers) for numbers in ((1901, 7), (1902, 8))
    )
    assert words_of(one) == words_of(other)
    assert words_of(one, keep_numbers=True) != words_of(other, keep_numbers=True)
    assert words_of(one, keep_numbers=True)[-4:] == [b"42", b"of", b"them", b"new"]
    kept = MinHashConfig(keep_numbers=True)
    assert (signature(one, MinHashConfig()) == signature(other, MinHashConfig())).all()  # type: ignore[union-attr]
    assert (signature(one, kept) != signature(other, kept)).any()  # type: ignore[union-attr]
