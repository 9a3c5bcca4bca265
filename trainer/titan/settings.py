"""How torchtitan computes: the settings of the titan runner."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import ConfigError
from schemas.settings import setting, validate


@dataclass(frozen=True, kw_only=True)
class TitanConfig:
    """Parallelism and precision of the stages. Our own defaults unless marked L3.

    L3 table 4: 16,384 GPUs as tensor 8, pipeline 16, data 128; with 131,072 tokens a sequence context 16.
    """

    gpus: int = setting(8, "of the whole job", ge=1)
    launch: tuple[str, ...] = setting(
        (), "command that starts one process a GPU, given the module and its options; none: torchrun on this machine"
    )
    replicate: int = setting(1, "copies of the weights (HSDP); the rest of the data ranks shards them", ge=1)
    tensor: int = setting(1, "GPUs a matrix is cut over (L3: 8)", ge=1)
    context: int = setting(1, "GPUs a sequence is cut over (L3: 16 at 131,072 tokens)", ge=1)
    pipeline: int = setting(1, "GPUs the layers are cut over (L3: 16)", ge=1)
    pipeline_schedule: str = setting(
        "Interleaved1F1B", "order of micro-batches in the pipeline (L3: interleaved)",
        choices=("1F1B", "Interleaved1F1B", "InterleavedZeroBubble", "ZBVZeroBubble"),
    )  # fmt: skip
    micro_sequences: int = setting(1, "sequences of a data rank's forward pass", ge=1)
    attention: str = setting("flex", "kernel; varlen has no context parallelism",
                             choices=("flex", "flex_flash", "varlen"))  # fmt: skip
    float8: str = setting("", "recipe of torchao for the blocks' matrices; empty: bfloat16",
                          choices=("", "rowwise", "rowwise_with_gw_hp"))  # fmt: skip
    float8_emulate: bool = setting(False, "float8 in software, to try it without such a GPU; needs compile = false")
    compile: bool = setting(True, "torch.compile blocks and loss")
    recompute: str = setting("selective", "activations computed again in the backward pass",
                             choices=("none", "selective", "full"))  # fmt: skip
    reshard: str = setting(
        "default", "let gathered weights go after the forward pass; default: unless in a pipeline (L3 3.3.2: never)",
        choices=("default", "always", "never"),
    )  # fmt: skip
    cuda_graphs: bool = setting(False, "replay steps as CUDA graphs; not with pipelines")
    checkpoint_steps: int = setting(500, "steps between checkpoints", ge=1)

    def __post_init__(self) -> None:
        validate(self)
        model_ranks = self.tensor * self.context * self.pipeline
        if self.gpus % (model_ranks * self.replicate):
            raise ConfigError(
                f"titan.gpus: {self.gpus} is not allowed; must be a multiple of tensor * context * pipeline * replicate"
                f" = {model_ranks * self.replicate}"
            )
        if self.attention == "varlen" and self.context > 1:
            raise ConfigError("titan.attention: varlen is not allowed with context > 1")
        if self.cuda_graphs and self.pipeline > 1:
            raise ConfigError("titan.cuda_graphs: not allowed with pipeline > 1")
        if self.float8_emulate and self.compile:
            raise ConfigError("titan.float8_emulate: not allowed with compile")

    @property
    def data_ranks(self) -> int:
        """Ranks that read data of their own."""
        return self.gpus // (self.tensor * self.context * self.pipeline)
