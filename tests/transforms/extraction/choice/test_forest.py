"""The forest: against a plain walk of the same trees."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from transforms.extraction.choice import forest as forests
from transforms.extraction.choice.forest import Forest
from transforms.extraction.choice.lexicon import Lexicon
from transforms.extraction.choice.model import Model, load_model, save_model


def grown(n_trees: int, seed: int, n_features: int = 5) -> Forest:
    """Return trees of three leaves: a root whose upper child is split again."""
    rng = np.random.default_rng(seed)
    feature, threshold, child, value = [], [], [], []
    for tree in range(n_trees):
        base = 5 * tree
        feature += [*rng.integers(0, n_features, 2).tolist(), 0, 0, 0]
        threshold += [*rng.integers(-3, 4, 2).tolist(), 0, 0, 0]
        child += [base + 2, base + 1, base + 3, base + 4, *(base + at for at in (2, 2, 3, 3, 4, 4))]
        value += [0, 0, *rng.integers(-2000, 2000, 3).tolist()]
    columns = (np.arange(n_trees) * 5, feature, threshold, child, value)
    return Forest(*(np.array(column, np.int32) for column in columns), 2, 17)


def walked(forest: Forest, column: np.ndarray) -> int:
    total, at_first = forest.bias, forest.bias
    for tree, root in enumerate(forest.roots):
        at = int(root)
        while forest.child[2 * at] != at:
            at = int(forest.child[2 * at + bool(column[forest.feature[at]] > forest.threshold[at])])
        total += int(forest.value[at])
        at_first = total if tree < forests.FIRST_TREES else at_first
    return at_first if at_first - forest.bias <= forests.HOPELESS else total


@pytest.mark.parametrize(("n_trees", "n_blocks"), [(1, 1), (3, 50), (forests.FIRST_TREES + 40, 600)])
def test_the_same_as_one_by_one(n_trees: int, n_blocks: int) -> None:
    forest = grown(n_trees, n_trees)
    table = np.random.default_rng(1).integers(-5, 6, (5, n_blocks))
    assert forest.scores(table).tolist() == [walked(forest, table[:, at]) for at in range(n_blocks)]


def test_no_block_and_huge_values() -> None:
    forest = grown(3, 0)
    assert forest.scores(np.zeros((5, 0), np.int64)).tolist() == []
    huge = np.full((5, 1), 1 << 60)
    assert forest.scores(huge).tolist() == [walked(forest, np.full(5, forests.CLIP))]


def test_hopeless_blocks_are_not_asked_about_again() -> None:
    forest = grown(forests.FIRST_TREES + 1, 3)
    forest = replace(forest, value=np.where(forest.value != 0, -1000, 0).astype(np.int32))
    assert forest.scores(np.zeros((5, 1), np.int64)).tolist() == [17 - 1000 * forests.FIRST_TREES]


def test_a_model_written_and_read_again() -> None:
    pages = np.array([[1, 2, 3, 4, 5, 6, -7]])
    bias = (0, -1, 2, 3, 4, 5, 6)
    lexicon = Lexicon({"nav": -5, "ä": 2}, {"a": 1}, {("read", "more"): -7}, {"path p": 0}, pages, bias)
    model = Model(lexicon, ("a", "b", "c", "d", "e"), grown(2, 9))
    first, second = io.BytesIO(), io.BytesIO()
    save_model(model, first)
    save_model(model, second)
    assert first.getvalue() == second.getvalue()
    first.seek(0)
    again = load_model(first)
    assert again.columns == model.columns
    for name in ("marks", "texts", "pairs", "pages", "page_bias"):
        assert getattr(again.lexicon, name) == getattr(lexicon, name)
    assert again.lexicon.page_weights.tolist() == pages.tolist()
    table = np.arange(10).reshape(5, 2)
    assert again.forest.scores(table).tolist() == model.forest.scores(table).tolist()
