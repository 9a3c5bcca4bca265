"""The processes of a run: one on a laptop, or those that torchrun started."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import FileStore
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

COLLECTIVE_WAITS = 2  # times as long as the watchdog
LOOK_S = 1.0  # between looks at whether rank 0 has done what it alone does
T = TypeVar("T")
_ABSENT = re.compile(r"[Rr]anks? ([\d, ]*\d) failed to pass monitoredBarrier")


@dataclass(frozen=True)
class Ranks:
    """This process among the others. Every method but the properties is called by all of them together."""

    rank: int
    world: int
    device: torch.device
    mesh: DeviceMesh | None  # None: one rank, whose model is not sharded
    # Two threads in one group would take each other's collectives and hang: each has a group of its own.
    saving: dist.ProcessGroup | None = None  # over CPUs, for the thread that writes checkpoints
    roll_call: dist.ProcessGroup | None = None  # over CPUs, for the watchdog's thread alone

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Return whether it is true on any rank."""
        if self.world == 1:
            return flag
        held = torch.tensor(int(flag), device=self.device)
        dist.all_reduce(held, dist.ReduceOp.MAX)
        return bool(held.item())

    def sum(self, value: float) -> float:
        """Return the sum over the ranks, the same bits on each."""
        return self.sums([value])[0]

    def sums(self, values: Sequence[float]) -> list[float]:
        """Return the sum of each value over the ranks, the same bits on each; in one exchange."""
        if self.world == 1:
            return list(values)
        held = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(held)
        found: list[float] = held.tolist()
        return found

    def from_first(self, value: Any) -> Any:
        """Return the value that rank 0 gives."""
        if self.world == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def first_does(self, work: Callable[[], T], beat: Callable[[], None]) -> T:
        """Return what `work` returns, which rank 0 alone does; what it raises is raised on every rank.

        It may take as long as it likes: every second rank 0 tells the others that it goes on, so that no collective
        waits any longer, and each rank calls `beat`.
        """
        done: list[tuple[Any, Exception | None]] = []
        thread = threading.Thread(target=lambda: done.append(_outcome(work)), name="first", daemon=True)
        if self.is_first:
            thread.start()

        def goes_on() -> bool:
            if self.is_first:
                thread.join(LOOK_S)
            return thread.is_alive()

        while self.from_first(goes_on()):
            beat()
        beat()
        value, error = self.from_first(done[0] if done else None)
        if error is not None:
            raise error
        found: T = value
        return found

    def barrier(self) -> None:
        if self.world > 1:
            dist.barrier()

    def who_is_absent(self, timeout_s: float) -> str:
        """Return which ranks do not answer within so many seconds; '' when all that can be asked do."""
        if self.roll_call is None:
            return ""
        try:
            dist.monitored_barrier(self.roll_call, datetime.timedelta(seconds=timeout_s), wait_all_ranks=True)
        except RuntimeError as error:
            named = _ABSENT.search(str(error))
            return f"no answer from {'rank ' + named[1] if named else 'rank 0'} in {timeout_s:g} s"
        return ""


def _outcome(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return work(), None
    except Exception as error:  # noqa: BLE001  raised again, on every rank
        return None, error


def own_rank() -> int:
    """Return the rank of this process, which it knows before it has joined the others."""
    return int(os.environ.get("RANK", "0"))


@contextlib.contextmanager
def joined(timeout_s: float) -> Iterator[Ranks]:
    """Join the ranks that torchrun's environment names, or run alone; leave them at the end.

    `timeout_s` is after what the watchdog ends a rank; a collective waits twice as long before it raises by itself.
    """
    world, rank = int(os.environ.get("WORLD_SIZE", "1")), own_rank()
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
    timeout = datetime.timedelta(seconds=COLLECTIVE_WAITS * timeout_s)
    with tempfile.TemporaryDirectory() as alone:
        # Also a single rank has a group: torch writes checkpoints in the background only in one.
        if world == 1:
            store = FileStore(f"{alone}/store", 1)
            dist.init_process_group(backend, store=store, rank=0, world_size=1, timeout=timeout)
        else:
            dist.init_process_group(backend, timeout=timeout)
        try:
            mesh = init_device_mesh(device.type, (world,)) if world > 1 else None
            groups = [dist.new_group(backend="gloo") if world > 1 else None for _ in range(2)]
            yield Ranks(rank, world, device, mesh, *groups)
        finally:
            dist.destroy_process_group()
