"""How a transformers model is run. In a module of its own: a stage without such a model imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.settings import setting, validate

CPU, CUDA = "cpu", "cuda"


@dataclass(frozen=True, kw_only=True)
class TransformerSettings:
    """Without effect on scores beyond 1e-6, and on a CPU, each text alone, without any."""

    device: str = setting(CPU, "where it runs", choices=(CPU, CUDA))
    batch_tokens: int = setting(0, "tokens of a batch, padding counted; 0: each text alone, best on a CPU", ge=0)
    threads: int = setting(1, "torch threads of a worker process; the others have the other cores", ge=1, le=1024)

    def __post_init__(self) -> None:
        validate(self)
