from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from trainer.scaling.candidates import grid_place, grid_size, propose


def test_the_grid_of_three_sources_by_hand() -> None:
    places = [grid_place(n, 3, 2) for n in range(grid_size(3, 2))]
    assert places == [(0, 0, 2), (0, 1, 1), (0, 2, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0)]
    assert (grid_place(0, 1, 7), grid_size(1, 7), grid_size(4, 0)) == ((7,), 1, 1)


@settings(deadline=None)
@given(sources=st.integers(1, 8), parts=st.integers(0, 30), data=st.data())
def test_every_place_is_a_way_and_places_ascend(sources: int, parts: int, data: st.DataObject) -> None:
    size = grid_size(sources, parts)
    index = data.draw(st.integers(0, size - 1))
    place = grid_place(index, sources, parts)
    assert (len(place), sum(place), min(place) >= 0) == (sources, parts, True)
    if index:
        assert grid_place(index - 1, sources, parts) < place


@pytest.mark.parametrize("index", [-1, 6])
def test_a_place_outside_the_grid(index: int) -> None:
    with pytest.raises(IndexError, match="must be 0 to 5"):
        grid_place(index, 3, 2)


def test_mixes_are_different_add_up_and_hold_the_least() -> None:
    found = propose(["web", "code", "maths"], 10, 1, 20, "0")
    assert len(found) == 20
    assert len({tuple(shares.values()) for shares in found.values()}) == 20
    for name, shares in found.items():
        assert list(shares) == ["code", "maths", "web"]
        assert math.fsum(shares.values()) == pytest.approx(1)
        assert min(shares.values()) >= 0.1
        assert name == "m" + "-".join(str(round(share * 10)) for share in shares.values())


def test_more_mixes_hold_the_fewer_and_the_key_draws_them() -> None:
    few, many, other = (propose("abcd", 20, 0, n, key) for n, key in ((5, "0"), (50, "0"), (5, "1")))
    assert list(many)[:5] == list(few)
    assert few != other
    assert propose("dcba", 20, 0, 5, "0") == few


def test_a_small_grid_is_given_whole() -> None:
    assert sorted(propose("ab", 2, 0, 100, "0")) == ["m0-2", "m1-1", "m2-0"]
    assert propose("ab", 2, 1, 100, "0") == {"m1-1": {"a": 0.5, "b": 0.5}}


@pytest.mark.parametrize(
    ("sources", "parts", "least", "message"),
    [
        ("abc", 10, 4, "least: 4 of 10 parts for each of 3 sources"),
        ("", 10, 0, "for each of 0 sources"),
        ("abcdefghijklmnopqrst", 1000, 0, "parts: 1000 is not allowed for 20 sources"),
    ],
)
def test_what_makes_no_grid_is_named(sources: str, parts: int, least: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        propose(sources, parts, least, 3, "0")
