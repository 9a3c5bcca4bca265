"""Small files of rows for the trainer's tests: dialogues with a mask, and answers in their order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.shards import TokenizerFacts
from tests.trainer.small import FACTS, SCHEDULE
from trainer.data.rows import write_rows
from trainer.recipe import ScheduleConfig, StageConfig

OWN = ScheduleConfig(kind="constant", peak=SCHEDULE.peak * 2, warmup_steps=4, own=True)


def dialogues(rows: int = 200, seed: int = 0) -> dict[str, list[Any]]:
    """Return prompts of random tokens, each with an answer that tells its first one: that alone can be learned."""
    draw = random.Random(seed)
    tokens, weights = [], []
    for _ in range(rows):
        prompt = [draw.randrange(2, 34) for _ in range(draw.randrange(3, 9))]
        answer = [prompt[0] + 30 if prompt[0] < 18 else prompt[0] - 16] * 3
        tokens.append([0, *prompt, *answer, 1])
        weights.append([0.0] * (1 + len(prompt)) + [1.0] * 4)
    return {"tokens": tokens, "weights": weights}


def answers(units: int = 150, seed: int = 0, sizes: tuple[int, ...] = (2, 3)) -> dict[str, list[Any]]:
    """Return units of two or three answers: the more of them is small numbers, the better it is."""
    draw = random.Random(seed)
    found: dict[str, list[Any]] = {"tokens": [], "rank": [], "unit": []}
    for unit in range(units):
        size = draw.choice(sizes)
        ranks = draw.sample(range(size), size)
        for rank in ranks:
            n = draw.randrange(6, 12)
            small = round(n * (size - rank) / (size + 1))
            body = [draw.randrange(2, 20) for _ in range(small)] + [draw.randrange(40, 64) for _ in range(n - small)]
            found["tokens"].append([0, *draw.sample(body, n), 1])
            found["rank"].append(rank)
            found["unit"].append(f"u{unit}")
    return found


def write(folder: Path, columns: dict[str, list[Any]], tokenizer: TokenizerFacts = FACTS, group: int = 10**6) -> str:
    """Write rows into one file of a folder, and return the folder."""
    write_rows(folder / "part-0.parquet", pa.table(columns), tokenizer, group)
    return str(folder)


def row_stage(name: str, objective: str, rows: str, steps: int, units: int = 6, **more: Any) -> StageConfig:
    """Return a stage over rows, of so many steps."""
    return StageConfig(
        name=name, objective=objective, rows=(rows,), units=steps * units, batch_units=units, seq_len=16,
        **{"schedule": OWN, **more},
    )  # fmt: skip
