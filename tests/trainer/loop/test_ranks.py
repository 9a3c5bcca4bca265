"""What rank 0 does for all."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch

from schemas.errors import ConfigError
from trainer.loop import ranks as ranks_module
from trainer.loop.ranks import Ranks

CPU = torch.device("cpu")


class Second(Ranks):
    """Rank 1, which hears from rank 0 what the test says."""

    heard: list[Any]

    def from_first(self, value: Any) -> Any:
        return self.heard.pop(0)


def second(*heard: Any) -> Second:
    made = Second(1, 2, CPU, None)
    object.__setattr__(made, "heard", list(heard))
    return made


def test_rank_0_works_and_beats_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks_module, "LOOK_S", 0.001)
    alone, beats = Ranks(0, 1, CPU, None), threading.Event()

    def work() -> int:
        assert beats.wait(60.0)  # it is not done before the first beat
        return 7

    assert alone.first_does(work, beats.set) == 7

    def refuse() -> int:
        raise ConfigError("rows: no")

    with pytest.raises(ConfigError, match="rows: no"):
        alone.first_does(refuse, beats.set)


def test_the_others_wait_for_what_rank_0_found() -> None:
    beats: list[int] = []

    def work() -> str:
        raise AssertionError("done twice")

    assert second(True, True, False, ("found", None)).first_does(work, lambda: beats.append(1)) == "found"
    assert len(beats) == 3
    with pytest.raises(ConfigError, match="rows: no"):
        second(False, (None, ConfigError("rows: no"))).first_does(work, lambda: None)
