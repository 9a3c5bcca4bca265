"""torchtitan's own configuration of a stage. Needs torchtitan (requirements.txt in this folder).

torchtitan finds `stage` by `--module trainer.titan.engine --config stage`, and it finds the job by the environment.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn
from torchtitan.components.checkpointer import CheckpointManager
from torchtitan.components.loss import ChunkedLossWrapper, CrossEntropyLoss
from torchtitan.components.metrics import MetricsProcessor
from torchtitan.components.optimizer import OptimizersContainer, ParamGroupConfig
from torchtitan.components.quantization import Float8LinearConverter
from torchtitan.config import CompileConfig, DebugConfig, ParallelismConfig, TrainingConfig
from torchtitan.distributed.activation_checkpoint import FullAC, SelectiveAC
from torchtitan.distributed.pipeline_parallel import pipeline_llm
from torchtitan.models.common import ComplexRoPE, Embedding, Linear, RMSNorm
from torchtitan.models.common.config_utils import get_attention_config, make_ffn_config, make_gqa_config
from torchtitan.models.common.param_init import skip_param_init
from torchtitan.models.llama3 import parallelize_llama
from torchtitan.models.llama3.model import Llama3Model, Llama3TransformerBlock
from torchtitan.models.llama3.state_dict_adapter import Llama3StateDictAdapter
from torchtitan.protocols.model_spec import ModelSpec
from torchtitan.trainer import Trainer

from schemas.errors import ConfigError
from trainer.model.llama import HIGH_FREQ_FACTOR, LOW_FREQ_FACTOR
from trainer.recipe import AdamWConfig, ModelConfig, Recipe
from trainer.titan.job import CHECKPOINTS, FILE, JOB_VARIABLE, TitanJob, read_job
from trainer.titan.parts import NoTokenizer, RecipeRate, ShardLoader
from trainer.titan.settings import TitanConfig

NORMS = r"(^|[._])norm\.weight$"
RECOMPUTE: dict[str, Callable[[], Any]] = {"none": lambda: None, "selective": SelectiveAC.Config, "full": FullAC.Config}
OF_STAGE = ["lr_scheduler", "dataloader", "train_state"]  # begins anew with a stage


def stage() -> Trainer.Config:
    """Return the configuration of the job that the environment names."""
    path = os.environ.get(JOB_VARIABLE, "")
    if not path:
        raise ConfigError(f"{JOB_VARIABLE}: not set; it names the file of a job")
    return trainer_config(read_job(path))


def trainer_config(job: TitanJob) -> Trainer.Config:
    """Return torchtitan's configuration of a job. ConfigError and ValueError for what does not fit together."""
    recipe, titan = job.recipe, job.recipe.titan
    file = str(Path(job.folder) / FILE)
    _, tokenizer = job.open_data()
    vocabulary = recipe.model.vocab_size or tokenizer.vocab_size
    return Trainer.Config(
        model_spec=model_spec(recipe, vocabulary),
        loss=ChunkedLossWrapper.Config(
            num_chunks=job.loss_chunks(vocabulary), loss_fn=CrossEntropyLoss.Config(global_vocab_size=vocabulary)
        ),
        hf_assets_path=job.folder,
        dump_folder=job.folder,
        tokenizer=NoTokenizer.Config(vocab_size=vocabulary),
        dataloader=ShardLoader.Config(job=file),
        optimizer=optimiser(recipe.adamw),
        lr_scheduler=RecipeRate.Config(job=file, warmup_steps=0),
        training=TrainingConfig(
            seq_len=job.stage.seq_len, local_batch_size=job.local_batch, global_batch_size=job.stage.batch_sequences,
            steps=job.steps, max_norm=recipe.adamw.clip_norm or float("inf"),
            disable_cuda_graphs=not titan.cuda_graphs,
        ),
        parallelism=parallelism(titan),
        compile=CompileConfig(enable=titan.compile),
        activation_checkpoint=RECOMPUTE[titan.recompute](),
        checkpoint=checkpoint(job),
        metrics=MetricsProcessor.Config(enable_tensorboard=True),
        debug=DebugConfig(seed=recipe.seed),
    )  # fmt: skip


def parallelism(titan: TitanConfig) -> ParallelismConfig:
    """Return how GPUs are shared out; the data ranks that do not replicate shard the weights."""
    return ParallelismConfig(
        data_parallel_replicate_degree=titan.replicate,
        data_parallel_shard_degree=titan.data_ranks // titan.replicate,
        tensor_parallel_degree=titan.tensor,
        context_parallel_degree=titan.context,
        # torchtitan's other ways to share out a masked sequence are for attention without a mask of its own.
        context_parallel_load_balancer="ptrr" if titan.context > 1 else None,
        fsdp_reshard_after_forward=titan.reshard,
        pipeline_parallel_degree=titan.pipeline,
        pipeline_parallel_schedule=titan.pipeline_schedule,
        pipeline_parallel_microbatch_size=titan.micro_sequences,
    )


