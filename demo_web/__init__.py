"""A small web with known truth, written as real archives: the input of `make demo` and of the end-to-end tests.

It imports schemas alone and shares no rule with transforms, so that what it expects is a second opinion.
"""

from __future__ import annotations

from demo_web.truth import Truth, read_truth
from demo_web.web import make_web

__all__ = ["Truth", "make_web", "read_truth"]
