"""Where a run's figures are drawn: TensorBoard, and Weights & Biases where the recipe names a project.

Both get loss, gradient norm and rate of each step and all that is measured, by the same names (eval/loss/SOURCE,
eval/TASK/acc, ...). The run's step is a figure of its own for Weights & Biases: after a roll-back steps come once more,
which its own counter of steps would refuse.
"""

from __future__ import annotations

import importlib
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import storage
from schemas.errors import ConfigError
from schemas.settings import to_plain
from trainer.recipe import Recipe

STEP_FIGURES = ("loss", "norm", "rate")
TENSORBOARD, WANDB, WANDB_ID = "tensorboard", "wandb", "wandb/id"  # in the folder of a run


class Board(Protocol):
    """Takes figures."""

    def write(self, step: int, figures: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


def open_boards(recipe: Recipe, folder: Path) -> list[Board]:
    """Return the boards of a run. ConfigError when the recipe asks for Weights & Biases and it is not installed."""
    boards: list[Board] = [_WandB(recipe, folder)] if recipe.tracking.wandb_project else []
    return [*boards, _TensorBoard(folder / TENSORBOARD)] if recipe.tracking.tensorboard else boards


def eval_figures(event: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of an `eval` event of the journal."""
    found = {
        f"eval/{measure}/{source}": value
        for measure in ("short_loss", "loss", "bits_per_byte")
        for source, value in event.get(measure, {}).items()
    }
    found |= {f"eval/{name}": event[name] for name in ("needle", "core") if event.get(name) is not None}
    for task, scores in event.get("tasks", {}).items():
        found |= {f"eval/{task}/{name}": scores[name] for name in ("acc", "acc_norm", "nll_per_char") if name in scores}
        found |= {f"eval/{task}/{domain}": acc for domain, acc in scores.get("domains", {}).items()}
    return found


class _TensorBoard:
    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter  # 1 s

        self._writer = SummaryWriter(str(folder))

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step, walltime=time.time())

    def close(self) -> None:
        self._writer.close()


class _WandB:
    """One run there for one folder here, however often it is resumed."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        try:
            wandb: Any = importlib.import_module("wandb")
        except ModuleNotFoundError:
            raise ConfigError(
                "tracking.wandb_project: the package wandb is not installed: pip install 'winnow-corpus[wandb]'"
            ) from None
        tracking = recipe.tracking
        self._run = wandb.init(
            project=tracking.wandb_project, name=recipe.name, id=_id(folder), resume="allow", dir=str(folder),
            mode=tracking.wandb_mode, config=to_plain(recipe),
        )  # fmt: skip
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        self._run.log({"step": step, **figures})

    def close(self) -> None:
        self._run.finish()


def _id(folder: Path) -> str:
    """Return the name of a folder's run there, drawn when the folder is first tracked."""
    path = folder / WANDB_ID
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        storage.write_atomic(str(path), uuid.uuid4().hex[:8].encode())
    return path.read_text()
