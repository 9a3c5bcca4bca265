from __future__ import annotations

import threading
import time

import torch

from trainer.faults.watchdog import Watchdog
from trainer.loop.ranks import Ranks

ALONE = Ranks(0, 1, torch.device("cpu"), None)


class Silence(Ranks):
    """Ranks of which one does not answer."""

    def who_is_absent(self, timeout_s: float) -> str:
        return "no answer from rank 1"


def test_a_rank_that_hangs_is_ended_and_says_where() -> None:
    said: list[str] = []
    ended = threading.Event()

    def end(line: str) -> None:
        said.append(line)
        ended.set()

    dog = Watchdog(Silence(3, 4, torch.device("cpu"), None), 0.2, end)
    assert ended.wait(10)
    dog.close()
    assert said[0].startswith("rank 3: nothing for 0 s, in ")
    assert said[0].endswith("; no answer from rank 1")


def test_a_rank_that_gets_on_is_left_alone() -> None:
    said: list[str] = []
    dog = Watchdog(ALONE, 1.0, said.append)
    for _ in range(8):
        time.sleep(0.2)
        dog.beat()
    dog.close()
    assert said == []


def test_alone_nobody_is_absent() -> None:
    assert ALONE.who_is_absent(0.1) == ""
