"""Whether the container does its work: exit code 0, or one line on stderr and exit code 1.

A worker pool (`boot --worker_pool`) is well when a gRPC channel to its port becomes ready. A harness that a runner
started is well while boot has a living Python SDK process; the runner itself watches what that process does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import grpc

POOL = "localhost:50000"  # boot's own, not to be set
TIMEOUT_S = 5.0
HARNESS = b"apache_beam.runners.worker.sdk_worker_main"


def command_lines(processes: Path) -> Iterator[bytes]:
    """Yield the command line of each living process, words parted by NUL."""
    for path in processes.glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:  # gone meanwhile
            continue


def pool_answers(address: str, timeout_s: float) -> bool:
    """Return whether a gRPC server answers at `address`."""
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=timeout_s)
        except grpc.FutureTimeoutError:
            return False
    return True


def complaint(processes: Path = Path("/proc"), pool: str = POOL, timeout_s: float = TIMEOUT_S) -> str:
    """Return what is wrong in one line; '' when nothing is."""
    lines = list(command_lines(processes))
    if any(b"--worker_pool" in line.split(b"\0") for line in lines):
        return "" if pool_answers(pool, timeout_s) else f"the worker pool at {pool} does not answer"
    return "" if any(HARNESS in line.split(b"\0") for line in lines) else "no Python SDK process is running"


if __name__ == "__main__":
    sys.exit(complaint() or None)
