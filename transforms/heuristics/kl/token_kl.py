"""Documents whose tokens are unlike those of the corpus: keyword lists, word lists, ciphers, wrong encodings.

Source: Llama 3 report, arXiv:2407.21783, section 3.1.1: "a token-distribution Kullback-Leibler divergence to filter out
documents containing excessive numbers of outlier tokens compared to the training corpus distribution". The report gives
neither the formula nor a limit, and no open system has the rule. All values are ours.

 1. The distribution is that of tokens, by the tokenizer of the run where it comes from a file, or by one that is
    trained on the sample of this rule: that of the run is trained later, on what this rule leaves.
 2. The reference is learned from the documents that reach this stage, after all others have dropped theirs: what the
    model will be trained on. Each language has its own; one with few documents is not judged.
 3. KL is corrected for length (divergence.py), and what counts is its excess over the usual at that length.
 4. Two readings of "excessive": `limit`, an excess in bits, drops nothing from a corpus that has nothing odd;
    `percentile` drops the same share of every language.
 5. Code, formulas and table rows are left out (`TextView.in_words`), and a text in capitals is taken in small letters:
    its tokens are rare ones, its words are not.

Off by default: on clean pages the farthest documents are lists of titles and products, and one wants to look at them
first (`judge: measure`). What it finds and what it costs: LOG.md. It cannot tell text whose words are usual and whose
sense is not; that takes a language model.

In: Drafts of the last texts. Out: `KlStats`, and Drop or None. Order: none. Cost: 0.8 ms of CPU a document, most of it
for the tokenizer.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import storage
from schemas.records import Document
from schemas.settings import setting, to_plain, validate
from transforms.fit import CorpusSize, is_drawn
from transforms.heuristics.kl.reference import Divergence, LanguageReference, TokenCounts, learn
from transforms.step import Draft, Drop
from transforms.text.view import TextView
from transforms.tokens.tokenizer import Tokenizer, TokenizerConfig, load_for_texts, train_bpe

NONE, MEASURE, LIMIT, PERCENTILE = "none", "measure", "limit", "percentile"
_BATCH = 64  # texts that are tokenized together
_LOOKED_AT = 400  # characters, spread over a text, by which it is told whether it is in capitals


@dataclass(frozen=True, kw_only=True)
class KlConfig:
    """How far the tokens of a document may be from those of the corpus; all values are ours."""

    judge: str = setting(
        NONE,
        "none: no such stage; measure: only measure; limit: drop by max_excess_bits; percentile: by max_percentile",
        choices=(NONE, MEASURE, LIMIT, PERCENTILE),
    )
    max_excess_bits: float = setting(
        2.0, "bits a token of KL above what is usual at the length in the language, at most"
    )
    max_percentile: float = setting(
        99.5, "percentile of the sample of the language that a document may reach", gt=0, le=100
    )
    tokenizer_path: str = setting(
        "", "tokenizer.json or rank file whose tokens are counted; '': the run's tokenizer.path, or one trained here"
    )
    sample_documents: int = setting(4000, "documents of each language in the sample, about, drawn by id", ge=2)
    min_documents: int = setting(400, "documents of a language in the sample, from which on it is judged", ge=2)
    compared_tokens: int = setting(
        100, "tokens that documents of all lengths are compared at; shorter ones are not judged", ge=2
    )
    smoothing: float = setting(0.5, "added to the count of each token of the reference", gt=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class KlStats:
    """What the rule looks at, in bits a token, rounded to a millionth; null in short texts and rare languages."""

    n_tokens: int  # but for code, formulas and table rows
    plain_kl_bits: float | None  # uncorrected; falls with length
    kl_bits: float | None  # as `compared_tokens` of its tokens are expected to have
    excess_bits: float | None  # above what is usual at its length


def stats_of(n_tokens: int, found: Divergence | None) -> KlStats:
    """Return the measures of a document."""
    if found is None:
        return KlStats(n_tokens=n_tokens, plain_kl_bits=None, kl_bits=None, excess_bits=None)
    return KlStats(
        n_tokens=n_tokens,
        plain_kl_bits=round(found.plain, 6),
        kl_bits=round(found.even, 6),
        excess_bits=round(found.excess, 6),
    )


def decide(stats: KlStats, limit: float | None) -> Drop | None:
    """Return why a document must go: its tokens are farther from the reference than `limit`, in bits; None: none is."""
    if limit is not None and stats.excess_bits is not None and stats.excess_bits > limit:
        return Drop("outlier_tokens", stats.excess_bits, limit)
    return None


def limit_of(reference: LanguageReference, config: KlConfig) -> float | None:
    """Return the limit of a language under either reading; None where documents are only measured."""
    if config.judge == LIMIT:
        return config.max_excess_bits
    return round(reference.excess[config.max_percentile], 6) if config.judge == PERCENTILE else None


@dataclass(frozen=True)
class TokenKlFit:
    """Learns the reference of each language, and makes the step that compares every document with it."""

    config: KlConfig
    tokenizer: TokenizerConfig  # of the tokens that are counted
    limits: Mapping[str, float | None] | None = field(default=None, repr=False, compare=False)  # by language, recalled
    name: ClassVar[str] = "kl"
    stats: ClassVar[type] = KlStats

    @staticmethod
    def of(config: KlConfig, tokenizer: TokenizerConfig) -> TokenKlFit:
        """Return the fit of a run with a tokenizer; one that the rule names takes its place.

        No special token is ever counted, so the run's own are not taken over: another name of one redoes nothing.
        """
        path, pattern = config.tokenizer_path or tokenizer.path, tokenizer.pattern
        if path:  # the pattern is that of a rank file; a tokenizer.json has its own
            return TokenKlFit(config, TokenizerConfig(path=path, pattern=pattern))
        return TokenKlFit(config, TokenizerConfig(vocab_size=tokenizer.vocab_size, pattern=pattern))

    @property
    def settings(self) -> dict[str, Any]:
        return {**to_plain(self.config), "tokenizer": to_plain(self.tokenizer)}

    @property
    def resources(self) -> list[str]:
        return storage.files_below(self.tokenizer.path)

    def prepare(self) -> None:
        """Raise ConfigError, before any worker starts, when the file that is named is no tokenizer."""
        if path := self.tokenizer.path:
            load_for_texts(storage.read_bytes(path), path, self.tokenizer)

    def wants(self, draft: Draft, corpus: CorpusSize) -> bool:
        """Return whether a document is drawn: as many of each language."""
        return is_drawn(draft.document, corpus, "kl.sample", self.config.sample_documents)

    def fit(self, sample: Iterable[Document]) -> bytes:
        """Return the tokenizer's file and the reference of each language as JSON."""
        config, path = self.config, self.tokenizer.path
        data = storage.read_bytes(path) if path else train_bpe(map(_counted_of, sample), self.tokenizer)
        tokenizer = load_for_texts(data, path or "tokenizer.json", self.tokenizer)
        by_language: defaultdict[str, list[TokenCounts]] = defaultdict(list)
        documents = iter(sample)
        while some := list(itertools.islice(documents, _BATCH)):
            encoded = tokenizer.encode_batch([_counted_of(document) for document in some])
            for document, ids in zip(some, encoded, strict=True):
                by_language[document.language].append(TokenCounts.of(document.id, ids[1:-1]))
        references = {
            language: learn(
                texts, tokenizer.vocab_size, size=config.compared_tokens, smoothing=config.smoothing,
                percentiles=[config.max_percentile],
            ).to_plain()
            for language, texts in by_language.items()
            if sum(text.n >= config.compared_tokens for text in texts) >= config.min_documents
        }  # fmt: skip
        plain = {"languages": references, "tokenizer": base64.b64encode(data).decode()}
        return json.dumps(plain, sort_keys=True).encode()

    def recalling(self, artefact: bytes) -> TokenKlFit:
        """Return the fit with the limits of a run that has made `artefact`: `Recalls` of transforms/fit.py.

        The artefact holds the percentiles 50, 90 to 100 in tenths, and the one that the run was made with.
        """
        languages = json.loads(artefact)["languages"]
        references = {language: LanguageReference.from_plain(one) for language, one in languages.items()}
        if any(self.config.max_percentile not in reference.excess for reference in references.values()):
            return self
        return replace(self, limits={name: limit_of(one, self.config) for name, one in references.items()})

    @property
    def measured_with(self) -> frozenset[str]:
        """Settings that the measures, or an unknown percentile, depend on: `Redecides` of transforms/step.py."""
        is_known = self.limits is not None or self.config.judge != PERCENTILE
        decides = {"judge", "max_excess_bits", "max_percentile"} if is_known else set[str]()
        return frozenset(self.settings.keys() - decides)

    def redecide(self, stats: KlStats, document: Document, script: str) -> Drop | None:
        if self.limits is not None:
            return decide(stats, self.limits.get(document.language))
        return decide(stats, self.config.max_excess_bits if self.config.judge == LIMIT else None)

    def step(self, artefact: bytes) -> FilterTokenKl:
        """Return the step."""
        return FilterTokenKl(self.config, self.tokenizer, artefact)


