"""A line to the worker pool that is held while a job runs.

A pool that dies takes its workers with it, and a supervisor may bring another in a second. Flink restarts a job whose
workers it hears break off. But Beam waits for ever for a worker that was asked for and died before it called: the job
runs, does nothing, and everything answers. Only a connection that was there before tells that the pool is another one.
"""

from __future__ import annotations

import time

import grpc


class PoolLine:
    """A connection to the pool at `address` (host:port)."""

    def __init__(self, address: str) -> None:
        self.broken_at: float | None = None  # seconds since 1970
        self._held = False
        never_idle = (("grpc.client_idle_timeout_ms", 2**31 - 1),)
        self._channel = grpc.insecure_channel(address, options=never_idle)
        self._channel.subscribe(self._hear, try_to_connect=True)

    def _hear(self, state: grpc.ChannelConnectivity) -> None:
        if state is grpc.ChannelConnectivity.READY:
            self._held = True
        elif self._held and self.broken_at is None:
            self.broken_at = time.time()

    def close(self) -> None:
        """Let go; what is heard afterwards is our own doing."""
        self._channel.unsubscribe(self._hear)
        self._channel.close()
