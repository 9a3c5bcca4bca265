"""Peak memory of a rank's steps on CPUs, beside what `winnow-train plan` says.

    .venv/bin/python -m benchmarks.models.step_memory

Each case trains a few steps in processes of their own. The kernel's high-water mark of a rank, over that of the
same run of a tiny model, is the measured peak: libraries, and what they keep for themselves, are in neither figure.
glibc maps what is larger than 64 KiB and returns it at once, so that what is held is what is counted.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import commit, machine, say
from benchmarks.models.training import ROW_TOKENS, TOKENIZER, write_shards
from trainer.commands.progress import Silent
from trainer.loop.run import run
from trainer.model.llama import count_parameters
from trainer.model.memory import Rank, peak
from trainer.recipe import FaultConfig, LocalConfig, ModelConfig, Recipe, StageConfig

STEPS, MIB = 2, 1 << 20  # moments are there from the first step's end on
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
WIDE = ModelConfig(layers=8, dim=512, ffn_dim=1408, heads=8, kv_heads=4, vocab_size=8192)


@dataclass(frozen=True)
class Case:
    """One run."""

    ranks: int = 1
    seq_len: int = 512
    micro: int = 2  # sequences of a forward pass
    micros: int = 2  # of a step
    local: LocalConfig = field(default_factory=functools.partial(LocalConfig, threads=1))
    model: ModelConfig = WIDE

    @property
    def name(self) -> str:
        local = [
            f"{name} {value}" for name, value in asdict(self.local).items() if value != getattr(LocalConfig(), name)
        ]
        return f"{self.ranks} ranks, {self.micro} x {self.seq_len} tokens, {self.micros} times, {', '.join(local)}"

    def recipe(self, data: str, steps: int) -> Recipe:
        batch = self.ranks * self.micro * self.micros * self.seq_len
        stage = StageConfig(name="s", tokens=steps * batch, seq_len=self.seq_len, batch_tokens=batch)
        local, faults = replace(self.local, micro_sequences=self.micro), FaultConfig(checkpoint_s=1e9)
        return Recipe(name="memory", data=(data,), model=self.model, stages=(stage,), mix_block=8, local=local,
                      faults=faults)  # fmt: skip

    def expected(self) -> int:
        rank = Rank(ranks=self.ranks, on_gpu=False, micro_sequences=self.micro, seq_len=self.seq_len)
        return peak(self.model, self.model.vocab_size, self.local, rank).total


CASES = [
    Case(),
    Case(micros=1),
    Case(seq_len=1024),
    Case(local=LocalConfig(threads=1, checkpoint_activations=True), micro=4),
    Case(ranks=2),
    Case(ranks=2, local=LocalConfig(threads=1, shard_gradients=False)),
    Case(ranks=2, local=LocalConfig(threads=1, dtype="bfloat16")),
    Case(local=LocalConfig(threads=1, loss_tokens=64)),
]


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--case", type=int, help="train it here, as one of its ranks")
    arguments.add_argument("--tiny", action="store_true")
    arguments.add_argument("--folder", type=Path)
    given = arguments.parse_args()
    if given.case is not None:
        measure(CASES[given.case], given.tiny, given.folder)
        return
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_shards(folder / "data", "a", 1)
        for number, case in enumerate(CASES):
            measured = (started(number, False, folder) - started(number, True, folder)) / MIB
            expected = case.expected() / MIB
            say(
                f"{case.name:75s} measured {measured:8.1f} MiB, planned {expected:8.1f}, {expected / measured - 1:+.1%}"
            )
            found.append({"case": case.name, "measured_mib": measured, "planned_mib": expected})
    print(json.dumps({"cases": found, "parameters": count_parameters(WIDE, WIDE.vocab_size), "machine": machine(),
                      "commit": commit()}))  # fmt: skip


def started(number: int, tiny: bool, folder: Path) -> int:
    """Train a case, or a tiny model in its place; return the bytes of the rank that held most."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={CASES[number].ranks}"]
    command = [
        *launch,
        "-m",
        __spec__.name,
        "--case",
        str(number),
        "--folder",
        str(folder),
        *(["--tiny"] if tiny else []),
    ]
    done = subprocess.run(command, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=True)
    return max(int(line.partition(" ")[2]) for line in done.stdout.splitlines() if line.startswith("peak "))


def measure(case: Case, tiny: bool, folder: Path) -> None:
    """Train, as one of the ranks, and print what was held at most."""
    if tiny:
        model = ModelConfig(layers=1, dim=16, ffn_dim=16, heads=2, kv_heads=2, vocab_size=TOKENIZER.vocab_size)
        case = replace(case, model=model, seq_len=16, micro=1)
    run(case.recipe(str(folder / "data"), STEPS), folder / f"run-{os.getppid()}", Peak())


class Peak(Silent):
    """Prints the high-water mark of the steps, and ends the process: a checkpoint's copy is another matter."""

    steps = 0

    def stage_started(self, stage: StageConfig, step: int) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # it begins anew

    def step_taken(self, event: Any) -> None:
        line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
        self.steps += 1
        if self.steps == STEPS:
            print("peak", int(line.split()[1]) * 1024, flush=True)
            os._exit(0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    assert TOKENIZER.vocab_size <= WIDE.vocab_size and ROW_TOKENS % 1024 == 0  # noqa: PT018
    main()
