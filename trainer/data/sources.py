"""Which shards a recipe trains on, which it only measures on, and the streams over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.errors import ConfigError
from storage.shard_folders import find_shards
from trainer.data.corpus import Corpus, document_ids
from trainer.recipe import Recipe

HELD_OUT_SEED = 0  # of the order of held-out text: ours, and never the recipe's

Shards = Mapping[str, Sequence[str]]  # paths by source


def training_shards(recipe: Recipe) -> dict[str, list[str]]:
    """Return the shards that are trained on, by source. ConfigError when the recipe names none or keeps all back."""
    if not recipe.data:
        raise ConfigError("data: none; give outputs of Winnow or folders of token shards")
    return {source: paths[: _kept_from(source, paths, recipe)] for source, paths in find_shards(recipe.data).items()}


def held_out_shards(recipe: Recipe) -> dict[str, list[str]]:
    """Return the shards that are never trained on, by source; none when the recipe holds none out."""
    evaluation = recipe.evaluation
    found = find_shards(evaluation.held_out) if evaluation.held_out else {}
    if evaluation.held_out_shards and recipe.data:
        for source, paths in find_shards(recipe.data).items():
            found.setdefault(source, []).extend(paths[_kept_from(source, paths, recipe) :])
    return dict(sorted(found.items()))


def _kept_from(source: str, paths: Sequence[str], recipe: Recipe) -> int:
    """Return from which of a source's shards on they are held out."""
    n = recipe.evaluation.held_out_shards
    if n >= len(paths):
        raise ConfigError(f"evaluation.held_out_shards: {n} is not allowed; source {source} has {len(paths)} shards")
    return len(paths) - n


def open_streams(
    recipe: Recipe, shards: Shards, unit: int = 0, held_out: Shards | None = None
) -> dict[str, Corpus]:  # fmt: skip
    """Return the stream that is trained on over each source's shards.

    It is cut into units of the recipe's longest sequence unless one is given. Documents that the held-out shards hold
    as well, as they do where the mix repeats documents, are left out; without `held_out` those that the recipe names.
    """
    apart = [path for paths in _or_named(recipe, held_out).values() for path in paths]
    left_out = document_ids(apart) if apart else None
    return {
        source: Corpus(source, paths, unit or recipe.unit, recipe.stream_seed, left_out)
        for source, paths in shards.items()
    }


def open_held_out(recipe: Recipe, held_out: Shards | None = None) -> dict[str, Corpus]:
    """Return the stream over each source's held-out shards, in an order that is the same for every seed.

    Measurements read the first tokens of a stream: an order by the recipe's seed would give each seed another text.
    """
    return {
        source: Corpus(source, paths, recipe.unit, HELD_OUT_SEED)
        for source, paths in _or_named(recipe, held_out).items()
    }


def _or_named(recipe: Recipe, held_out: Shards | None) -> Shards:
    return held_out_shards(recipe) if held_out is None else held_out
