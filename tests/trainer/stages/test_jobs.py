"""What is in a stage's key, and where in the data a stage begins: as functions of the recipe alone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from schemas.errors import RunError
from tests.trainer.small import recipe_of, stage, train
from trainer.loop.checkpoints import State
from trainer.recipe import Recipe, StageConfig
from trainer.stages.data import NO_SHARDS, Shard, StageData
from trainer.stages.jobs import StageJob, jobs

OLD, NEW = (("shard-0", 100),), (("shard-1", 200),)


def planned(recipe: Recipe, *lists: Mapping[str, tuple[Shard, ...]]) -> list[StageJob]:
    data = [StageData(16, shards) if shards else NO_SHARDS for shards in lists]
    return jobs(recipe, data, Path("run"), digest=lambda path, is_rows: f"{path}:{is_rows}")


def plain() -> Recipe:
    """A recipe that says what a released version could: whatever it leaves out is at its default."""
    return Recipe(seed=3, stages=(StageConfig(name="a", tokens=96, seq_len=16, batch_tokens=32),))


def test_the_key_of_a_plain_recipe_is_this() -> None:
    """Where it changes, each run folder of before is refused: see `FORMAT`, and tell it in CHANGELOG."""
    assert [job.key for job in planned(plain(), {"a": OLD})] == ["4-7e0fca934e7e7c65"]


def test_a_folder_of_another_format_of_keys_is_refused_by_that_name(data: str, tmp_path: Path) -> None:
    recipe = recipe_of(data, stage("a", 1))
    train(recipe, tmp_path)
    done = tmp_path / "stages" / "00-a" / "done.json"
    known = json.loads(done.read_bytes())
    for key, told in (("0123456789abcdef", "3 or before"), ("999-0123456789abcdef", "999")):
        done.write_text(json.dumps({**known, "key": key}))
        with pytest.raises(RunError) as caught:
            train(recipe, tmp_path)
        assert f"(differing: the format of keys, {told}, which is 4 in this version); give" in str(caught.value)
        with pytest.raises(RunError, match=r"\(differing: seed\); give"):
            train(dataclasses.replace(recipe, seed=4), tmp_path)


@pytest.mark.parametrize("begin", [(), ("/models/other",)], ids=["drawn", "a folder"])
def test_the_order_of_the_data_is_in_every_key(begin: tuple[str, ...]) -> None:
    recipe = recipe_of("", stage("a", 1, begin=begin))
    keys = [planned(dataclasses.replace(recipe, order_seed=n), {"a": OLD})[0].key for n in (-1, recipe.seed, 9)]
    assert keys[0] == keys[1] != keys[2]  # without one the order is that of `seed`


def starts(lists: Sequence[Mapping[str, tuple[Shard, ...]]], places: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return where the mean of the first stages begins, each of which begins with a folder."""
    first = [stage(f"s{n}", 1, begin=("/models/other",)) for n in range(len(places))]
    mean = stage("mean", 1, begin=tuple(one.name for one in first))
    job = planned(recipe_of("", *first, mean), *lists)[-1]
    ended = {n: State(taken=(1,) * (n + 1), starts=dict(found)) for n, found in enumerate(places)}
    return dict(job.begin(job.start(State(), ended)).starts)


def test_a_mean_begins_behind_those_that_read_its_shards() -> None:
    assert starts([{"a": OLD}, {"a": NEW}, {"a": NEW}], [{"a": 640}, {"a": 320}]) == {"a": 320}
    assert starts([{"a": NEW}, {"a": OLD}, {"a": NEW}], [{"a": 320}, {"a": 640}]) == {"a": 320}
    assert starts([{"a": NEW}, {"a": NEW}, {"a": NEW}], [{"a": 320}, {"a": 640}]) == {"a": 640}
    assert starts([{"a": OLD}, {"a": OLD}, {"a": NEW}], [{"a": 320}, {"a": 640}]) == {}
    both = [{"a": OLD, "b": NEW}, {"a": NEW, "b": OLD}, {"a": NEW, "b": NEW}]
    assert starts(both, [{"a": 640, "b": 16}, {"a": 320, "b": 32}]) == {"a": 320, "b": 16}


def test_places_pass_through_a_stage_over_rows() -> None:
    rows = StageConfig(name="rows", rows=("/rows",), units=2, batch_units=2, seq_len=16)
    recipe = recipe_of("", stage("a", 1), rows, stage("b", 1))
    ended = {0: State(taken=(1,), starts={"a": 64}), 1: State(taken=(1, 1), starts={"a": 64})}
    for own, place in ((OLD, {"a": 64}), (NEW, {})):
        assert planned(recipe, {"a": OLD}, {}, {"a": own})[2].start(State(), ended).starts == place
    begun = dataclasses.replace(recipe, stages=(rows, stage("b", 1)))
    job = planned(begun, {}, {"a": OLD})[1]  # the run's own beginning: no stage has read any yet
    assert job.start(State(), {0: State(taken=(1,), starts={"a": 48})}).starts == {"a": 48}
