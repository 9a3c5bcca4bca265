from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import ConfigError, RunError
from tests.trainer.titan.jobs import job, recipe
from trainer.titan.job import FILE, read_job
from trainer.titan.settings import TitanConfig


def test_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = job(tmp_path, 1, starts={"web": 512}, load_from="/somewhere", keep_all=True)
    assert read_job(str(tmp_path / "job" / FILE)) == made


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recipe": {}, "taken": []}'])
def test_what_is_not_a_job_is_an_error_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    with pytest.raises(RunError, match="not a job of the titan runner"):
        read_job(str(path))


def test_rates_are_those_of_the_recipe(tmp_path: Path) -> None:
    first = job(tmp_path)
    assert [first.rate(step) for step in range(3)] == pytest.approx([5e-3, 1e-2, 1e-2])
    second = job(tmp_path, 1)
    assert second.rate(0) == pytest.approx(0.75 * first.rate(3))
    assert second.rate(3) == 0.0


def test_a_pipeline_gets_all_sequences_of_a_rank_at_once(tmp_path: Path) -> None:
    whole = recipe(tmp_path)
    assert job(tmp_path, recipe=whole).local_batch == 2
    piped = replace(whole, titan=TitanConfig(gpus=4, pipeline=2, micro_sequences=2))
    assert job(tmp_path, recipe=piped).local_batch == 4


def test_a_batch_that_cannot_be_cut_is_refused(tmp_path: Path) -> None:
    whole = replace(recipe(tmp_path), titan=TitanConfig(gpus=3))
    with pytest.raises(ConfigError, match=r"stages: first: a batch of 8 sequences cannot be cut .* for 3 data ranks"):
        _ = job(tmp_path, recipe=whole).local_batch


def test_a_stage_goes_on_where_the_one_before_stopped(tmp_path: Path) -> None:
    first, _ = job(tmp_path).open_data()
    second, _ = job(tmp_path, 1, starts=first.ends(4)).open_data()
    assert second.ends(0) == first.ends(4)
