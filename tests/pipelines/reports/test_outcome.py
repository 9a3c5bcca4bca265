"""How a command ended, in one word."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.reports.outcome import KINDS, Outcome


@pytest.mark.parametrize(
    ("code", "new_inputs", "kind"),
    [
        (0, 3, "done"),
        (0, 0, "nothing_new"),
        (1, 0, "error"),
        (1, 3, "error"),
        (2, 0, "usage"),
        (3, 0, "held"),
        (130, 3, "stopped"),
        (143, 3, "stopped"),
        (141, 3, "error"),
        (-9, 0, "error"),
    ],
)
def test_kind(code: int, new_inputs: int, kind: str) -> None:
    outcome = Outcome("run", "d", datetime(2026, 1, 2, tzinfo=UTC), 1.0, code, "", new_inputs, "")
    assert outcome.kind == kind
    assert kind in KINDS
