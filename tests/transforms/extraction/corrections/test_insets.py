"""Which listings and formulas a choice of blocks takes with it."""

from __future__ import annotations

import numpy as np
import pytest
from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.corrections.insets import is_inset, with_insets
from transforms.extraction.parsing.outline import Outline
from transforms.extraction.parsing.walk import outline


def walked(body: str) -> Outline:
    return outline(LexborHTMLParser(f"<body>{body}</body>"))


def kept_texts(body: str, chosen: set[str]) -> list[str]:
    page = walked(body)
    kept = with_insets(page, np.array([text in chosen for text in page.texts], np.bool_))
    return [text for text, is_kept in zip(page.texts, kept.tolist(), strict=True) if is_kept]


@pytest.mark.parametrize(
    ("body", "chosen", "expected"),
    [
        # between two that are kept, wherever it stands
        ("<p>a</p><div><pre>x=1</pre></div><p>b</p>", {"a", "b"}, ["a", "x=1", "b"]),
        ("<p>a</p><div><pre>x=1</pre><pre>y=1</pre></div><p>b</p>", {"a", "b"}, ["a", "x=1", "y=1", "b"]),
        # beside one that is kept, in the same element
        ("<div><p>a</p><pre>x=1</pre></div><p>b</p>", {"a"}, ["a", "x=1"]),
        ("<div><pre>x=1</pre><p>a</p></div><p>b</p>", {"a"}, ["x=1", "a"]),
        ("<div>a <div class='codeblock'>x = 1;<br>y = 2;</div></div><p>b</p>", {"a"}, ["a", "x = 1;\ny = 2;"]),
        ("<div><p>a</p></div><div><pre>x=1</pre></div><p>b</p>", {"a"}, ["a"]),
        ("<div><p>a</p><p>no</p><pre>x=1</pre></div><p>b</p>", {"a"}, ["a", "x=1"]),  # a language label, a button
        ("<div><p>a</p><p>no</p><p>nor this</p><pre>x=1</pre></div><p>b</p>", {"a"}, ["a"]),  # not directly above
        ("<div><p>a</p><p>no, this is a sentence</p><pre>x=1</pre></div><p>b</p>", {"a"}, ["a"]),
        ("<pre>x=1</pre>", set(), []),
        ("<p>a</p><pre>x=1</pre><p>b</p>", set(), []),
        # formulas, and what only begins like one
        ("<div><p>a</p></div><p>\\(x^2\\)</p><div><p>b</p></div>", {"a", "b"}, ["a", "\\(x^2\\)", "b"]),
        ("<p>a</p><p>$x^2$.</p><p>b</p>", {"a", "b"}, ["a", "$x^2$.", "b"]),
        ("<p>a</p><p>$5 or $6</p><p>b</p>", {"a", "b"}, ["a", "b"]),
        ("<p>a</p><p>\\(x\\) and \\(y\\)</p><p>b</p>", {"a", "b"}, ["a", "b"]),
        ("<p>a</p><p>word</p><p>b</p>", {"a", "b"}, ["a", "b"]),
    ],
)
def test_what_is_taken_along(body: str, chosen: set[str], expected: list[str]) -> None:
    assert kept_texts(body, chosen) == expected


def test_a_choice_without_insets_is_returned_as_it_is() -> None:
    page = walked("<p>a</p><p>b</p>")
    kept = np.array([True, False])
    assert with_insets(page, kept) is kept
    assert is_inset(page).tolist() == [False, False]
    assert with_insets(Outline(), np.zeros(0, np.bool_)).tolist() == []


def test_many_formulas_cost_little() -> None:
    page = walked("<p>a</p>" + "<p>\\(x\\)</p>" * 20_000 + "<p>\\(" + "y" * 1_000_000 + "</p><p>b</p>")
    kept = np.zeros(len(page.texts), np.bool_)
    kept[0] = True
    assert int(with_insets(page, kept).sum()) == 20_001
