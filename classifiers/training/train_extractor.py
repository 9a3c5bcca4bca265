"""Train the extractor's model on pages with gold text, and measure it on sites it has not seen.

    python -m classifiers.training.train_extractor FOLDER --to transforms/extraction/model.npz

Two layers. The lexicon (`train_extractor_lexicon`) turns words into weights; for the pages the forest learns from, and
for those it is measured on, the lexicon comes from other sites (cross-fitting by site), as it will in use. The forest
is gradient boosting (LightGBM) on the share of a block's words that the gold holds, cross-entropy loss, blocks weighted
by what a mistake about them costs. `--held-out 0.25` keeps a quarter of the sites aside and reports on them; without
it, every page is trained on, and only the cross-validated figures are unbiased.

Needs the extra `train-extractor` (lightgbm, scikit-learn, scipy).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.training.train_extractor_data import LabelledPage, block_weights, read_pages
from classifiers.training.train_extractor_labels import words_of
from classifiers.training.train_extractor_lexicon import PageRows, learn_lexicon, page_rows
from schemas.distribution import missing_module
from schemas.errors import ConfigError
from schemas.identity import keyed_fraction
from schemas.settings import setting, to_plain, validate
from transforms.extraction.choice.decide import UNIT, decide, probabilities
from transforms.extraction.choice.features import features_of
from transforms.extraction.choice.forest import Forest
from transforms.extraction.choice.lexicon import Lexicon, Names
from transforms.extraction.choice.model import Model, save_model
from transforms.extraction.choice.page_kind import KINDS, kind_scores

Table = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class TrainExtractorConfig:
    """The forest and the splits; all values are our own, chosen by cross-validation over sites."""

    n_folds: int = setting(5, "folds of the cross-fitting by site", ge=2)
    held_out: float = setting(0.0, "fraction of the sites kept aside and reported on", ge=0, le=0.9)
    n_trees: int = setting(180, "trees", ge=1)
    n_leaves: int = setting(24, "leaves of a tree", ge=2)
    max_depth: int = setting(7, "steps from a root to its deepest leaf", ge=1)
    learning_rate: float = setting(0.075, "share of each tree's correction that is applied", gt=0, le=1)
    min_leaf: int = setting(60, "blocks of a leaf", ge=1)
    column_share: float = setting(0.25, "columns a tree may look at", gt=0, le=1)
    row_share: float = setting(0.7, "blocks a tree learns from", gt=0, le=1)
    penalty: float = setting(10.0, "L2 penalty on leaf values", ge=0)
    wordless: float = setting(0.2, "share of pages learnt from a second time with no word known", ge=0, le=1)
    n_bins: int = setting(63, "bins of a column's values", ge=2, le=255)
    n_threads: int = setting(2, "threads of the trainer; the model is the same for any number", ge=1)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class Example:
    """A page as the forest sees it."""

    page: LabelledPage
    table: Table  # one row a feature, one column a block
    words: Table


def example_of(page: LabelledPage, rows: PageRows, lexicon: Lexicon) -> tuple[tuple[str, ...], Example]:
    """Return the features' names and a page's features under a lexicon."""
    found = features_of(page.outline, Names.of(page.outline.signatures), lexicon, kind_scores(rows.page, lexicon))
    return found.names, Example(page, found.table, found.words)


def cross_fitted(
    pages: Sequence[LabelledPage], rows: Sequence[PageRows], n_folds: int
) -> tuple[tuple[str, ...], list[Example]]:
    """Return every page's features under a lexicon learnt from the other folds."""
    folds = [page.fold(n_folds) for page in pages]
    found: dict[int, Example] = {}
    names: tuple[str, ...] = ()
    for fold in sorted(set(folds)):
        lexicon = learn_lexicon([row for row, of in zip(rows, folds, strict=True) if of != fold])
        for at, of in enumerate(folds):
            if of == fold:
                names, found[at] = example_of(pages[at], rows[at], lexicon)
    return names, [found[at] for at in range(len(pages))]


def as_if_unread(example: Example, columns: Sequence[str]) -> Example:
    """Return a page's features as they would be if the lexicon knew no word of its text: nearly all pages to learn from
    are English, the pages of the web are not."""
    of_text = [at for at, name in enumerate(columns) if "text_weight" in name]
    table = example.table.copy()
    table[of_text] = 0
    return replace(example, table=table)


def train_forest(examples: Sequence[Example], columns: Sequence[str], config: TrainExtractorConfig) -> Forest:
    """Return the forest of these pages."""
    import lightgbm

    again = [each for each in examples if keyed_fraction("extractor-wordless", each.page.name) < config.wordless]
    examples = [*examples, *(as_if_unread(each, columns) for each in again)]
    weights = np.concatenate([block_weights(each.page) for each in examples])
    data = lightgbm.Dataset(
        np.concatenate([each.table.T for each in examples]).astype(np.float32),
        np.concatenate([each.page.labels for each in examples]),
        weight=weights / weights.mean(),
        params={"max_bin": config.n_bins, "verbose": -1},
    )
    settings = {
        "objective": "cross_entropy",
        "learning_rate": config.learning_rate,
        "num_leaves": config.n_leaves,
        "max_depth": config.max_depth,
        "min_data_in_leaf": config.min_leaf,
        "feature_fraction": config.column_share,
        "bagging_fraction": config.row_share,
        "bagging_freq": 1,
        "lambda_l2": config.penalty,
        "max_bin": config.n_bins,
        "num_threads": config.n_threads,
        "deterministic": True,
        "force_col_wise": True,
        "seed": 1,
        "verbose": -1,
    }
    return exported(lightgbm.train(settings, data, config.n_trees).dump_model())


