"""Words of names and texts, and what they weigh."""

from __future__ import annotations

import numpy as np

from transforms.extraction.choice.lexicon import MAX_NAMES, Lexicon, Names, mark_words, text_words


def test_words() -> None:
    assert mark_words("div", "postContent entry-2 XMLBody postContent") == (
        ["<div>", "post", "content", "entry", "xml", "body", "post", "content"]
    )
    assert len(mark_words("a", "word " * (MAX_NAMES + 5))) == 1 + MAX_NAMES
    assert mark_words("a", "") == ["<a>"]
    assert text_words("Read 12 MORE") == ["read", "0", "more"]
    lexicon = Lexicon({}, {"read": 1, "0": 4, "more": 0}, {("0", "more"): -9}, {}, np.zeros((0, 7), np.int64), (0,) * 7)
    marked = Lexicon({"<a>": 1, "post": 4, "nav": -9}, {}, {}, {}, np.zeros((0, 7), np.int64), (0,) * 7)
    names = Names.of([("a", "post postNav other"), ("p", ""), ("a", "a\nnav")])
    assert names.names == ["post", "postNav", "other", "a", "nav"]
    assert " ".join(names.words).split(" \n") == ["post", " post nav", " other", "", " nav", ""]
    assert marked.marker_weights(names) == [1 + 4 + 4 - 9, 0, 1 - 9]
    assert lexicon.text_weights(["Read 12 MORE", "12 more", ""]) == [-4, -5, 0]
    assert text_words("") == []
