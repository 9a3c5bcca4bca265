from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest
import torch

from trainer.faults.watchdog import STALLED, Watchdog
from trainer.loop.ranks import Ranks

ALONE = Ranks(0, 1, torch.device("cpu"), None)


class Silence(Ranks):
    """Ranks of which one does not answer."""

    def who_is_absent(self, timeout_s: float) -> str:
        return "no answer from rank 1"


def test_a_rank_that_hangs_is_ended_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")
    said: list[str] = []
    ended = threading.Event()

    def end(line: str) -> None:
        said.append(line)
        ended.set()

    dog = Watchdog(0.2, Silence(3, 4, torch.device("cpu"), None), end)
    assert ended.wait(10)
    dog.close()
    assert said[0].startswith("rank 3: nothing for 0 s, in ")
    assert said[0].endswith("; no answer from rank 1")


def test_a_rank_that_gets_on_is_left_alone() -> None:
    said: list[str] = []
    dog = Watchdog(1.0, ALONE, said.append)
    for _ in range(8):
        time.sleep(0.2)
        dog.beat()
    dog.close()
    assert said == []


def test_alone_nobody_is_absent() -> None:
    assert ALONE.who_is_absent(0.1) == ""


def test_a_rank_that_the_others_never_join_is_ended() -> None:
    """Gloo can hang there for longer than any of its timeouts."""
    program = """
from trainer.faults.watchdog import joined_and_watched
with joined_and_watched(2.0):
    print("joined")
"""
    ranks = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **ranks}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == STALLED, done.stderr
    assert done.stdout == ""
    said = done.stderr.splitlines()[-1]
    assert said.startswith("winnow-train: rank 0: nothing for 2 s, in trainer.loop.ranks.joined")
    assert said.endswith("; the ranks have not met")
