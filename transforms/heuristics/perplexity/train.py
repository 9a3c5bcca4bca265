"""Training of a model file from clean texts, such as Wikipedia: one tokenizer, one n-gram model a language.

CCNet trains 5-grams on a million openings of Wikipedia articles for each of 48 languages, over 65,536 pieces
(arXiv:1911.00359, section 3.3). Its trainer `lmplz` is not built with KenLM's Python package; kneser_ney.py does the
same.

The same set of texts gives the same bytes in any order (zlib of another version may pack them otherwise).
"""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.errors import ConfigError
from schemas.settings import setting, validate
from transforms.heuristics.perplexity.kneser_ney import MAX_ORDER, Ints, NgramModel, estimate
from transforms.heuristics.perplexity.model import lines_of, pack
from transforms.text.view import TextView
from transforms.tokens.tokenizer import TokenizerConfig, load, train_bpe

_BATCH = 256  # lines that are tokenized together


@dataclass(frozen=True, kw_only=True)
class PerplexityTrainConfig:
    """The table's columns and the size of the models."""

    text_column: str = setting("text", "column of the text")
    language_column: str = setting("language", "column of the language, as language identification names it: en")
    vocab_size: int = setting(32_768, "tokens of the byte-level BPE of all languages; ours, CCNet: 65,536", ge=258)
    order: int = setting(5, "longest n-gram (CCNet)", ge=2, le=MAX_ORDER)
    prune: int = setting(1, "n-grams of 3 tokens and more that occur at most so often are left out; ours", ge=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class TrainedLanguage:
    """The size of one language's model."""

    language: str
    texts: int
    tokens: int
    ngrams: list[int]  # of each order, <unk> not counted


@dataclass(frozen=True)
class PerplexityReport:
    """What was trained."""

    sha256: str
    size_bytes: int
    languages: list[TrainedLanguage]


def train_perplexity(texts: Iterable[tuple[str, str]], config: PerplexityTrainConfig) -> tuple[bytes, PerplexityReport]:
    """Return the model file of (text, language) pairs and a report. ConfigError when no text has a word."""
    lines: defaultdict[str, list[str]] = defaultdict(list)
    n_texts: defaultdict[str, int] = defaultdict(int)
    for text, language in texts:
        if not language.replace("-", "").replace("_", "").isalnum():
            raise ConfigError(f"{language!r} is not a language; expected one such as en or zh-Hant")
        found = lines_of(TextView(text, language))
        lines[language] += found
        n_texts[language] += bool(found)
    lines = defaultdict(list, {language: found for language, found in lines.items() if found})
    if not lines:
        raise ConfigError("no text has a word; expected clean texts to learn from")
    data = train_bpe(itertools.chain.from_iterable(lines.values()), TokenizerConfig(vocab_size=config.vocab_size))
    tokenizer = load(data, "tokenizer.json", TokenizerConfig())
    models: dict[str, NgramModel] = {}
    rows: list[TrainedLanguage] = []
    for language, some in sorted(lines.items()):
        encoded: list[Ints] = []
        for at in range(0, len(some), _BATCH):
            encoded += [ids[1:-1] for ids in tokenizer.encode_batch(some[at : at + _BATCH])]
        model = estimate(encoded, tokenizer.vocab_size, config.order, config.prune)
        models[language] = model
        sizes = [len(level.tokens) for level in model.levels]
        rows.append(TrainedLanguage(language, n_texts[language], sum(map(len, encoded)), sizes))
    packed = pack(data, models)
    return packed, PerplexityReport(hashlib.sha256(packed).hexdigest(), len(packed), rows)
