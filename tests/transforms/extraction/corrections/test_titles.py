"""The heading that is an article's title stands beside its text."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.corrections.titles import without_title
from transforms.extraction.page import outline_of

TITLE = "A walk at night"


@pytest.mark.parametrize(
    ("head", "body", "left"),
    [
        (f"<title>{TITLE} - The Paper</title>", f"<h1>{TITLE}</h1><p>Text.</p>", ["Text."]),
        (f"<title>{TITLE}</title>", f"<h1><a>a walk  AT night</a></h1><p>{TITLE}</p>", [TITLE]),
        (f"<meta property=og:title content='{TITLE}'><title>x</title>", f"<h1>{TITLE}</h1><p>Text.</p>", ["Text."]),
        ("<title>The Paper</title>", f"<h1>{TITLE}</h1><p>Text.</p>", [TITLE, "Text."]),
        (f"<title>{TITLE}</title>", f"<h2>{TITLE}</h2><p>Text.</p>", [TITLE, "Text."]),
        (f"<title>{TITLE}</title>", f"<h1>{TITLE}</h1>", [TITLE]),
        ("<title>Night</title>", f"<h1>{TITLE}</h1><p>Text.</p>", [TITLE, "Text."]),
        (f"<title>{TITLE}</title>", "<h1>Walk, at</h1><p>Text.</p>", ["Text."]),
        (f"<title>{TITLE}</title>", "<h1>Alk</h1><p>Text.</p>", ["Alk", "Text."]),
        ("", f"<h1>{TITLE}</h1><p>Text.</p>", [TITLE, "Text."]),
    ],
    ids=[
        "part of the title",
        "in a link",
        "as shared",
        "another",
        "no first heading",
        "nothing else",
        "more than the title",
        "words of it",
        "letters of it",
        "none",
    ],
)
def test_a_heading_that_is_the_title_goes(head: str, body: str, left: list[str]) -> None:
    page = outline_of(f"<html><head>{head}</head><body>{body}</body></html>")
    kept = without_title(page, np.ones(len(page.texts), np.bool_))
    assert [text for text, is_kept in zip(page.texts, kept.tolist(), strict=True) if is_kept] == left


def test_what_was_not_chosen_is_no_title_of_it() -> None:
    page = outline_of(f"<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1><p>Text.</p></body></html>")
    kept = np.array([False, True])
    assert without_title(page, kept).tolist() == [False, True]
