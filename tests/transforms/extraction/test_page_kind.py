"""What kind of page it is."""

from __future__ import annotations

import numpy as np

from transforms.extraction.lexicon import Lexicon, Names
from transforms.extraction.page import outline_of
from transforms.extraction.page_kind import KINDS, kind_scores, page_words


def test_kinds() -> None:
    weights = np.array([[0, 0, 0, 5, 0, 0, 0]])
    lexicon = Lexicon({}, {}, {}, {"path forum": 0}, weights, (1, 0, 0, 0, 0, 0, 0))
    page = outline_of("<p class=post>x</p>")
    url = "https://a.example.org/forum/12345?x=1"
    words = page_words(page, url, Names.of(page.made))
    assert {"path forum", "path number", "path query", "path depth 2", "host example", "post", "<p>"} <= words
    assert KINDS[max(range(7), key=kind_scores(words, lexicon).__getitem__)] == "forum"
    assert kind_scores(page_words(page, "http://[", Names.of([])), lexicon) == (1, 0, 0, 0, 0, 0, 0)
