"""What a page says about itself: title, date."""

from __future__ import annotations

import pytest

from transforms.extraction.parsing.metadata import published_date, title_of
from transforms.extraction.parsing.outline import Outline


@pytest.mark.parametrize(
    ("metas", "linked", "day"),
    [
        ({"article:published_time": "2024-03-01T10:00:00Z"}, [], "2024-03-01"),
        ({"date": "2024/3/1"}, [], "2024-03-01"),
        ({"date": "1 March 2024"}, ['{"datePublished": "2023-12-31"}'], "2023-12-31"),
        ({"date": "2024-13-01"}, [], ""),
        ({"date": "20240301"}, [], ""),
        ({}, ["{"], ""),
    ],
)
def test_dates(metas: dict[str, str], linked: list[str], day: str) -> None:
    assert published_date(Outline(metas=metas, linked_data=linked)) == day


def test_titles() -> None:
    assert title_of(Outline(title="A | Site", metas={"og:title": " A\n b "})) == "A b"
    assert title_of(Outline(title="A | Site")) == "A | Site"
    assert title_of(Outline()) == ""
