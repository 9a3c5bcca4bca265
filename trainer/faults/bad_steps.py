"""When to skip a step, roll back or take a checkpoint, as pure functions of the journal.

A step whose loss or gradient is not finite on any rank is not applied. Several in a row, or a loss that stays far above
its recent median, make the run go back to the checkpoint before the trouble and skip the batches that caused it, as
PaLM did (Chowdhery et al. 2022, section 5.1). L3 needed no such intervention; the limits here are wide.
"""

from __future__ import annotations

import enum
import math
import statistics
from collections import deque
from collections.abc import Iterable

from trainer.recipe import FaultConfig


class Verdict(enum.Enum):
    """What to do with a step."""

    APPLY = "apply"
    SKIP = "skip"  # do not apply it, go on
    ROLL_BACK = "roll back"


class Watch:
    """Judges each step by those before it. All ranks see the same losses, so all reach the same verdict."""

    def __init__(self, config: FaultConfig, losses: Iterable[float] = ()) -> None:
        """`losses` are those of the steps before, in order: a resumed run judges as an undisturbed one."""
        self._config = config
        self._losses: deque[float] = deque(losses, maxlen=config.spike_window)
        self._bad = 0
        self._high: list[float] = []

    def judge(self, loss: float, grad_norm: float) -> Verdict:
        """Return what to do with a step of this loss and gradient norm."""
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            self._bad += 1
            return Verdict.ROLL_BACK if self._bad >= self._config.bad_steps else Verdict.SKIP
        self._bad = 0
        if self.is_spike(loss):
            self._high.append(loss)
            return Verdict.ROLL_BACK if len(self._high) >= self._config.spike_steps else Verdict.APPLY
        self._losses.extend(self._high)  # it came down again: a wave, not a spike
        self._high.clear()
        self._losses.append(loss)
        return Verdict.APPLY

    def is_spike(self, loss: float) -> bool:
        """Whether a loss lies far above the recent ones; never before half a window is there."""
        if not self._config.spike_mads or len(self._losses) < self._config.spike_window // 2:
            return False
        median = statistics.median(self._losses)
        spread = statistics.median(abs(loss - median) for loss in self._losses)
        return loss > median + self._config.spike_mads * max(spread, 1e-3)

    @property
    def troubled(self) -> int:
        """Suspicious steps in a row, the last included: no checkpoint is taken during them."""
        return max(self._bad, len(self._high))


def checkpoint_interval_s(config: FaultConfig, save_s: float) -> float:
    """Return the seconds between checkpoints: as set, or sqrt(2 * cost of one * time between failures) (Young 1974)."""
    return config.checkpoint_s or math.sqrt(2 * max(save_s, 1e-3) * config.mtbf_s)
