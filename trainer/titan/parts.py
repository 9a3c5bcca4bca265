"""Winnow's replacements for parts of torchtitan: loader, learning rate, tokenizer.

Needs torchtitan (requirements.txt in this folder). Written against torchtitan 0.3.0: its wheel and its main branch
ask for different loaders. The type checker sees no torchtitan (it conflicts with the other extras), hence
its errors about classes of unknown type.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchtitan.components.dataloader import BaseDataLoader
from torchtitan.components.optimizer import LRSchedulersContainer
from torchtitan.components.tokenizer import BaseTokenizer

from schemas.errors import ConfigError, RunError
from trainer.titan.job import TitanJob, read_job
from trainer.titan.order import MicroBatches

SEQUENCES = "sequences"


class ShardLoader(BaseDataLoader):  # type: ignore[misc]
    """The batches of a stage. Its state is one number, the same on all ranks and for any number of them."""

    @dataclass(kw_only=True, slots=True)
    class Config(BaseDataLoader.Config):  # type: ignore[misc]
        """The dataset is the job's."""

        job: str = ""

    def __init__(
        self, config: Config, *, dp_world_size: int, dp_rank: int, tokenizer: BaseTokenizer, seq_len: int,
        local_batch_size: int, **_: Any,
    ) -> None:  # fmt: skip
        """torchtitan calls it. ConfigError when its length is not the job's, or the batch cannot be cut evenly."""
        job = read_job(config.job)
        if seq_len != job.stage.seq_len:
            raise ConfigError(f"{config.job}: sequences of {job.stage.seq_len} tokens, and torchtitan asks {seq_len}")
        mixture, _facts = job.open_data()
        self._order = MicroBatches(mixture, job.stage.batch_sequences, local_batch_size, dp_rank, dp_world_size)

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        for batch in self._order:
            inputs = {"input": torch.from_numpy(batch.tokens), "positions": torch.from_numpy(batch.positions)}
            yield inputs, torch.from_numpy(batch.labels)

    def state_dict(self) -> dict[str, Any]:
        return {SEQUENCES: self._order.sequences}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict:  # torchtitan allows for none
            self._order.go_to(int(state_dict[SEQUENCES]))


class RecipeRate(LRSchedulersContainer):  # type: ignore[misc]
    """The recipe's learning rate. The optimiser's own is 1, so that the factor is the rate.

    It is set before each step: a checkpoint of the stage before brings that stage's last rate with its moments.
    """

    @dataclass(kw_only=True, slots=True)
    class Config(LRSchedulersContainer.Config):  # type: ignore[misc]
        """The curve is the job's; torchtitan's settings have no effect here."""

        job: str = ""

        def build(self, *, optimizers: Any, training_steps: int) -> RecipeRate:
            """torchtitan calls it; a stage that its gate holds has more steps, and the same curve."""
            return RecipeRate(optimizers, functools.partial(_rate, read_job(self.job)))

    def __init__(self, optimizers: Any, lr_lambda: Callable[[int], float]) -> None:
        super().__init__(optimizers, lr_lambda)
        for scheduler in self.schedulers:
            scheduler.optimizer.register_step_pre_hook(functools.partial(_set_rate, scheduler, lr_lambda))


def _set_rate(scheduler: LRScheduler, rate: Callable[[int], float], optimiser: Optimizer, *_: Any) -> None:
    """Set the rate, except where there are no moments: torchtitan creates them by a step at rate 0."""
    if optimiser.state:
        for group in optimiser.param_groups:
            group["lr"] = rate(scheduler.last_epoch)


def _rate(job: TitanJob, step: int) -> float:
    return job.rate(step)


class NoTokenizer(BaseTokenizer):  # type: ignore[misc]
    """Shards hold tokens; torchtitan requires a tokenizer all the same. This one knows only the size of the
    vocabulary: RunError for a text."""

    @dataclass(kw_only=True, slots=True)
    class Config(BaseTokenizer.Config):  # type: ignore[misc]
        """The vocabulary is the model's."""

        vocab_size: int = 0

    def __init__(self, config: Config, **_: Any) -> None:
        super().__init__()
        self._vocab_size = config.vocab_size

    def encode(self, *_args: Any, **_: Any) -> list[int]:
        raise RunError("token shards are not encoded again")

    def decode(self, *_args: Any, **_: Any) -> str:
        raise RunError("token shards are not decoded")

    def get_vocab_size(self) -> int:
        return self._vocab_size
