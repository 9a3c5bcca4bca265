"""Which runs a fit takes, and how far it is carried."""

from __future__ import annotations

import math
from dataclasses import dataclass

from schemas.settings import setting, validate


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How a ladder is fitted."""

    window: float = setting(
        4.0, "a curve is fitted to sizes whose tokens are within this factor of those at its minimum (ours)", gt=1
    )
    huber: float = setting(
        1e-3, "misfit of ln(loss) beyond which a run counts linearly (Hoffmann et al., arXiv:2203.15556)", gt=0
    )
    max_orders: float = setting(
        4.0, "orders of magnitude beyond its largest budget that a law is carried at most (ours; L3: 3.6)", ge=0
    )

    def __post_init__(self) -> None:
        validate(self)


def orders_beyond(target: float, last: float) -> float:
    """Return how many orders of magnitude `target` FLOPs lie beyond the `last` budget; 0 when they do not."""
    return max(0.0, math.log10(target / last))


def too_far(target: float, last: float, max_orders: float) -> str | None:
    """Return why `target` FLOPs are further than the `last` budget carries, in one clause; None when they are not."""
    if (orders := orders_beyond(target, last)) <= max_orders:
        return None
    return (
        f"{target:.3g} FLOPs are {orders:.1f} orders of magnitude beyond the largest budget, {last:.3g}; max_orders"
        f" allows {max_orders:g}, up to {last * 10**max_orders:.3g}"
    )
