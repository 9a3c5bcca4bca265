"""The trainer's loader and step: speed, waiting, memory, exact shares; a step beside transformers' own Trainer.

    .venv/bin/pip install -r benchmarks/peers/requirements-training.txt
    .venv/bin/python -m benchmarks.models.training [--shards 1000] [--steps 12] [--rounds 3]

Shards are made here, of random tokens in documents of random length: what is measured does not depend on their sense.
All on one thread, so that a figure is one core's; the loader works in a thread of its own beside the step.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from benchmarks.machine import commit, machine, say
from schemas.records import TokenRow, to_batch
from schemas.shards import ShardMetadata, TokenizerFacts, shard_path
from trainer.commands.progress import Silent
from trainer.data.batches import IGNORE
from trainer.data.corpus import Corpus
from trainer.data.mixture import Mixture
from trainer.loop.journal import read_journal
from trainer.loop.run import run
from trainer.model.llama import initialise, llama_config
from trainer.presets import MODELS
from trainer.recipe import CONSTANT, FaultConfig, LocalConfig, Recipe, ScheduleConfig, StageConfig

TOKENIZER = TokenizerFacts(sha256="0" * 64, vocab_size=4096, bos_id=0, eos_id=1)
ROW_TOKENS, ROWS, MEAN_DOCUMENT = 2048, 64, 600
SEQ_LEN, BATCH_TOKENS, SHAPE, RATE = 256, 4096, "cpu-1m", 1e-3
MIX = {"a": 0.5, "b": 0.25, "c": 0.17, "d": 0.08}  # L3's final mix
PACKAGES = ("torch", "transformers", "accelerate", "numpy", "pyarrow")


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--shards", type=int, default=1000, help="shards that memory is watched over")
    arguments.add_argument("--steps", type=int, default=12, help="steps of a round; the first two are not counted")
    arguments.add_argument("--rounds", type=int, default=3, help="rounds of each trainer, in turn")
    given = arguments.parse_args()
    if importlib.util.find_spec("accelerate") is None:
        sys.exit("benchmarks/models/training.py: transformers' Trainer needs accelerate: see requirements-training.txt")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        many = write_shards(folder / "many", "a", given.shards)
        found = {
            "loader": loader(many), "memory": memory(many), "shares": shares(folder),
            "steps": steps(folder, given.steps, given.rounds),
        }  # fmt: skip
    report(found, given.shards)


def write_shards(folder: Path, source: str, shards: int) -> list[str]:
    """Write one shard of random documents, and copies of it; return their paths."""
    draw = np.random.default_rng(1)
    rows = []
    for _ in range(ROWS):
        ends = np.unique(draw.integers(1, ROW_TOKENS, ROW_TOKENS // MEAN_DOCUMENT))
        doc_ends = [*ends.tolist(), ROW_TOKENS]
        rows.append(TokenRow(
            tokens=draw.integers(2, TOKENIZER.vocab_size, ROW_TOKENS).tolist(), doc_ends=doc_ends,
            doc_ids=[f"{n:032x}" for n in range(len(doc_ends))], doc_offsets=[0] * len(doc_ends), cut=False,
        ))  # fmt: skip
    tokens = ROWS * ROW_TOKENS
    metadata = ShardMetadata(source=source, shard=0, source_tokens=tokens * shards, total_tokens=tokens,
                             real_tokens=tokens, row_tokens=ROW_TOKENS, tokenizer=TOKENIZER)  # fmt: skip
    table = pa.Table.from_batches([to_batch(TokenRow, rows)])
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata.to_footer()})
    paths = [folder / shard_path(source, n) for n in range(shards)]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, paths[0], compression="zstd", column_encoding={"tokens.list.element": "BYTE_STREAM_SPLIT"},
                   use_dictionary=False)  # fmt: skip
    for path in paths[1:]:
        shutil.copy(paths[0], path)
    return [str(path) for path in paths]


def loader(paths: list[str]) -> dict[str, float]:
    """Return tokens a second of one core, of batches made and thrown away, and of opening all footers."""
    began = time.process_time()
    corpus = Corpus("a", paths, SEQ_LEN, 0)
    opened = time.process_time() - began
    mixture = Mixture({"a": corpus}, {"a": 1.0}, SEQ_LEN, BATCH_TOKENS // SEQ_LEN, {}, 1000, "bench")
    batches = min(2000, corpus.epoch_tokens // BATCH_TOKENS)
    began = time.process_time()
    for number in range(batches):
        mixture.batch(number)
    seconds = time.process_time() - began
    return {"tokens_per_cpu_s": batches * BATCH_TOKENS / seconds, "open_ms_a_shard": 1000 * opened / len(paths)}


def memory(paths: list[str]) -> list[float]:
    """Return the resident MiB of this process after each tenth of an epoch, the first after one row group."""
    corpus = Corpus("a", paths, ROW_TOKENS, 0)
    corpus.slice(0, ROW_TOKENS)
    gc.collect()
    found = [resident_mib()]
    for tenth in range(10):
        first, last = (corpus.epoch_tokens // ROW_TOKENS * edge // 10 for edge in (tenth, tenth + 1))
        for n in range(first, last):
            corpus.slice(n * ROW_TOKENS, ROW_TOKENS)
        found.append(resident_mib())
    return found


def resident_mib() -> float:
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def shares(folder: Path) -> dict[str, Any]:
    """Return the largest distance of a source's sequences from its share, in every block of a hundred."""
    corpora = {name: Corpus(name, write_shards(folder / "mix", name, 1), SEQ_LEN, 0) for name in MIX}
    mixture = Mixture(corpora, MIX, SEQ_LEN, BATCH_TOKENS // SEQ_LEN, {}, 1000, "bench")
    worst = 0.0
    for block in range(100):
        drawn = Counter(mixture.locate(block * 1000 + n)[0] for n in range(1000))
        worst = max(worst, max(abs(drawn[name] - 1000 * share) for name, share in MIX.items()))
    return {"blocks": 100, "sequences_off_at_most": worst}


def steps(folder: Path, n: int, rounds: int) -> dict[str, Any]:
    """Return the seconds of a step of ours and of transformers' Trainer, in turn, and how long ours waited for data."""
    data = str(folder / "train")
    write_shards(Path(data), "a", 8)
    ours, theirs, waited, losses = [], [], [], []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        watch, share, first = our_steps(data, folder / f"run-{number}", n)
        other, their_first = their_steps(data, folder / f"hf-{number}", n)
        ours += watch
        theirs += other
        waited.append(share)
        losses.append((first, their_first))
    sides = {"winnow": ours, "transformers": theirs}
    return {
        "model": SHAPE, "batch_tokens": BATCH_TOKENS, "seq_len": SEQ_LEN, "steps": len(ours),
        "waiting_for_data": statistics.median(waited), "first_losses": losses[0],
        **{f"{name}_{kind}_s": [statistics.median(values), min(values)] for name, pairs in sides.items()
           for kind, values in zip(("wall", "cpu"), map(list, zip(*pairs, strict=True)), strict=True)},
    }  # fmt: skip


class Clock:
    """Notes the time between one call and the next, wall and CPU of the whole process."""

    def __init__(self) -> None:
        self.seconds: list[tuple[float, float]] = []
        self._last: tuple[float, float] | None = None

    def tick(self) -> None:
        now = time.perf_counter(), time.process_time()
        if self._last is not None:
            self.seconds.append((now[0] - self._last[0], now[1] - self._last[1]))
        self._last = now


class Ticking(Silent):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def step_taken(self, event: Mapping[str, Any]) -> None:
        self._clock.tick()


def our_steps(data: str, folder: Path, n: int) -> tuple[list[tuple[float, float]], float, float]:
    """Return the seconds of our steps, the share of them spent waiting for data, and the first loss."""
    stage = StageConfig(name="bench", tokens=n * BATCH_TOKENS, seq_len=SEQ_LEN, batch_tokens=BATCH_TOKENS,
                        schedule=ScheduleConfig(kind=CONSTANT, peak=RATE))  # fmt: skip
    recipe = Recipe(data=(data,), model=MODELS[SHAPE], stages=(stage,), local=LocalConfig(threads=1),
                    faults=FaultConfig(checkpoint_s=1e9))  # fmt: skip
    clock = Clock()
    run(recipe, folder, Ticking(clock))
    told = [event for event in read_journal(folder) if event["event"] == "step"][2:]
    return clock.seconds[1:], sum(e["waited_s"] for e in told) / sum(e["s"] for e in told), first_loss(folder)


def first_loss(folder: Path) -> float:
    return float(next(event["loss"] for event in read_journal(folder) if event["event"] == "step"))


class Sequences(torch.utils.data.IterableDataset[dict[str, Any]]):
    """The sequences of our own batches, in the form that transformers takes: it shifts the labels itself."""

    def __init__(self, mixture: Mixture) -> None:
        self._mixture = mixture

    def __iter__(self) -> Iterator[dict[str, Any]]:
        number = 0
        while True:
            batch = self._mixture.batch(number)
            labels = np.where(batch.positions == 0, IGNORE, batch.tokens)
            for row in range(len(batch.tokens)):
                yield {"input_ids": batch.tokens[row], "position_ids": batch.positions[row], "labels": labels[row]}
            number += 1


def their_steps(data: str, folder: Path, n: int) -> tuple[list[tuple[float, float]], float]:
    """Return the seconds of the steps of transformers' Trainer, and its first loss."""
    from transformers import LlamaForCausalLM, PrinterCallback, Trainer, TrainerCallback, TrainingArguments
    from transformers.utils import logging

    logging.disable_progress_bar()
    with torch.device("meta"):  # without our own loss
        model = LlamaForCausalLM(llama_config(MODELS[SHAPE], TOKENIZER, SEQ_LEN, "sdpa"))
    initialise(model, 0, torch.device("cpu"))
    paths = [str(path) for path in sorted(Path(data).glob("*/*.parquet"))]
    mixture = Mixture({"a": Corpus("a", paths, SEQ_LEN, 0)}, {"a": 1.0}, SEQ_LEN, BATCH_TOKENS // SEQ_LEN, {}, 1000,
                      "0:bench")  # fmt: skip
    clock = Clock()

    class Tick(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            clock.tick()

    arguments = TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=BATCH_TOKENS // SEQ_LEN, max_steps=n, learning_rate=RATE,
        lr_scheduler_type="constant", weight_decay=0.1, adam_beta2=0.95, adam_epsilon=1e-5, max_grad_norm=1.0,
        optim="adamw_torch_fused", use_cpu=True, save_strategy="no", logging_strategy="steps", logging_steps=1,
        report_to=[], disable_tqdm=True, dataloader_pin_memory=False, bf16=False,
    )  # fmt: skip
    trainer = Trainer(model=model, args=arguments, train_dataset=Sequences(mixture), callbacks=[Tick()])
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return clock.seconds[1:], float(trainer.state.log_history[0]["loss"])


def report(found: dict[str, Any], shards: int) -> None:
    """Print the table, and one line of JSON."""
    step, resident = found["steps"], found["memory"]
    rows = [
        ("loader, tokens a second of one core", f"{found['loader']['tokens_per_cpu_s']:,.0f}"),
        ("opening a shard, CPU ms", f"{found['loader']['open_ms_a_shard']:.2f}"),
        (f"resident MiB of {shards:,} shards, after a fifth and all", f"{resident[2]:,.1f}, {resident[-1]:,.1f}"),
        ("sequences off their share in a block of 1,000, at most", f"{found['shares']['sequences_off_at_most']:g}"),
        ("share of a step spent waiting for data", f"{step['waiting_for_data']:.2%}"),
        *(
            (f"a step, {kind} s, median (least): {side}", "{:.3f} ({:.3f})".format(*step[f"{side}_{kind}_s"]))
            for kind in ("cpu", "wall")
            for side in ("winnow", "transformers")
        ),
        ("first loss: winnow, transformers", ", ".join(f"{loss:.4f}" for loss in step["first_losses"])),
    ]
    for name, value in rows:
        print(f"{name:58s} {value}")
    versions = {name: version(name) for name in PACKAGES}
    print(json.dumps({**found, "machine": machine(), "commit": commit(), "versions": versions}))


if __name__ == "__main__":
    main()
