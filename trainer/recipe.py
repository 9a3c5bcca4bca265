"""The recipe of a training run: frozen dataclasses, each with its source, overlaid by a strict TOML file.

L3 is "The Llama 3 Herd of Models", arXiv 2407.21783; L2 is Llama 2, arXiv 2307.09288. Values from neither are labelled
"ours". Presets are in trainer/presets.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from schemas.errors import ConfigError
from schemas.settings import section, setting, validate
from trainer.data.recall import SHORTEST, RecallConfig, with_recall
from trainer.titan.settings import TitanConfig

COSINE, LINEAR, CONSTANT = "cosine", "linear", "constant"
# Of a forward pass, where the recipe says nothing. On CPUs more logits than the caches hold cost a tenth to a third.
MICRO_TOKENS, CPU_MICRO_TOKENS = 16_384, 1024


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A Llama 3 transformer (L3 section 3.2, table 3): RMSNorm before, SwiGLU, grouped queries, RoPE, no biases."""

    layers: int = setting(32, "transformer blocks", ge=1)
    dim: int = setting(4096, "width of the residual stream", ge=8)
    ffn_dim: int = setting(14_336, "width of the feed-forward layer", ge=8)
    heads: int = setting(32, "attention heads", ge=1)
    kv_heads: int = setting(8, "heads of keys and values (L3: 8)", ge=1)
    vocab_size: int = setting(0, "entries of the embedding; 0: those of the shards' tokenizer", ge=0)
    rope_theta: float = setting(500_000.0, "base frequency of RoPE (L3: 500,000)", gt=1)
    rope_factor: float = setting(1.0, "long-context scaling of RoPE as in the released 3.1 code (8); 1: none", ge=1)
    rope_original_len: int = setting(8192, "context before scaling, of the released 3.1 code", ge=1)
    norm_eps: float = setting(1e-5, "epsilon of RMSNorm", gt=0)
    tied_embeddings: bool = setting(False, "one matrix for input and output embeddings")
    init_std: float = setting(0.02, "standard deviation of initial weights (ours: L3 does not say)", gt=0)

    def __post_init__(self) -> None:
        validate(self)
        if self.dim % self.heads or self.heads % self.kv_heads:
            raise ConfigError(
                f"model.heads: {self.heads} is not allowed; must divide dim {self.dim} and be a multiple of kv_heads"
                f" {self.kv_heads}"
            )