def exported(dump: dict[str, Any]) -> Forest:
    """Return LightGBM's dump of a model as arrays of integers."""
    roots, feature, threshold, child, value = list[int](), list[int](), list[int](), list[int](), list[int]()

    def add(node: dict[str, Any]) -> tuple[int, int]:
        """Append a node and what is below it; return its place and its height."""
        at = len(feature)
        is_leaf = "split_feature" not in node
        feature.append(0 if is_leaf else node["split_feature"])
        threshold.append(0 if is_leaf else int(np.floor(node["threshold"])))
        value.append(round(node["leaf_value"] * UNIT) if is_leaf else 0)
        child.extend((at, at))
        if is_leaf:
            return at, 0
        low, low_height = add(node["left_child"])
        high, high_height = add(node["right_child"])
        child[2 * at], child[2 * at + 1] = low, high
        return at, 1 + max(low_height, high_height)

    depth = 0
    for tree in dump["tree_info"]:
        root, height = add(tree["tree_structure"])
        roots.append(root)
        depth = max(depth, height)
    columns = {"roots": roots, "feature": feature, "threshold": threshold, "child": child, "value": value}
    return Forest(**{name: np.array(column, np.int32) for name, column in columns.items()}, depth=depth, bias=0)


# ---- figures --------------------------------------------------------------------------------------------------------


def page_f1(page: LabelledPage, kept: NDArray[np.bool_]) -> float:
    """Return the word F1 of the kept blocks, as the benchmark counts it."""
    chosen = Counter(word for at in np.flatnonzero(kept) for word in words_of(page.outline.texts[at]))
    gold = Counter(words_of(page.gold))
    shared = (chosen & gold).total()
    total = chosen.total() + gold.total()
    return 2 * shared / total if total else 0.0


def measured(examples: Sequence[Example], forest: Forest) -> dict[str, list[float]]:
    """Return the F1 of every page, by kind."""
    found: dict[str, list[float]] = defaultdict(list)
    for each in examples:
        kept, _ = decide(probabilities(forest.scores(each.table)), each.words)
        found[KINDS[each.page.kind]].append(page_f1(each.page, kept))
    return found


def figures(found: dict[str, list[float]]) -> dict[str, Any]:
    """Return the mean F1 of all pages and of each kind, with the number of pages."""
    everything = [value for values in found.values() for value in values]
    by_kind = {kind: [round(float(np.mean(values)), 4), len(values)] for kind, values in sorted(found.items())}
    return {"f1": round(float(np.mean(everything)), 4), "pages": len(everything), "kinds": by_kind}


def cross_validated(
    examples: Sequence[Example], columns: Sequence[str], config: TrainExtractorConfig
) -> dict[str, Any]:
    """Return the figures of pages under forests trained on the other folds."""
    found: dict[str, list[float]] = defaultdict(list)
    for fold in range(config.n_folds):
        inside = [each for each in examples if each.page.fold(config.n_folds) != fold]
        outside = [each for each in examples if each.page.fold(config.n_folds) == fold]
        if inside and outside:
            for kind, values in measured(outside, train_forest(inside, columns, config)).items():
                found[kind] += values
    return figures(found)


def train(
    pages: Sequence[LabelledPage], config: TrainExtractorConfig, *, validate_folds: bool
) -> tuple[Model, dict[str, Any]]:
    """Return the model and its report. Raises ConfigError when the pages are of one site."""
    aside = [page for page in pages if page.held_out(config.held_out)]
    known = [page for page in pages if not page.held_out(config.held_out)]
    if len({page.fold(config.n_folds) for page in known}) < 2:
        raise ConfigError(f"{len(known)} pages to learn from are of too few sites: at least two folds must have one")
    rows = [page_rows(page) for page in known]
    columns, examples = cross_fitted(known, rows, config.n_folds)
    report: dict[str, Any] = {
        "settings": to_plain(config),
        "pages": len(known),
        "blocks": sum(len(each.words) for each in examples),
    }
    if validate_folds:
        report["cross_validated"] = cross_validated(examples, columns, config)
    lexicon = learn_lexicon(rows)
    forest = train_forest(examples, columns, config)
    if aside:
        held = [example_of(page, page_rows(page), lexicon)[1] for page in aside]
        report["held_out"] = figures(measured(held, forest))
    return Model(lexicon, columns, forest), report


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from the command line; print the report as one JSON line."""
    parser = argparse.ArgumentParser(
        prog="python -m classifiers.training.train_extractor", description=__doc__.split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="html/*.html.gz and ground-truth/*.json")
    parser.add_argument("--to", type=Path, help="the model file to write")
    parser.add_argument("--held-out", type=float, default=0.0, help="fraction of the sites kept aside and reported on")
    parser.add_argument("--validate", action="store_true", help="report cross-validated figures, too")
    chosen = parser.parse_args(arguments)
    try:
        config = TrainExtractorConfig(held_out=chosen.held_out)
        model, report = train(read_pages(chosen.folder), config, validate_folds=chosen.validate)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except ModuleNotFoundError as error:  # lightgbm, scikit-learn and scipy are imported when training begins
        line = missing_module(error)
        if not line:
            raise
        sys.stderr.write(f"{line}\n")
        return 1
    if chosen.to is not None:
        save_model(model, chosen.to)
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
