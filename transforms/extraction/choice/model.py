"""The trained extractor's file: the words' weights and the forest, in one `.npz` next to this module.

Made by `python -m classifiers.training.train_extractor`, from the pages and settings that its report names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from transforms.extraction.choice.forest import Forest
from transforms.extraction.choice.lexicon import Lexicon

_WORDS = ("marks", "texts", "pairs", "pages")
FILE = Path(__file__).with_name("model.npz")


@dataclass(frozen=True, slots=True)
class Model:
    """What decides about a block."""

    lexicon: Lexicon
    columns: tuple[str, ...]  # the features, in the forest's order
    forest: Forest


def save_model(model: Model, file: Path | IO[bytes]) -> None:
    """Write a model; the same model gives the same bytes."""
    lexicon, forest = model.lexicon, model.forest
    words = {name: sorted(getattr(lexicon, name)) for name in _WORDS}
    weights = {name: np.array([getattr(lexicon, name)[word] for word in words[name]], np.int32) for name in _WORDS}
    text = json.dumps({"columns": model.columns, **words}, ensure_ascii=False, sort_keys=True)
    np.savez_compressed(
        file,
        text=np.frombuffer(text.encode(), np.uint8),
        marks=weights["marks"],
        texts=weights["texts"],
        pairs=weights["pairs"],
        pages=weights["pages"],
        page_weights=lexicon.page_weights.astype(np.int32),
        page_bias=np.array(lexicon.page_bias, np.int32),
        roots=forest.roots,
        feature=forest.feature.astype(np.int16),
        threshold=forest.threshold,
        child=forest.child,
        value=forest.value,
        scalars=np.array([forest.depth, forest.bias], np.int64),
    )


def load_model(file: Path | IO[bytes]) -> Model:
    """Read what `save_model` wrote."""
    with np.load(file, allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    names = json.loads(arrays["text"].tobytes())
    names["pairs"] = map(tuple, names["pairs"])
    marks, texts, pairs, pages = (dict(zip(names[name], arrays[name].tolist(), strict=True)) for name in _WORDS)
    page_weights, page_bias = arrays["page_weights"].astype(np.int64), tuple(arrays["page_bias"].tolist())
    depth, bias = arrays["scalars"].tolist()
    nodes = {name: arrays[name].astype(np.int32) for name in ("roots", "feature", "threshold", "child", "value")}
    lexicon = Lexicon(marks, texts, pairs, pages, page_weights, page_bias)
    return Model(lexicon, tuple(names["columns"]), Forest(**nodes, depth=depth, bias=bias))


@lru_cache(maxsize=1)
def shipped_model() -> Model:
    """Return the model that comes with the package."""
    return load_model(FILE)
