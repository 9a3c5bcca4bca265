from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.permutation import Permutation


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 3000), key=st.text(max_size=10))
def test_every_index_comes_once(size: int, key: str) -> None:
    found = Permutation(size, key).of(np.arange(size))
    assert sorted(found.tolist()) == list(range(size))


def test_one_index_is_as_many() -> None:
    permutation = Permutation(1000, "k")
    assert [permutation[n] for n in range(20)] == permutation.of(np.arange(20)).tolist()


def test_other_keys_give_other_orders() -> None:
    orders = {tuple(Permutation(50, f"k{n}").of(np.arange(50)).tolist()) for n in range(100)}
    assert len(orders) == 100


def test_an_order_is_even() -> None:
    """Over many keys each index goes everywhere: chi-squared over 16 x 16 places, 4000 keys."""
    counts = np.zeros((16, 16))
    for n in range(4000):
        counts[np.arange(16), Permutation(16, f"e{n}").of(np.arange(16)).astype(int)] += 1
    expected = 4000 / 16
    assert ((counts - expected) ** 2 / expected).sum() < 330  # 225 degrees of freedom: 99.9% lie below 297


def test_a_huge_size_needs_no_table() -> None:
    permutation = Permutation(10**15, "k")
    found = permutation.of(np.array([0, 1, 10**15 - 1]))
    assert len(set(found.tolist())) == 3
    assert max(found.tolist()) < 10**15


@pytest.mark.parametrize("index", [5, 10**9])
def test_outside_is_refused(index: int) -> None:
    with pytest.raises(IndexError, match=f"index {index}: must be 0 to 4"):
        Permutation(5, "k")[index]
