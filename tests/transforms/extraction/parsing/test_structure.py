"""Elements of a page as arrays; what a block inherits of them is in test_features.py."""

from __future__ import annotations

import numpy as np

from transforms.extraction.choice.lexicon import Lexicon, Names
from transforms.extraction.page import outline_of
from transforms.extraction.parsing.structure import elements_of


def test_elements_of_an_empty_page() -> None:
    page = outline_of("")
    lexicon = Lexicon({}, {}, {}, {}, np.zeros((0, 7), np.int64), (0,) * 7)
    assert page.texts == []
    assert elements_of(page, Names.of(page.signatures), lexicon).parent.tolist() == [-1, 0, 0]
