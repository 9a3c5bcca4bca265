"""The settings of the judges, apart from their code: to print them needs neither PyTorch nor a network."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.settings import setting, validate


@dataclass(frozen=True, kw_only=True)
class LlamaConfig:
    """How the model is run; none of it changes a label."""

    batch_tokens: int = setting(4096, "tokens of a batch at most, padding included", ge=1)
    batch_rows: int = setting(32, "texts of a batch at most", ge=1, le=4096)
    device: str = setting("auto", "auto: a GPU where there is one; cpu; cuda; cuda:1")
    threads: int = setting(0, "CPU threads; 0: as many as PyTorch takes", ge=0, le=1024)
    dtype: str = setting(
        "auto", "of the weights; auto: bfloat16 on a GPU, float32 elsewhere",
        choices=("auto", "float32", "bfloat16", "float16"),
    )  # fmt: skip

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """How a server is asked."""

    concurrency: int = setting(8, "requests at a time", ge=1, le=1024)
    requests_per_minute: float = setting(0.0, "requests begun in a minute, at most; 0: no limit", ge=0.0)
    timeout_s: float = setting(120.0, "seconds that an answer may take", gt=0.0)
    attempts: int = setting(6, "times that a document is asked about, at most", ge=1, le=100)
    max_output_tokens: int = setting(8, "tokens of an answer, at most; a model that reasons needs more", ge=1)
    logprobs: int = setting(20, "likeliest tokens to be told with their log-probabilities; 0: none", ge=0, le=100)
    key_variable: str = setting("OPENAI_API_KEY", "environment variable that holds the key; it may be unset")
    input_price: float = setting(0.0, "price of a million input tokens, in any currency", ge=0.0)
    output_price: float = setting(0.0, "price of a million output tokens", ge=0.0)

    def __post_init__(self) -> None:
        validate(self)

    def cost(self, prompt_tokens: int, output_tokens: int) -> float:
        """Return the price of some tokens."""
        return (prompt_tokens * self.input_price + output_tokens * self.output_price) / 1e6
