"""A trace of chosen steps: DIR/profile/step-000000010-rank-000.json, for chrome://tracing or ui.perfetto.dev.

The first traced step also pays for the start of the profiler: to see a step as it always is, choose two in a row and
read the second.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from trainer.loop.ranks import Ranks

NAME = "profile"  # in the folder of a run


def trace_path(folder: Path, step: int, rank: int) -> Path:
    return folder / NAME / f"step-{step:09d}-rank-{rank:03d}.json"


@contextlib.contextmanager
def traced(folder: Path, ranks: Ranks, step: int, chosen: Collection[int]) -> Iterator[None]:
    """Trace what happens inside, operators with their shapes and kernels, if the step is a chosen one.

    A step that is taken again, after a roll-back or a restart, overwrites its trace.
    """
    if step not in chosen:
        yield
        return
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if ranks.device.type == "cuda" else [])]
    with profile(activities=activities, record_shapes=True) as found:
        yield
        if ranks.device.type == "cuda":
            torch.cuda.synchronize()  # its kernels run on after the step's last line
    path = trace_path(folder, step, ranks.rank)
    path.parent.mkdir(parents=True, exist_ok=True)
    found.export_chrome_trace(str(path))
