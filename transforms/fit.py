"""What a fit is: something learned from a sample of the documents, stored as an artefact, then used on all of them.

A tokenizer, a reference distribution, the limits of a language. The sample is drawn by document id, so that what is
learned does not depend on how the corpus is cut into parts; a dataset has one artefact, that of its first run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from schemas.identity import keyed_fraction
from schemas.records import Document
from transforms.step import Draft


@dataclass(frozen=True)
class CorpusSize:
    """What is known of the corpus before the sample is drawn."""

    documents: int
    text_bytes: int  # UTF-8
    by_language: Mapping[str, int] = field(default_factory=dict)  # documents


def is_drawn(document: Document, corpus: CorpusSize, salt: str, n: int) -> bool:
    """Return whether a document belongs to a sample of about `n` documents of each language, drawn by id."""
    n_documents = corpus.by_language.get(document.language, corpus.documents)
    return keyed_fraction(salt, document.id) * n_documents < n


class Fit(Protocol):
    """Learns an artefact from a sample. Instances are plain values that pickle."""

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> Any: ...

    @property
    def resources(self) -> Sequence[str]: ...

    def wants(self, draft: Draft, corpus: CorpusSize) -> bool:
        """Return whether a document belongs to the sample: a function of the document alone."""

    def fit(self, sample: Iterable[Any]) -> bytes:
        """Return the artefact; runs in one process, on the documents of the sample in the order of parts and rows.

        They can be read more than once; of each there are id, text, address, source, language and blocks.
        """

    def step(self, artefact: bytes) -> Any:
        """Return what is run on every document: a Step."""


@runtime_checkable
class FitsColumns(Protocol):
    """A fit that learns from what earlier stages stored, not from texts. Optional.

    Its `wants` and `fit` get drafts without text, whose `stored` has these columns; of the document itself there are
    id, source and language.
    """

    @property
    def columns(self) -> Sequence[str]:
        """Names of the stored columns."""


@runtime_checkable
class Prepares(Protocol):
    """A fit with files of its own to check. Optional."""

    def prepare(self) -> None:
        """Raise ConfigError, before any worker starts, when it could not fit."""


@runtime_checkable
class Recalls(Protocol):
    """A fit that decides again by what it learned once: other limits need no text. Optional, for `winnow whatif`."""

    def recalling(self, artefact: bytes) -> Any:
        """Return the fit, a `Redecides`, with the limits that the artefact of a run holds."""
