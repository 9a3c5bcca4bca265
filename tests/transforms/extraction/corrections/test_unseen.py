"""Blocks that nobody sees, and those that a click shows."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.corrections.unseen import without_unseen
from transforms.extraction.page import outline_of

SHOWN, SPAM = "x" * 300, "y" * 200


@pytest.mark.parametrize(
    ("hidden", "is_left"),
    [
        (f"<div style='display:none'><p>{SPAM}</p></div>", False),
        (f"<p hidden>{SPAM}</p>", False),
        (f"<p style='position:absolute; left:-9999px'>{SPAM}</p>", False),
        (f"<p aria-hidden=true style='visibility:hidden'>{SPAM}</p>", False),
        (f"<div><span style='visibility:hidden'>{SPAM}</span></div>", False),
        (f"<p><b style='visibility: hidden'><i>{SPAM}</i></b></p>", False),
        (f"<div><span class=x style='visibility:hidden'>{SPAM}</span></div>", True),
        # for screen readers alone
        (f"<h2 class='title sr-only'>{SPAM}</h2>", False),
        (f"<div class=visually-hidden><p>{SPAM}</p><p>{SPAM}</p></div>", False),
        (f"<p><span class=visuallyhidden><b>{SPAM}</b></span></p>", False),
        (f"<li><a class=sr-only href=#>{SPAM}</a></li>", False),
        (f"<table><tr><td>a<td><span class=sr-only>{SPAM}</span><svg></svg></table>", True),
        (f"<p class='sr-only-not visually'>{SPAM}</p>", True),
        (f"<ul style='display: none'><li><a>{SPAM}</a></ul>", False),
        (f"<div class=tab style='display:none'><p>{SPAM}</p></div>", True),
        (f"<div id=more hidden><p>{SPAM}</p></div>", True),
        (f"<div data-panel=2 hidden><p>{SPAM}</p></div>", True),
        (f"<p aria-hidden=true>{SPAM}</p>", True),
        (f"<h3>Question</h3><div style='display:none'><p>{SPAM}</p></div>", True),
        (f"<p>Is it so?</p><div style='display:none'><p>{SPAM}</p></div>", True),
        (f"<p><a>Show the rest</a></p><div style='display:none'><p>{SPAM}</p></div>", True),
        (f"<div style='display:none'><p>{SPAM}</p><p>{SPAM * 3}</p></div>", True),  # the page hides as a whole
    ],
)
def test_what_cannot_be_shown_goes(hidden: str, *, is_left: bool) -> None:
    page = outline_of(f"<article><p>{SHOWN}</p>{hidden}<p>end</p></article>")
    left = without_unseen(page, np.ones(len(page.texts), np.bool_))
    spam = [text.startswith("y") for text in page.texts]
    assert left.tolist() == [not is_spam or is_left for is_spam in spam]
