from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import content_id, keyed_fraction, keyed_hash


def test_the_values_are_pinned_because_stored_ids_must_never_change() -> None:
    assert content_id("a", "b") == "6a93c5780b9861cdd8d2761a748d9591"
    assert keyed_hash("s", "v") == 15561793268861777988
    assert keyed_fraction("s", "v") == 15561793268861777988 / 2**64 // 2**-53 * 2**-53
    assert content_id("ab", "") != content_id("a", "b") != content_id("b", "a")


@given(st.text(), st.text())
def test_a_fraction_lies_in_zero_to_one_and_depends_on_salt_and_value(salt: str, value: str) -> None:
    salt = salt.encode("utf-8", "ignore")[:32].decode("utf-8", "ignore")
    assert 0.0 <= keyed_fraction(salt, value) < 1.0
    assert keyed_hash(salt, value) == keyed_hash(salt, value)


def test_fractions_are_spread_evenly() -> None:
    tenths = [0] * 10
    for n in range(10_000):
        tenths[int(keyed_fraction("test", str(n)) * 10)] += 1
    assert all(850 < count < 1150 for count in tenths)
