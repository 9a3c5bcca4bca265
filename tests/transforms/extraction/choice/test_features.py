"""What the forest is told about a block."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.choice.features import TAG_CODES, Features, features_of, prefix_sums, share
from transforms.extraction.choice.lexicon import Lexicon, Names
from transforms.extraction.page import outline_of

LEXICON = Lexicon(
    {"<nav>": -100, "post": 40, "side": -30, "<body>": 5},
    {"share": -7, "read": 0, "more": 0},
    {("read", "more"): -9},
    {},
    np.zeros((0, 7), np.int64),
    (0,) * 7,
)
KIND_SCORES = (1, 2, 3, 4, 5, 6, 7)


def featured(body: str, title: str = "") -> Features:
    page = outline_of(f"<html><head><title>{title}</title></head><body>{body}</body></html>")
    return features_of(page, Names.of(page.signatures), LEXICON, KIND_SCORES)


def column(body: str, name: str, title: str = "") -> list[int]:
    return featured(body, title).column(name).tolist()


LINKS = "<nav><a>Share</a></nav><div class=post><h1>A title</h1><p>Ein Satz, 12 Wörter.</p><p>Read more</p></div>"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("words", [1, 2, 4, 2]),
        ("chars", [5, 7, 20, 9]),
        ("link", [1000, 0, 0, 0]),
        ("non_link_words", [0, 2, 4, 2]),
        ("stops", [0, 0, 1, 0]),
        ("commas", [0, 0, 1, 0]),
        ("digits", [0, 0, 100, 0]),
        ("capitals", [1000, 500, 750, 500]),
        ("ends", [0, 0, 3, 0]),
        ("text_weight", [-7, 0, 0, -9]),
        ("path", [-95, 45, 45, 45]),
        ("low", [-100, 0, 0, 0]),
        ("high", [5, 40, 40, 40]),
        ("tag", [TAG_CODES[tag] for tag in ("a", "h1", "p", "p")]),
        ("box_tag", [TAG_CODES[tag] for tag in ("nav", "h1", "p", "p")]),
        ("in_nav", [1, 0, 0, 0]),
        ("in_main", [0, 0, 0, 0]),
        ("level", [0, 1, 0, 0]),
        ("heading_since", [0, 1, 1, 2]),
        ("from_h1", [-1, 0, 1, 2]),
        ("words^0", [1, 2, 4, 2]),
        ("words^1", [9, 8, 8, 8]),
        ("words^2", [9, 9, 9, 9]),
        ("share^1", [1000, 888, 888, 888]),
        ("marker_weight^1", [5, 40, 40, 40]),
        ("before", [0, 111, 333, 777]),
        ("page_words", [9, 9, 9, 9]),
        ("kind_forum", [4, 4, 4, 4]),
        ("path+1", [45, 45, 45, -1]),
        ("path-3", [-1, -1, -1, -95]),
        ("copies", [1, 1, 1, 1]),
        ("series_repeats", [-1, -1, -1, -1]),
    ],
)
def test_columns(name: str, values: list[int]) -> None:
    assert column(LINKS, name) == values


def test_a_series_of_cards() -> None:
    body = "<div class='card a'><p>one</p></div>" * 2 + "<div class='card b'><p>two</p></div><div class=other>x</div>"
    assert column(body, "series_repeats") == [3, 3, 3, -1]
    assert column(body, "series_place") == [0, 1, 2, -1]
    assert column(body, "outer_mean") == [1, 1, 1, -1]
    assert column(body, "copy") == [0, 1, 0, 0]
    assert column(body, "signature_count") == [2, 2, 1, 1]


def test_the_main_elements() -> None:
    prose = "<p>Twelve words of prose are what it takes to make a block prose.</p>"
    body = f"<p>a</p><div><div>{prose * 7}</div><p>b</p>{prose * 2}</div><p>c</p>{prose}<p>d</p>"
    assert column(body, "off_main_500") == [-1, *[0] * 7, 1, 2, 3, 4, 5, 6]
    assert column(body, "off_main_700") == [-1, *[0] * 7, 1, 2, 3, 4, 5, 6]
    assert column(body, "off_main_900") == [-1, *[0] * 10, 1, 2, 3]
    assert column("<p>a</p><div>b</div>", "off_main_500") == [0, 0]  # no prose: the whole page


def test_scripts_without_spaces() -> None:
    assert column("<p>日本語の文章です。</p><p>สวัสดี</p>", "words") == [5, 4]


def test_hidden_is_inherited() -> None:
    assert column("<div hidden><p>a</p></div><p>b</p>", "hidden") == [1, 0]


def test_every_column_is_of_integers_and_named_once() -> None:
    found = featured("<p>a</p>")
    assert found.table.dtype == np.int64
    assert found.table.shape == (len(found.names), 1)
    assert len(set(found.names)) == len(found.names)


def test_the_same_columns_on_every_page() -> None:
    assert featured("x").names == featured("<h1>a</h1><table><tr><td>b</table>" * 20).names


def test_sums_and_shares() -> None:
    assert prefix_sums(np.array([1, 2, 3])).tolist() == [0, 1, 3, 6]
    assert share(np.array([1, 2, 0]), np.array([3, 2, 0])).tolist() == [333, 1000, 0]


@pytest.mark.parametrize("depth", [1, 2, 7, 8, 9, 3000])
def test_depth_is_counted_from_the_root(depth: int) -> None:
    assert column("<div>" * depth + "deep" + "</div>" * depth, "depth") == [depth + 1]


def test_which_series_a_block_belongs_to() -> None:
    found = featured("<p>a</p>" + "<div><ul><li>b</ul></div>" * 3 + "<ul><li>c<li>d<li>e</ul>")
    assert len(set(found.series[1:4].tolist())) == len(set(found.series[4:].tolist())) == 1
    assert len({-1, *found.series.tolist()}) == 3
    assert found.series[0] == -1
