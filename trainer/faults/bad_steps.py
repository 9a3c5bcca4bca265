"""When to skip a step, roll back or take a checkpoint, as pure functions of the journal.

A step whose loss or gradient is not finite on any rank is not applied. Several in a row, or a loss that stays far above
its recent median, make the run roll back as PaLM did (Chowdhery et al. 2022, section 5.1: to about 100 steps before the
spike, skipping 200 to 500 batches). A loss shows only what an earlier update did: the batch that did the harm may have
an ordinary loss itself. So batches are skipped from `faults.spike_back` steps before the first high loss up to the last
high one, and from further back when the trouble returns at once. L3 needed no such intervention; the limits are wide.
"""

from __future__ import annotations

import enum
import math
import statistics
from collections import deque
from collections.abc import Iterable, Sequence

from trainer.recipe import FaultConfig

LANDMARKS = 4  # checkpoints at least `spike_back` steps apart that are kept, beside the newest: ours


class Verdict(enum.Enum):
    """What to do with a step."""

    APPLY = "apply"
    SKIP = "skip"  # do not apply it, go on
    ROLL_BACK = "roll back"


class Watch:
    """Judges each step by those before it. All ranks see the same losses, so all reach the same verdict."""

    def __init__(self, config: FaultConfig, losses: Iterable[float] = ()) -> None:
        """`losses` are those of the stage's steps before, in order: a resumed run judges as an undisturbed one.

        Those of another stage are no measure: another mix or length has another level.
        """
        self._config = config
        self._losses: deque[float] = deque(losses, maxlen=config.spike_window)
        self._bad = 0
        self._high: list[float] = []
        self._troubled = 0

    def judge(self, loss: float, grad_norm: float) -> Verdict:
        """Return what to do with a step of this loss and gradient norm."""
        self._troubled += 1
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            self._bad += 1
            return Verdict.ROLL_BACK if self._bad >= self._config.bad_steps else Verdict.SKIP
        self._bad = 0
        if self.is_spike(loss):
            self._high.append(loss)
            return Verdict.ROLL_BACK if len(self._high) >= self._config.spike_steps else Verdict.APPLY
        self._troubled = 0
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
        """Suspicious steps in a row, high and not finite alike, the last included: nothing is saved during them."""
        return self._troubled


def distrusted_from(config: FaultConfig, first_bad: int, turned: Sequence[int]) -> int:
    """Return the step of a stage from which on batches are skipped, given the first step of the trouble.

    `turned` are the steps at which the stage rolled back before, oldest first. While the run does not get `spike_back`
    steps beyond them the trouble counts as the same, and each repeat goes further back, as far as landmarks reach.
    """
    repeats = 0
    for step in reversed(turned):
        if step <= first_bad - config.spike_back:
            break
        repeats += 1
    return max(0, first_bad - config.spike_back * min(repeats + 1, LANDMARKS - 1))


def kept(config: FaultConfig, steps: Sequence[int]) -> set[int]:
    """Return which of the whole checkpoints, given by their steps of the run, are to be kept.

    The newest `keep`, and landmarks: whatever the interval between checkpoints is, one lies `spike_back` steps before
    the newest, and further ones twice and three times as far, so that no roll-back has to begin the stage anew.
    """
    landmarks: list[int] = []
    for step in sorted(steps):
        if not landmarks or step >= landmarks[-1] + config.spike_back:
            landmarks.append(step)
    return {*sorted(steps)[-config.keep :], *landmarks[-LANDMARKS:]}


def checkpoint_interval_s(config: FaultConfig, save_s: float) -> float:
    """Return the seconds between checkpoints: as set, or sqrt(2 * cost of one * time between failures) (Young 1974)."""
    return config.checkpoint_s or math.sqrt(2 * max(save_s, 1e-3) * config.mtbf_s)