def optimiser(adamw: AdamWConfig) -> OptimizersContainer.Config:
    """Return AdamW with weight decay on matrices alone, as the local runner's."""
    shared = {"lr": 1.0, "betas": (adamw.beta1, adamw.beta2), "eps": adamw.eps}
    groups = [(NORMS, {**shared, "weight_decay": 0.0}), (r".*", {**shared, "weight_decay": adamw.weight_decay})]
    return OptimizersContainer.Config(
        param_groups=[
            ParamGroupConfig(pattern=pattern, optimizer_name="AdamW", optimizer_kwargs=options)
            for pattern, options in groups
        ]
    )


def checkpoint(job: TitanJob) -> CheckpointManager.Config:
    """Return where checkpoints go, and what the first step begins from: weights and moments of the stage before."""
    return CheckpointManager.Config(
        enable=True,
        folder=CHECKPOINTS,
        interval=job.checkpoint_steps,
        keep_latest_k=0 if job.keep_all else max(2, job.recipe.faults.keep),
        initial_load_path=job.load_from or None,
        initial_load_model_only=False,
        # torchtitan leaves these out also of the stage's own checkpoint, from which it would begin at step 0 again.
        exclude_from_loading=OF_STAGE if job.load_from and not job.trained else [],
        last_save_model_only=False,
    )


def model_spec(recipe: Recipe, vocabulary: int) -> ModelSpec:
    """Return the model and torchtitan's functions that cut it over GPUs."""
    titan, model = recipe.titan, model_config(recipe, vocabulary)
    if titan.float8:
        converter = Float8LinearConverter.Config(
            recipe_name=titan.float8, filter_fqns=["lm_head"], emulate=titan.float8_emulate,
            model_compile_enabled=titan.compile,
        )  # fmt: skip
        model = converter.build().convert(model)
    return ModelSpec(
        name="llama3", flavor=recipe.name, model=model, parallelize_fn=parallelize_llama, pipelining_fn=pipeline_llm,
        post_optimizer_build_fn=None, state_dict_adapter=Llama3StateDictAdapter,
    )  # fmt: skip


def model_config(recipe: Recipe, vocabulary: int) -> Llama3Model.Config:
    """Return the recipe's model in torchtitan's terms.

    Initial weights have the local runner's distribution and are other draws of it, where there is no checkpoint to
    start from. Queries, keys and values stay three
    matrices, so that their moments have names that the local runner knows.
    """
    config = recipe.model
    matrix: dict[str, Any] = {"weight": functools.partial(nn.init.normal_, std=config.init_std)}
    rope = rope_config(config, recipe.unit)
    blocks = [
        Llama3TransformerBlock.Config(
            attention_norm=norm_config(config),
            ffn_norm=norm_config(config),
            attention=make_gqa_config(
                dim=config.dim, n_heads=config.heads, n_kv_heads=config.kv_heads, wqkv_param_init=matrix,
                wo_param_init=matrix, inner_attention=get_attention_config(recipe.titan.attention), rope=rope,
                fuse_qkv=False,
            ),
            feed_forward=make_ffn_config(
                dim=config.dim, hidden_dim=config.ffn_dim, w1_param_init=matrix, w2w3_param_init=matrix
            ),
        )
        for _ in range(config.layers)
    ]  # fmt: skip
    embedding = {"weight": skip_param_init} if config.tied_embeddings else matrix
    return Llama3Model.Config(
        dim=config.dim,
        vocab_size=vocabulary,
        enable_weight_tying=config.tied_embeddings,
        tok_embeddings=Embedding.Config(num_embeddings=vocabulary, embedding_dim=config.dim, param_init=embedding),
        norm=norm_config(config),
        lm_head=Linear.Config(in_features=config.dim, out_features=vocabulary, param_init=matrix),
        layers=blocks,
    )


def norm_config(config: ModelConfig) -> RMSNorm.Config:
    """Return one norm: torchtitan writes into each what the mesh makes of it."""
    return RMSNorm.Config(normalized_shape=config.dim, eps=config.norm_eps, param_init={"weight": nn.init.ones_})


def rope_config(config: ModelConfig, max_len: int) -> ComplexRoPE.Config:
    """Return the rotation of queries and keys; `max_len` is the longest sequence of the recipe."""
    return ComplexRoPE.Config(
        dim=config.dim // config.heads,
        max_seq_len=max_len,
        theta=config.rope_theta,
        scaling="llama" if config.rope_factor > 1 else "none",
        scaling_factor=config.rope_factor,
        low_freq_factor=LOW_FREQ_FACTOR,
        high_freq_factor=HIGH_FREQ_FACTOR,
        original_max_position_embeddings=config.rope_original_len,
    )


def saved_options(job: TitanJob) -> dict[str, Any]:
    """Return what torchtitan saves of its optimiser besides the state of each weight, by its keys.

    It depends on the names of the weights, not on their sizes: a model of the same blocks, a few weights wide, tells.
    """
    shape = job.recipe.model
    narrow = replace(shape, dim=2 * shape.heads, ffn_dim=8, vocab_size=8)
    titan = replace(job.recipe.titan, float8="", float8_emulate=False)
    model = model_config(replace(job.recipe, model=narrow, titan=titan), 8).build()
    optimizers = optimiser(job.recipe.adamw).build(model_parts=[model])
    RecipeRate.Config(job=str(Path(job.folder) / FILE)).build(optimizers=optimizers, training_steps=job.steps)
    return {key: value for key, value in optimizers.state_dict().items() if not key.startswith("state.")}