@dataclass
class FilterTokenKl:
    """The step: measures every document and drops what is too far out."""

    settings: KlConfig
    tokenizer: TokenizerConfig
    artefact: bytes = field(repr=False)
    name: ClassVar[str] = "kl"
    resources: ClassVar[Sequence[str]] = ()
    stats: ClassVar[type] = KlStats
    _opened: tuple[Tokenizer, Mapping[str, LanguageReference]] | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_opened": None}

    def open(self) -> None:
        plain = json.loads(self.artefact)
        data = base64.b64decode(plain["tokenizer"])
        tokenizer = load_for_texts(data, self.tokenizer.path or "tokenizer.json", self.tokenizer)
        references = {name: LanguageReference.from_plain(one) for name, one in plain["languages"].items()}
        self._opened = tokenizer, references

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        if self._opened is None:
            self.open()
        assert self._opened is not None  # noqa: S101
        tokenizer, references = self._opened
        encoded = tokenizer.encode_batch([counted_text(draft.view) for draft in drafts])
        for draft, ids in zip(drafts, encoded, strict=True):
            reference = references.get(draft.document.language)
            found = reference.measure(TokenCounts.of(draft.document.id, ids[1:-1])) if reference else None
            stats = stats_of(len(ids) - 2, found)
            draft.measures[self.name] = stats
            draft.drop = decide(stats, limit_of(reference, self.settings)) if reference else None


def counted_text(view: TextView) -> str:
    """Return the text whose tokens are counted: the prose, in small letters where most of its letters are capitals."""
    text = view.in_words.text
    looked_at = text[:: len(text) // _LOOKED_AT + 1]
    n_capitals = sum(map(str.isupper, looked_at))
    return text.lower() if n_capitals > sum(map(str.islower, looked_at)) else text


def _counted_of(document: Document) -> str:
    return counted_text(TextView(document.text, document.language, document.blocks))
