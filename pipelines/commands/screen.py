"""Reports on a screen of any width: no word of a table is ever cut, so that all of them can be copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Column, Table

from pipelines.commands.arguments.options import print_json

BAR_COLUMNS = 80  # a terminal that is narrower has no room for bars
_BAR = "█"


def print_report(plain: Any, draw: Callable[[], RenderableType], *, as_json: bool) -> None:
    """Print a report to stdout: its plain data for programs, or what `draw` makes of it for a person.

    The drawing is as wide as the terminal where its words allow that.
    """
    if as_json:
        print_json(plain)
    else:
        show(Console(soft_wrap=True, highlight=False), draw())


def show(console: Console, report: RenderableType) -> None:
    """Print a report to a console."""
    for table in _tables(report):
        if console.width < BAR_COLUMNS:
            table.columns = [column for column in table.columns if not _is_bars(column)]
        for column in table.columns:
            if _is_bars(column):
                column.overflow = "crop"
            else:
                column.min_width = max(map(len, " ".join(_texts(column)).split()), default=0)
    console.print(report)


def _tables(report: RenderableType) -> list[Table]:
    if isinstance(report, Group):
        return [table for part in report.renderables for table in _tables(part)]
    return [report] if isinstance(report, Table) else []


def _texts(column: Column) -> list[str]:
    return [str(cell) for cell in (column.header, *column.cells)]


def _is_bars(column: Column) -> bool:
    texts = [text for text in _texts(column) if text]
    return bool(texts) and all(not text.strip(_BAR) for text in texts)
