from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import chdtri

from trainer.data.permutation import Permutation

FIRST_OF_64 = [55, 45, 8, 26, 41, 5]
FIRST_OF_1000 = [64, 632, 252, 327, 971, 667]


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


@pytest.mark.parametrize("size", [2, 3, 5, 6, 9, 16, 63, 64, 100])
def test_an_order_is_even(size: int) -> None:
    """Over keys each index goes to each place alike: chi-squared, at most what 99.9% of even orders have."""
    keys, counts = 1000, np.zeros((size, size))
    for n in range(keys):
        counts[np.arange(size), Permutation(size, f"e{n}").of(np.arange(size)).astype(int)] += 1
    expected = keys / size
    assert ((counts - expected) ** 2 / expected).sum() < chdtri((size - 1) ** 2, 0.001)


def test_all_orders_of_four_come_as_often() -> None:
    """An order whose places are even alone could still be one of few."""
    orders = Counter(tuple(Permutation(4, f"o{n}").of(np.arange(4)).tolist()) for n in range(2400))
    assert len(orders) == 24
    assert sum((count - 100) ** 2 / 100 for count in orders.values()) < chdtri(23, 0.001)


def test_orders_from_64_on_are_those_of_earlier_runs() -> None:
    assert Permutation(64, "k").of(np.arange(6)).tolist() == FIRST_OF_64
    assert Permutation(1000, "k").of(np.arange(6)).tolist() == FIRST_OF_1000


def test_a_huge_size_needs_no_table() -> None:
    permutation = Permutation(10**15, "k")
    found = permutation.of(np.array([0, 1, 10**15 - 1]))
    assert len(set(found.tolist())) == 3
    assert max(found.tolist()) < 10**15


@pytest.mark.parametrize("index", [5, 10**9])
def test_outside_is_refused(index: int) -> None:
    with pytest.raises(IndexError, match=f"index {index}: must be 0 to 4"):
        Permutation(5, "k")[index]
