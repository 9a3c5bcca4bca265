"""A run on a terminal: which rank prints progress, and the exit after a stop."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.console import Console

from trainer.commands.plan import Machine
from trainer.commands.progress import ConsoleWatcher, Silent
from trainer.loop.loop import StoppedError
from trainer.recipe import Recipe

TERMINATED = 143  # exit code: SIGTERM, and all is saved


def is_first_rank() -> bool:
    """Return whether this process is the one of a run that prints."""
    return os.environ.get("RANK", "0") == "0"


@contextlib.contextmanager
def watching(
    console: Console, recipe: Recipe, vocab_size: int = 0, machine: Machine | None = None, folder: Path | None = None
) -> Iterator[ConsoleWatcher | Silent]:
    """Yield the watcher of a run: the first rank's draws, the others' is silent. A run that is stopped ends the program
    with TERMINATED and a line that says how to go on."""
    watcher = ConsoleWatcher(console, recipe, vocab_size, machine, folder) if is_first_rank() else None
    try:
        yield watcher or Silent()
    except StoppedError:
        if watcher:
            typer.echo("winnow-train: stopped and saved; run the same command again to go on", err=True)
        raise SystemExit(TERMINATED) from None
    finally:
        if watcher:
            watcher.close()
