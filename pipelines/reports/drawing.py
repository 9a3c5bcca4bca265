"""What the reports for a person share: tables, numbers, and counts of things."""

from __future__ import annotations

from collections.abc import Collection

from rich.table import Table


def table(*names: str, right: Collection[str] = (), title: str | None = None) -> Table:
    """Return an empty table of these columns, those named by `right` aligned to the right."""
    empty = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for name in names:
        empty.add_column(name, justify="right" if name in right else "left")
    return empty


def number(value: object) -> str:
    """Return a value as a person is shown it: of a float six digits."""
    return f"{value:.6g}" if isinstance(value, float) else f"{value}"


def counted(n: int, noun: str) -> str:
    """Return a number of things: `1 line`, `2,000 lines`."""
    return f"{n:,} {noun}{'s' * (n != 1)}"
