"""Small jobs for the tests of the titan runner."""

from __future__ import annotations

from pathlib import Path

from schemas.shards import TokenizerFacts
from tests.trainer.shards import counting, write_source
from tests.trainer.small import FACTS
from trainer.recipe import LINEAR, ModelConfig, Recipe, ScheduleConfig, StageConfig
from trainer.titan.job import TitanJob
from trainer.titan.settings import TitanConfig

MODEL = ModelConfig(layers=2, dim=32, ffn_dim=64, heads=4, kv_heads=2, vocab_size=64)
SEQ_LEN, BATCH = 16, 8
FIRST = StageConfig(
    name="first", tokens=4 * BATCH * SEQ_LEN, seq_len=SEQ_LEN, batch_tokens=BATCH * SEQ_LEN,
    schedule=ScheduleConfig(peak=1e-2, floor=1e-3, warmup_steps=2, decay_steps=8),
)  # fmt: skip
ANNEAL = StageConfig(
    name="anneal", tokens=4 * BATCH * SEQ_LEN, seq_len=SEQ_LEN, batch_tokens=BATCH * SEQ_LEN, average=True,
    average_every=2, schedule=ScheduleConfig(kind=LINEAR, floor=0.0),
)  # fmt: skip
TITAN = TitanConfig(gpus=2, micro_sequences=2, compile=False)


def recipe(
    folder: Path, model: ModelConfig = MODEL, titan: TitanConfig = TITAN, tokenizer: TokenizerFacts = FACTS
) -> Recipe:
    """Return two stages over a source of 96 short documents, whose shards are written under `folder`."""
    data = folder / "data"
    documents = [[token % 62 + 2 for token in document] for document in counting([11] * 96)]
    if not data.exists():
        write_source(data, "web", documents, row_tokens=32, rows_per_shard=16, tokenizer=tokenizer)
    return Recipe(name="small", seed=3, data=(str(data),), mix_block=16, model=model, stages=(FIRST, ANNEAL),
                  runner="titan", titan=titan)  # fmt: skip


def job(folder: Path, number: int = 0, **changes: object) -> TitanJob:
    """Return the job of a stage, its file written."""
    whole = changes.pop("recipe", None) or recipe(folder)
    made = TitanJob(key="k", recipe=whole, number=number, steps=4, taken=(4,) * number, folder=str(folder / "job"),
                    **changes)  # type: ignore[arg-type]  # fmt: skip
    made.write()
    return made
