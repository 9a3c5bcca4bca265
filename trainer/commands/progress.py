"""Progress of a run: one line that is updated on a terminal, or a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from trainer.commands.boards import STEP_FIGURES, eval_figures, open_boards
from trainer.commands.plan import Machine
from trainer.model.llama import flops_per_token
from trainer.recipe import Recipe, StageConfig

WINDOW = 50  # steps over which speed is taken
LINE_S = 10.0  # seconds between lines where there is no terminal


class ConsoleWatcher:
    """Draws loss, tokens a second, MFU and time left; passes figures on to the boards of the recipe."""

    def __init__(
        self, console: Console, recipe: Recipe, vocab_size: int, machine: Machine | None, folder: Path | None
    ) -> None:
        """`machine` gives the peak FLOP/s for MFU; without one MFU is left out. `folder`: of the run, for boards."""
        self._console, self._recipe, self._vocab_size, self._machine = console, recipe, vocab_size, machine
        self._stage: StageConfig | None = None
        self._recent: deque[tuple[int, float]] = deque(maxlen=WINDOW)
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._told = 0.0
        self._boards = [] if folder is None else open_boards(recipe, folder)
        if self._live:
            self._live.start()

    def stage_started(self, stage: StageConfig, step: int) -> None:
        self._stage = stage
        self._recent.clear()
        self._number = [one.name for one in self._recipe.stages].index(stage.name)
        self._first = sum(before.steps for before in self._recipe.stages[: self._number])
        where = f" from step {step}" if step else ""
        size = f"{stage.batch_tokens:,} tokens, {stage.seq_len:,} a sequence"
        if stage.rows:
            size = f"{stage.batch_units:,} units of {', '.join(stage.rows)}"
        self.say(f"{stage.name}: {stage.steps:,} steps of {size}{where}")

    def step_taken(self, event: Mapping[str, Any]) -> None:
        self._recent.append((event["tokens"], event["s"]))
        figures = {name: event[name] for name in STEP_FIGURES}
        figures |= {f"metrics/{name}": value for name, value in event.get("metrics", {}).items()}
        for board in self._boards:
            board.write(event["step"], figures)
        line = self._line(event)
        if self._live:
            self._live.update(Text(line))
        elif time.monotonic() - self._told > LINE_S:
            self._told = time.monotonic()
            self._console.print(line, highlight=False)

    def measured(self, event: Mapping[str, Any]) -> None:
        for board in self._boards:
            board.write(event["step"], eval_figures(event))

    def _line(self, event: Mapping[str, Any]) -> str:
        assert self._stage is not None  # noqa: S101
        speed = sum(n for n, _ in self._recent) / max(1e-9, sum(s for _, s in self._recent))
        left = max(0, self._first + self._stage.steps - event["step"] - 1) * self._stage.step_tokens
        after = self._recipe.stages[self._number + 1 :]
        left += sum(stage.steps * stage.step_tokens for stage in after)
        words = [
            f"{self._stage.name} {event['step'] + 1:,}", f"loss {event['loss']:.4f}", f"norm {event['norm']:.2f}",
            f"rate {event['rate']:.2e}", f"{speed:,.0f} tokens/s",
            *(f"{name} {value:.4g}" for name, value in event.get("metrics", {}).items()),
        ]  # fmt: skip
        if self._machine is not None:
            used = speed * flops_per_token(self._recipe.model, self._vocab_size, self._stage.seq_len)
            words.append(f"MFU {used / (self._machine.gpus * self._machine.peak_tflops * 1e12):.1%}")
        return "  ".join([*words, f"{_clock(left / max(1.0, speed))} left"])

    def say(self, line: str) -> None:
        self._console.print(line, highlight=False)

    def close(self) -> None:
        if self._live:
            self._live.stop()
        for board in self._boards:
            board.close()


class Silent:
    """Ranks other than the first say nothing."""

    def stage_started(self, stage: StageConfig, step: int) -> None: ...

    def step_taken(self, event: Mapping[str, Any]) -> None: ...

    def measured(self, event: Mapping[str, Any]) -> None: ...

    def say(self, line: str) -> None: ...


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02d} h" if days else f"{hours}:{minutes:02d}:{rest:02d}"