@dataclass(frozen=True, kw_only=True)
class AdamWConfig:
    """The optimiser. L3 does not give its constants; these are L2's (section 2.2)."""

    beta1: float = setting(0.9, "(L2)", ge=0, le=1)
    beta2: float = setting(0.95, "(L2)", ge=0, le=1)
    eps: float = setting(1e-5, "(L2)", gt=0)
    weight_decay: float = setting(0.1, "times the learning rate of the step, on matrices (L2; L3 3.2.1)", ge=0)
    clip_norm: float = setting(1.0, "global norm to which gradients are cut (L2); 0: not cut", ge=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """The learning rate of a stage.

    cosine    warm-up, then a cosine from peak to floor; counts steps from the start of the run, so that the stages in
              which batch and length grow follow one curve (L3 3.4.1)
    linear    from the rate at which the stage starts to floor at its end (annealing, L3 3.4.3)
    constant  the rate at which the stage starts; peak when it is the first

    A stage that begins with a model folder or an average of stages is a first stage. With `own` a stage does not go on
    from the rate before: the cosine counts from its first step, the others begin with the warm-up, at peak.
    """

    kind: str = setting(COSINE, "shape", choices=(COSINE, LINEAR, CONSTANT))
    peak: float = setting(8e-5, "highest rate (L3, 405B)", gt=0)
    floor: float = setting(8e-7, "lowest rate (L3, 405B)", ge=0)
    warmup_steps: int = setting(8000, "steps of linear warm-up (L3)", ge=0)
    decay_steps: int = setting(1_200_000, "step, warm-up included, at which the cosine ends (L3)", ge=1)
    own: bool = setting(False, "the stage's own curve: it counts from its first step")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class GateConfig:
    """When a long-context stage may end (L3 3.4.2): short evals recovered, and the needle found everywhere."""

    enabled: bool = setting(False, "hold the stage until it passes, up to max_tokens")
    max_tokens: int = setting(0, "tokens at which a gate that has not passed ends the run; 0: twice the stage's", ge=0)
    tolerance: float = setting(
        0.01,
        "nats by which the held-out loss of a source may lie above that before the stage, beyond what chance explains"
        " (L3: recovered completely; ours)",
        ge=0,
    )
    task_tolerance: float = setting(
        0.0, "share of a task's questions by which its accuracy may lie below, beyond what chance explains (ours)", ge=0
    )
    confidence: float = setting(
        0.99, "share of unchanged models that pass, all sources and tasks together (ours)", ge=0.5, le=0.9999
    )
    needle_accuracy: float = setting(1.0, "share of needles that must be found (L3: perfectly)", ge=0, le=1)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class MixChange:
    """Another mix from a batch of the stage on (L3 3.4.1: the mix was adjusted during training)."""

    batch: int = setting(1, "batches of the stage before the change; fewer than its steps", ge=1)
    mix: dict[str, float] = setting({}, "weight of each source from there on; needed")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class RopeConfig:
    """RoPE of a stage and of those that begin with it; 0: as before."""

    theta: float = setting(0.0, "base frequency", ge=0)
    factor: float = setting(0.0, "long-context scaling, as model.rope_factor", ge=0)
    original_len: int = setting(0, "context before scaling", ge=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """How a stage is watched where it differs from `faults`, by the names there."""

    bad_steps: int | None = setting(None, "as faults.bad_steps", ge=1)
    spike_window: int | None = setting(None, "as faults.spike_window", ge=8)
    spike_mads: float | None = setting(None, "as faults.spike_mads", ge=0)
    spike_steps: int | None = setting(None, "as faults.spike_steps", ge=1)
    spike_back: int | None = setting(None, "as faults.spike_back", ge=1)
    max_rollbacks: int | None = setting(None, "as faults.max_rollbacks", ge=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """One stage: its length and batch are fixed. It reads token shards or, with `rows`, rows of free columns."""

    name: str = setting("", "unique in the recipe")
    begin: tuple[str, ...] = setting(
        (),
        "stages before it, or folders of models, with whose (mean) weights it begins; none: the stage before",
    )
    moments: str = setting(
        "auto", "of the optimiser at its start; auto: carried where it begins with one stage of its kind, else fresh",
        choices=("auto", "carried", "fresh"),
    )  # fmt: skip
    objective: str = setting("next_token", "what it minimises (docs/objectives.md): a name, or module:attribute")
    rows: tuple[str, ...] = setting((), "folders of Parquet files with the columns that the objective reads")
    units: int = setting(0, "with rows: units to train on, rounded up to whole batches", ge=0)
    batch_units: int = setting(0, "with rows: units of a batch over all ranks", ge=0)
    tokens: int = setting(1, "tokens to train on, rounded up to whole batches", ge=1)
    seq_len: int = setting(4096, "tokens of a sequence; divides the rows of the shards; of `rows` the longest", ge=2)
    batch_tokens: int = setting(4_194_304, "tokens of a batch over all ranks; a multiple of seq_len", ge=2)
    mix: dict[str, float] = setting({}, "weight of each source; none: by their tokens")
    upsample: dict[str, float] = setting(
        {}, "factor on a source's weight where there is no mix; of a source that the shards lack: without effect", ge=0
    )
    mix_changes: tuple[MixChange, ...] = setting((), "other mixes from later batches on, in order")
    recall: RecallConfig = section(RecallConfig, "rows to learn to look back from, beside the sources")
    rope: RopeConfig = section(RopeConfig, "rotary embeddings from this stage on")
    schedule: ScheduleConfig = section(ScheduleConfig, "learning rate")
    watch: WatchConfig = section(WatchConfig, "what of `faults` is other in this stage")
    gate: GateConfig = section(GateConfig, "what must hold before the stage may end")
    average: bool = setting(False, "the result is the mean of the stage's checkpoints (Polyak; L3 3.4.3)")
    average_every: int = setting(0, "steps between the checkpoints that are averaged; 0: a tenth of the stage", ge=0)

    def __post_init__(self) -> None:
        validate(self)
        if self.mix and self.upsample:
            raise ConfigError("upsample: not allowed beside a mix, which says all weights")
        if self.rows:
            self._check_rows()
        elif self.units or self.batch_units:
            raise ConfigError("units: not allowed without rows; a stage over shards has tokens and batch_tokens")
        elif self.batch_tokens % self.seq_len:
            raise ConfigError(f"batch_tokens: {self.batch_tokens} is not allowed; must be a multiple of {self.seq_len}")
        if self.recall.share and self.seq_len < SHORTEST:
            raise ConfigError(f"seq_len: {self.seq_len} is not allowed with recall; at least {SHORTEST}")
        at = [change.batch for change in self.mix_changes]
        if at != sorted(set(at)):
            raise ConfigError(f"mix_changes: batches {at} are not allowed; each must be later than the one before")
        if at and at[-1] >= self.steps:
            raise ConfigError(f"mix_changes: batch {at[-1]} is not allowed; the stage has {self.steps} steps")
        if any(not change.mix for change in self.mix_changes):
            raise ConfigError("mix_changes: a change without a mix is not allowed; give the weight of each source")

    def _check_rows(self) -> None:
        if not (self.units and self.batch_units):
            raise ConfigError("rows: units and batch_units are needed, both at least 1")
        plain = {field.name: field.default for field in fields(self)}
        for name in ("tokens", "batch_tokens"):
            if getattr(self, name) != plain[name]:
                raise ConfigError(f"{name}: not allowed with rows; such a stage has units and batch_units")
        if self.mix or self.upsample or self.mix_changes or self.recall.share or self.gate.enabled:
            raise ConfigError("rows: not allowed beside mix, upsample, mix_changes, recall or a gate: for shards alone")

    def weights(self, source_tokens: Mapping[str, int]) -> dict[str, float]:
        """Return the weight of each source: the mix, or by the tokens of their epochs and `upsample`."""
        return self.mix or {name: n * self.upsample.get(name, 1.0) for name, n in source_tokens.items()}

    def mixes(self, source_tokens: Mapping[str, int]) -> list[dict[str, float]]:
        """Return the weights of the stage's first batch and from each change on, recall included."""
        found = [self.weights(source_tokens), *(change.mix for change in self.mix_changes)]
        return [with_recall(mix, self.recall.share) for mix in found]

    @property
    def reads_text(self) -> bool:
        """Whether documents of shards are trained on: not in a stage over rows, nor in one of recall alone."""
        return not self.rows and self.recall.share < 1

    @property
    def batch_sequences(self) -> int:
        """Units of a batch: sequences, or those of `rows`."""
        return self.batch_units if self.rows else self.batch_tokens // self.seq_len

    @property
    def step_tokens(self) -> int:
        """Tokens of a batch; of `rows`, whose units differ, if each were one row of full length."""
        return self.batch_units * self.seq_len if self.rows else self.batch_tokens

    @property
    def steps(self) -> int:
        """Steps without any that a gate adds."""
        return -(-self.units // self.batch_units) if self.rows else -(-self.tokens // self.batch_tokens)


@dataclass(frozen=True, kw_only=True)
class FaultConfig:
    """How bad steps, stalls and lost machines are handled. Our own values unless marked L3 or PaLM."""

    checkpoint_s: float = setting(0.0, "seconds between checkpoints; 0: Young's formula from mtbf_s", ge=0)
    mtbf_s: float = setting(10_800.0, "mean time between failures (L3: 419 in 54 days, one in 3 hours)", gt=0)
    keep: int = setting(
        3, "newest checkpoints kept, besides those at the ends of stages and those that roll-backs need", ge=1
    )
    bad_steps: int = setting(3, "non-finite steps in a row, not applied, after which the run rolls back", ge=1)
    spike_window: int = setting(128, "steps whose median and spread tell what a spike is", ge=8)
    spike_mads: float = setting(20.0, "median absolute deviations above the median that make a spike; 0: off", ge=0)
    spike_steps: int = setting(3, "steps in a row above that before the run rolls back", ge=1)
    spike_back: int = setting(
        100,
        "steps before the first bad one from which on batches are skipped, more at a repeat (PaLM: about 100)",
        ge=1,
    )
    max_rollbacks: int = setting(10, "roll-backs after which the run stops", ge=0)
    max_restarts: int = setting(3, "times that torchrun starts all ranks anew after one failed", ge=0)
    stall_s: float = setting(
        1800.0, "seconds without any progress after which a rank counts as stalled, and ends", gt=0
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class LocalConfig:
    """How the local runner computes."""

    micro_sequences: int = setting(0, "sequences of a rank's forward pass; 0: 16,384 tokens, 1,024 on CPUs", ge=0)
    dtype: str = setting("auto", "of parameters in compute; auto: bfloat16 on GPUs, float32 on CPUs",
                         choices=("auto", "float32", "bfloat16"))  # fmt: skip
    tf32: bool = setting(True, "products of float32 matrices in TF32, on GPUs that have it (ours)")
    attention: str = setting("auto", "kernel; auto: flex_attention on GPUs, sdpa on CPUs",
                             choices=("auto", "sdpa", "eager", "flex_attention"))  # fmt: skip
    compile: bool = setting(False, "torch.compile each block")
    checkpoint_activations: bool = setting(False, "recompute activations in the backward pass")
    shard_gradients: bool = setting(
        True,
        "reduce after each micro-batch: a rank keeps its share alone (L3 3.3.2); else once a step",
    )
    replicas: int = setting(
        1,
        "groups of ranks that each hold the whole model in shards (HSDP): divides the ranks; as many as ranks: DP",
        ge=1,
    )
    reshard: bool = setting(
        False, "drop gathered weights after a block's forward pass: less memory, twice the traffic (L3 3.3.2: kept)"
    )
    profile: tuple[int, ...] = setting((), "steps of the run of which each rank writes a Chrome trace")
    loss_tokens: int = setting(0, "tokens whose logits are in memory at once; 0: 256 MiB of logits (ours)", ge=0)
    threads: int = setting(0, "CPU threads of a rank; 0: torch's own choice", ge=0)

    def __post_init__(self) -> None:
        validate(self)

    def computed_in(self, on_gpu: bool) -> str:
        """Return torch's name of the type that is computed in."""
        return self.dtype if self.dtype != "auto" else "bfloat16" if on_gpu else "float32"

    def sequences_at_once(self, seq_len: int, on_gpu: bool) -> int:
        """Return how many sequences go through the model at once."""
        return self.micro_sequences or max(1, (MICRO_TOKENS if on_gpu else CPU_MICRO_TOKENS) // seq_len)


@dataclass(frozen=True, kw_only=True)
class TrackingConfig:
    """Where figures are sent while the run goes on, besides its journal."""

    tensorboard: bool = setting(True, "write TensorBoard events into the folder of the run")
    wandb_project: str = setting("", "project at Weights & Biases (the extra `wandb`); empty: none")
    wandb_mode: str = setting("online", "offline: files that `wandb sync` sends later", choices=("online", "offline"))

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class EvalConfig:
    """What is measured during the run."""

    held_out: tuple[str, ...] = setting((), "folders of shards that are never trained on, for perplexity by source")
    held_out_shards: int = setting(0, "last shards of each source of `data` that are held out as well", ge=0)
    tokens: int = setting(262_144, "tokens of each held-out source that are read", ge=1)
    every_steps: int = setting(0, "steps between evaluations; 0: at the ends of stages", ge=0)
    needle_depths: int = setting(10, "places of a context in which a needle is hidden (ours)", ge=1)
    needles: int = setting(3, "needles hidden at each of them, each in another context (ours)", ge=1)
    needle_count: int = setting(8, "times that a token must occur in the held-out text to be in a needle (ours)", ge=1)
    tasks: tuple[str, ...] = setting((), "multiple-choice tasks: YAML files (docs/trainer.md)")
    tokenizer: str = setting("", "tokenizer.json of the shards, for tasks; empty: the one in the outputs of `data`")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole pre-training run."""

    name: str = setting("llama3", "name of the run")
    seed: int = setting(0, "of weights and order", ge=0)
    init_from: str = setting(
        "",
        "checkpoint folder (weights and moments) or Hugging Face model (weights alone) to begin from; empty: neither",
    )
    init_differs: tuple[str, ...] = setting(
        (), "settings in which init_from's config.json may be another than `model`, by their names there (rope_theta)"
    )
    order_seed: int = setting(-1, "of the order of each source's data; -1: that of init_from's run, or seed", ge=-1)
    data_starts: dict[str, int] = setting(
        {}, "token of each source's stream at which the run begins; none: where init_from's run stopped", ge=0
    )
    data: tuple[str, ...] = setting((), "outputs of Winnow, or folders with source=NAME/shard-*.parquet")
    mix_block: int = setting(1000, "sequences in which shares are exact (SPEC 3.4)", ge=1)
    model: ModelConfig = section(ModelConfig, "the transformer")
    adamw: AdamWConfig = section(AdamWConfig, "the optimiser")
    stages: tuple[StageConfig, ...] = setting((), "in order")
    faults: FaultConfig = section(FaultConfig, "bad steps, checkpoints, stalls")
    evaluation: EvalConfig = section(EvalConfig, "evaluation during the run")
    tracking: TrackingConfig = section(TrackingConfig, "TensorBoard, Weights & Biases")
    runner: str = setting("local", "what trains the stages: our own loop, or torchtitan", choices=("local", "titan"))
    local: LocalConfig = section(LocalConfig, "the local runner")
    titan: TitanConfig = section(TitanConfig, "the titan runner")

    def __post_init__(self) -> None:
        validate(self)
        names = [stage.name for stage in self.stages]
        if "" in names or len(set(names)) < len(names):
            raise ConfigError(f"stages: names {names} are not allowed; each stage needs one of its own")
        unit = self.unit
        for number, stage in enumerate(self.stages):
            if unit % stage.seq_len and not stage.rows:
                raise ConfigError(f"stages: {stage.name}: seq_len {stage.seq_len} must divide the longest, {unit}")
            for later in set(names[number:]) & set(stage.begin):
                raise ConfigError(f"stages: {stage.name}: begin: {later!r} is not allowed; it is no stage before it")

    @property
    def stream_seed(self) -> int:
        """The seed of the order of each source's data."""
        return self.order_seed if self.order_seed >= 0 else self.seed

    @property
    def unit(self) -> int:
        """The longest sequence of all stages that read shards; of all, where none does."""
        lengths = [stage.seq_len for stage in self.stages if not stage.rows]
        return max(lengths, default=self.longest)

    @property
    def longest(self) -> int:
        """The longest sequence of all stages."""
        return max((stage.seq_len for stage in self.stages), default=1)
