"""What kind of page it is."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.extraction.choice.lexicon import Lexicon, Names
from transforms.extraction.choice.page_kind import KINDS, is_surely_article, kind_scores, page_words
from transforms.extraction.page import outline_of


def test_kinds() -> None:
    weights = np.array([[0, 0, 0, 5, 0, 0, 0]])
    lexicon = Lexicon({}, {}, {}, {"path forum": 0}, weights, (1, 0, 0, 0, 0, 0, 0))
    page = outline_of("<p class=post>x</p>")
    url = "https://a.example.org/forum/12345?x=1"
    words = page_words(page, url, Names.of(page.signatures))
    assert {"path forum", "path number", "path query", "path depth 2", "host example", "post", "<p>"} <= words
    assert KINDS[max(range(7), key=kind_scores(words, lexicon).__getitem__)] == "forum"
    assert kind_scores(page_words(page, "http://[", Names.of([])), lexicon) == (1, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("article", "forum", "service", "is_sure"),
    [
        (3000, 1500, 0, True),
        (3000, 1501, 0, False),
        (3000, -9000, 3000, True),
        (3000, -9000, 3001, False),
        (-100, -1600, -200, True),
    ],
)
def test_a_sure_article(article: int, forum: int, service: int, *, is_sure: bool) -> None:
    scores = {"article": article, "forum": forum, "service": service}
    assert is_surely_article(tuple(scores.get(kind, -9000) for kind in KINDS)) is is_sure
