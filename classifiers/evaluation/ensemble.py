"""Several scores of a text as one: each becomes a quantile among known scores, the quantiles are combined by a rule.

Nemotron-CC (arXiv:2412.02595, section 2.2.1) gives each of its classifiers' scores the rank of one of 20 buckets of
equal size and takes the maximum: a text is good when any classifier finds it good, and each knows another kind of good.
The mean asks for agreement. A quantile here is the share of known scores that are lower, plus half of those that are
equal, so that ties, which small models have many of, are neither good nor bad.

Deviation: the maximum is taken of quantiles, not of bucket numbers, and divided into bins after that, so the number of
bins changes no order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAXIMUM, MEAN = "max", "mean"
RULES = (MAXIMUM, MEAN)


def quantiles(scores: Floats, known: Floats) -> Floats:
    """Return the place of each score among `known`, ascending and not empty: float64 of shape (scores,), 0 to 1.

    NaN, a text without a score, stays NaN.
    """
    low, high = np.searchsorted(known, scores, "left"), np.searchsorted(known, scores, "right")
    found: Floats = np.where(np.isnan(scores), np.nan, (low + high) / (2 * len(known)))
    return found


def combined(rows: Sequence[Floats], rule: str) -> Floats:
    """Return one number for each text from its quantiles, one array a score; NaN where a text has none of them."""
    stacked = np.stack(rows)
    missing = np.isnan(stacked)
    if rule == MAXIMUM:
        found = np.where(missing, -np.inf, stacked).max(axis=0)
    else:
        found = np.where(missing, 0.0, stacked).sum(axis=0) / np.maximum((~missing).sum(axis=0), 1)
    result: Floats = np.where(missing.all(axis=0), np.nan, found)
    return result
