"""Which blocks to keep: the set whose expected word F1 is highest, given each block's probability.

With independent blocks, E[F1] is close to 2 * sum_kept(w p) / (sum_kept(w) + sum_all(w p)), w the words of a block, p
its probability; the best set is a prefix of the blocks in falling order of p (Lipton et al. 2014, arXiv:1402.1892: the
optimal threshold is half of the optimal F1). So the threshold follows the page: near 0.5 where the model is sure, low
where every block is doubtful. The maximum is the page's confidence.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

UNIT = 10_000  # of a logit, as the forest's values
ONE = 100_000  # of a probability
_STEPS_A_LOGIT = 100
_RANGE = 10  # logits on either side
_LOGITS = [at / _STEPS_A_LOGIT for at in range(-_RANGE * _STEPS_A_LOGIT, _RANGE * _STEPS_A_LOGIT + 1)]
_PROBABILITY = np.array([round(ONE / (1 + math.exp(-logit))) for logit in _LOGITS], np.int64)


def probabilities(scores: Ints) -> Ints:
    """Return the probabilities, in parts of ONE, of scores in parts of UNIT."""
    limit = _RANGE * _STEPS_A_LOGIT
    steps = np.clip(scores * _STEPS_A_LOGIT // UNIT, -limit, limit) + limit
    return np.asarray(_PROBABILITY[steps], np.int64)


def decide(chance: Ints, words: Ints) -> tuple[NDArray[np.bool_], float]:
    """Return which blocks to keep and the expected F1 of that; ties go to the fewer, then the earlier blocks."""
    kept = np.zeros(len(chance), np.bool_)
    if not len(chance):
        return kept, 0.0
    order = np.argsort(-chance, kind="stable")
    hits = np.cumsum((words * chance)[order])
    taken = np.cumsum(words[order]) * ONE
    expected = 2 * hits / np.maximum(taken + hits[-1], 1)
    best = int(np.argmax(expected))
    kept[order[: best + 1]] = True
    return kept, float(expected[best])
