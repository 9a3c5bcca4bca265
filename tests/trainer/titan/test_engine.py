"""What can be checked of a configuration without a GPU: that torchtitan's own classes take it, and make our model."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
import torch

from schemas.errors import ConfigError
from tests.trainer.shards import write_source
from tests.trainer.small import FACTS
from tests.trainer.titan.jobs import BATCH, MODEL, SEQ_LEN, job, recipe
from tests.trainer.titan.local import LocalModel, build_whole
from trainer.commands.progress import Silent
from trainer.model.llama import count_parameters
from trainer.model.loss import LOGITS
from trainer.presets import PRESETS, K
from trainer.recipe import AdamWConfig, EvalConfig, ModelConfig
from trainer.titan.job import FILE, JOB_VARIABLE
from trainer.titan.names import titan_name, to_titan
from trainer.titan.runner import TitanRunner
from trainer.titan.settings import TitanConfig


def test_torchtitans_manager_loads_the_stage(
    engine: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchtitan.config import ConfigManager
    from torchtitan.trainer import Trainer

    made = job(tmp_path)
    monkeypatch.setenv(JOB_VARIABLE, str(Path(made.folder) / FILE))
    words = ["--module", "trainer.titan.engine", "--config", "stage"]
    config = ConfigManager().parse_args([*words, "--training.steps", "7"])
    assert type(config) is Trainer.Config
    assert config.training.steps == 7
    assert (config.training.seq_len, config.training.global_batch_size) == (SEQ_LEN, BATCH)
    assert config.dataloader.job == config.lr_scheduler.job == str(Path(made.folder) / FILE)
    assert config.to_dict()["model_spec"]["model"]["dim"] == MODEL.dim


def test_without_a_job_it_says_so(engine: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(JOB_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=f"{JOB_VARIABLE}: not set"):
        engine.stage()


@pytest.mark.parametrize(
    ("titan", "degrees"),
    [
        (TitanConfig(gpus=8), (1, 8, 1, 1, 1)),
        (TitanConfig(gpus=8, replicate=2), (2, 4, 1, 1, 1)),
        (TitanConfig(gpus=8, tensor=2, context=2), (1, 2, 1, 2, 2)),
        (TitanConfig(gpus=16, tensor=2, context=2, pipeline=2, micro_sequences=2), (1, 2, 2, 2, 2)),
    ],
)
def test_torchtitan_cuts_the_model_as_the_recipe_says(
    engine: ModuleType, tmp_path: Path, titan: TitanConfig, degrees: tuple[int, ...]
) -> None:
    from torchtitan.distributed import ParallelDims

    config = engine.trainer_config(job(tmp_path, recipe=replace(recipe(tmp_path), titan=titan)))
    found = ParallelDims.from_config(config.parallelism, titan.gpus)
    assert (found.dp_replicate, found.dp_shard, found.pp, found.cp, found.tp) == degrees
    config.model_spec.model.update_from_config(config=config)  # torchtitan's trainer begins with it
    assert config.training.global_batch_size % (config.training.local_batch_size * titan.data_ranks) == 0


def test_a_stage_begins_at_its_own_step_and_goes_on_at_that_of_its_checkpoint(
    engine: ModuleType, tmp_path: Path
) -> None:
    made = job(tmp_path, 1, load_from="/of/the/stage/before")
    assert engine.trainer_config(made).checkpoint.exclude_from_loading == ["lr_scheduler", "dataloader", "train_state"]
    whole = Path(made.folder) / "checkpoint" / "step-4"
    whole.mkdir(parents=True)
    assert engine.trainer_config(made).checkpoint.exclude_from_loading != []  # torn
    (whole / ".metadata").touch()
    assert engine.trainer_config(made).checkpoint.exclude_from_loading == []


def test_what_torchtitan_refuses_is_its_own_error(engine: ModuleType, tmp_path: Path) -> None:
    titan = TitanConfig(gpus=4, tensor=4)
    config = engine.trainer_config(job(tmp_path, recipe=replace(recipe(tmp_path), titan=titan)))
    with pytest.raises(ValueError, match=r"tensor_parallel_degree \(4\) must divide n_kv_heads \(2\)"):
        config.model_spec.model.update_from_config(config=config)


def test_matrices_decay_and_norms_do_not(engine: ModuleType, tmp_path: Path) -> None:
    whole = replace(recipe(tmp_path), adamw=AdamWConfig(weight_decay=0.3, clip_norm=0.0))
    config = engine.trainer_config(job(tmp_path, recipe=whole))
    model, optimiser = build_whole(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == count_parameters(MODEL, 64)
    for group in next(iter(optimiser)).param_groups:
        assert {parameter.dim() for parameter in group["params"]} == {2 if group["weight_decay"] else 1}
        assert (group["lr"], group["betas"], group["eps"]) == (5e-3, (0.9, 0.95), 1e-5)
    assert config.training.max_norm == float("inf")


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("rope_factor", [1.0, 8.0])
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_the_same_weights_give_the_same_logits(
    engine: ModuleType, eager: None, tmp_path: Path, tied: bool, rope_factor: float
) -> None:
    shape = replace(MODEL, tied_embeddings=tied, rope_factor=rope_factor, rope_original_len=8)
    whole = recipe(tmp_path, shape)
    theirs, _ = build_whole(engine.trainer_config(job(tmp_path, recipe=whole)))
    ours = LocalModel(whole)
    weights = {titan_name(n): to_titan(n, t, shape) for n, t in ours.model.state_dict().items()}
    theirs.load_state_dict(weights)
    for module in theirs.modules():
        if hasattr(module, "_precompute_cache"):
            module.cache = module._precompute_cache()
    batch = job(tmp_path, recipe=whole).open_data()[0].batch(0)
    tokens, positions = torch.from_numpy(batch.tokens), torch.from_numpy(batch.positions)
    assert (positions[:, 1:] == 0).any()  # documents end inside
    with torch.no_grad():
        masks = theirs.get_attention_masks(positions=positions)
        found = theirs(tokens, positions=positions, attention_masks=masks)
        expected = ours.model(input_ids=tokens, position_ids=positions, attention_mask=None, use_cache=False).logits
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_float8_swaps_the_matrices_of_blocks_alone(engine: ModuleType, tmp_path: Path) -> None:
    if find_spec("torchao") is None:
        pytest.skip("torchao is not installed (trainer/titan/requirements.txt)")
    from torchtitan.components.quantization.float8 import Float8Linear

    titan = TitanConfig(gpus=1, float8="rowwise", float8_emulate=True, compile=False)
    config = engine.trainer_config(job(tmp_path, recipe=recipe(tmp_path, titan=titan)))
    swapped = [name for name, *_ in config.model_spec.model.traverse(Float8Linear.Config)]
    assert len(swapped) == 2 * 6  # keys and values share a configuration
    assert all(name.startswith("layers.") for name in swapped)


def test_a_large_models_shapes_are_those_of_the_recipe(engine: ModuleType) -> None:
    config = engine.model_config(PRESETS["llama3-405b"], 128_256)
    with torch.device("meta"):
        model = config.build()
    shape: ModelConfig = PRESETS["llama3-405b"].model
    assert sum(parameter.numel() for parameter in model.parameters()) == count_parameters(shape, 128_256)


SIZES = {
    "8b": TitanConfig(gpus=128, tensor=4, context=2),
    "70b": TitanConfig(gpus=256, tensor=8, pipeline=4),
    "405b": TitanConfig(gpus=16_384, tensor=8, pipeline=16, reshard="never"),
}


@pytest.fixture(scope="module")
def long_rows(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Shards whose rows hold the longest sequence of the presets."""
    folder = tmp_path_factory.mktemp("long")
    documents = [[2] * K] * 3 * 128
    write_source(folder, "web", documents, row_tokens=128 * K, rows_per_shard=1, tokenizer=FACTS)
    return str(folder)


