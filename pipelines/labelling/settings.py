"""The settings of `winnow label`."""

from __future__ import annotations

from dataclasses import dataclass

from classifiers.teacher.judges.settings import LlamaConfig, ServerConfig
from classifiers.teacher.sample import SampleConfig
from schemas.settings import section, validate


@dataclass(frozen=True, kw_only=True)
class LabelConfig:
    """How the sample is drawn, and how a judge is asked."""

    sample: SampleConfig = section(SampleConfig, "which documents are judged")
    llama: LlamaConfig = section(LlamaConfig, "a model of this machine")
    server: ServerConfig = section(ServerConfig, "a server that speaks OpenAI's protocol")

    def __post_init__(self) -> None:
        validate(self)
