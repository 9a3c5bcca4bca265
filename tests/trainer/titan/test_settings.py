from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.settings import overlay
from trainer.recipe import Recipe
from trainer.titan.settings import TitanConfig


def test_what_is_not_a_model_rank_reads_data() -> None:
    assert TitanConfig(gpus=16_384, tensor=8, pipeline=16).data_ranks == 128  # L3 table 4
    assert TitanConfig(gpus=16_384, tensor=8, pipeline=16, context=16).data_ranks == 8
    assert TitanConfig(gpus=1).data_ranks == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gpus": 12, "tensor": 8}, "titan.gpus: 12 is not allowed; must be a multiple of .* = 8"),
        ({"gpus": 8, "tensor": 4, "replicate": 4}, "= 16"),
        ({"gpus": 8, "context": 2, "attention": "varlen"}, "varlen is not allowed with context"),
        ({"gpus": 8, "pipeline": 2, "cuda_graphs": True}, "cuda_graphs: not allowed with pipeline"),
        ({"float8": "rowwise", "float8_emulate": True}, "float8_emulate: not allowed with compile"),
        ({"float8": "e4m3"}, "float8"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TitanConfig(**changes)  # type: ignore[arg-type]


def test_a_recipe_file_sets_it() -> None:
    changed = overlay(Recipe(), {"runner": "titan", "titan": {"gpus": 16, "tensor": 8, "launch": ["srun", "torchrun"]}})
    assert changed.titan.data_ranks == 2
    assert changed.titan.launch == ("srun", "torchrun")
    with pytest.raises(ConfigError, match="runner"):
        overlay(Recipe(), {"runner": "megatron"})
