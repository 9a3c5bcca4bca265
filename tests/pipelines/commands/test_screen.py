"""Tables on screens of any width, and the parts of a line that fit."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from pipelines.commands.screen import show
from pipelines.reports.progress import Piece, clock, fitted, seconds_left

REASONS = ["a_reason_of_thirty_characters_x", "language_not_kept", "short"]


def printed(width: int, *, bars: bool = True) -> str:
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "kept", "", "why"):
        table.add_column(name)
    table.add_row("web/clean", "1,000", Text("█" * 28 if bars else "x"), Text(", ".join(f"{r} 1" for r in REASONS)))
    out = io.StringIO()
    show(Console(file=out, width=width, soft_wrap=True), Group(Text("above"), table))
    return out.getvalue()


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 100, 200])
def test_no_word_is_cut_at_any_width(width: int) -> None:
    text = printed(width)
    for reason in REASONS:
        assert reason in text
    assert "…" not in text
    assert ("█" in text) == (width >= 80)


def test_a_column_of_words_is_no_bar() -> None:
    assert "x" in printed(40, bars=False)


PIECES = [
    Piece("> stage 3 of 9", 0),
    Piece("web/clean", 0),
    Piece("parts 1/4", 1),
    Piece("ETA 1:00", 2),
    Piece("5/s", 9),
]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (200, "> stage 3 of 9  web/clean  parts 1/4  ETA 1:00  5/s"),
        (51, "> stage 3 of 9  web/clean  parts 1/4  ETA 1:00  5/s"),
        (50, "> stage 3 of 9  web/clean  parts 1/4  ETA 1:00"),
        (45, "> stage 3 of 9  web/clean  parts 1/4"),
        (30, "> stage 3 of 9  web/clean"),
        (5, "> stage 3 of 9  web/clean"),
    ],
)
def test_what_matters_least_is_left_out_first(width: int, line: str) -> None:
    assert fitted(PIECES, width).plain == line


@pytest.mark.parametrize(
    ("done", "parts", "before", "elapsed", "left"),
    [
        (0, 10, 0, 30.0, None),
        (5, 10, 0, 30.0, 30.0),
        (10, 10, 0, 30.0, 0.0),
        (6, 10, 4, 10.0, 20.0),  # those of the stopped run took no time of this one
        (4, 10, 4, 10.0, None),
        (1, 0, 0, 10.0, None),  # how many there are is not known yet
    ],
)
def test_seconds_left(done: int, parts: int, before: int, elapsed: float, left: float | None) -> None:
    assert seconds_left(done, parts, before, elapsed) == left


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (7, "0:07"), (750, "12:30"), (3723, "1:02:03")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