@pytest.mark.parametrize("name", [f"llama3-{size}{letter}" for size in SIZES for letter in ("", "-letter")])
def test_each_stage_of_the_reports_presets_is_taken(
    engine: ModuleType, tmp_path: Path, long_rows: str, name: str
) -> None:
    from torchtitan.distributed import ParallelDims
    from torchtitan.distributed.pipeline_parallel import _generate_llm_fqn_per_model_part, _get_pipeline_metadata

    titan = SIZES[name.split("-")[1]]
    held_out = EvalConfig(held_out_shards=1)
    whole = replace(PRESETS[name], data=(long_rows,), runner="titan", titan=titan, evaluation=held_out)
    TitanRunner(whole, None, Silent())
    for number, stage in enumerate(whole.stages):
        config = engine.trainer_config(job(tmp_path, number, recipe=whole))
        dims = ParallelDims.from_config(config.parallelism, titan.gpus)
        config.model_spec.model.update_from_config(config=config)
        training = config.training
        assert training.seq_len == stage.seq_len
        assert training.global_batch_size * training.seq_len == stage.batch_tokens
        assert training.global_batch_size % (training.local_batch_size * titan.data_ranks) == 0
        assert stage.seq_len // titan.context % config.loss.num_chunks == 0
        logits = stage.seq_len // titan.context // config.loss.num_chunks * whole.model.vocab_size // titan.tensor
        assert LOGITS / 2 < logits <= LOGITS
        if titan.pipeline > 1:
            pieces = _get_pipeline_metadata(dims, config.parallelism, config.model_spec.model)
            layers = [part for parts in _generate_llm_fqn_per_model_part(*pieces) for part in parts]
            assert len([part for part in layers if part.startswith("layers.")]) == whole.model.layers
