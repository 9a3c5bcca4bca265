"""Lines and characters of source files.

    max_line_too_long       more than 1,000 characters in a line               RedPajama-1, The Stack
    mean_line_too_long      more than 100 characters a line on average         RedPajama-1, The Stack
    too_little_alphanumeric less than a quarter of the characters              RedPajama-1, The Stack
    too_few_letters         fewer than 1.5 letters a token                     RedPajama-1
    minified                few blanks: less than 4% white space               ours
    encoded_data            half of the characters in long runs of base 64 or hexadecimal digits    ours
    mostly_numbers          over 60% of what is no white space are numbers, their signs and commas       ours

Source: RedPajama-1 (github/README.md) after Llama 1, "heuristics based on line length or the proportion of alphanumeric
characters". Departures: tokens are those of GPT-2's pattern before its merges, not of Pythia's tokenizer, so that the
rule needs no model. There are fewer of them, so that the limit is laxer: 1.12 times as many letters a token at the
median of 660 files (LOG.md, 2026-11-30). Lines are counted without their ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from schemas.settings import setting, validate
from transforms.step import Drop
from transforms.text.view import ratio

_TOKEN: Final = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
_ENCODED: Final = re.compile(r"(?<![\w+/])(?:0x)?[A-Za-z0-9+/]{40,}={0,2}(?![\w+/])")
_HAS_DIGIT: Final = re.compile(r"\d")
_NUMBER: Final = re.compile(
    r"(?<![A-Za-z_])[-+]?(?:0[xX][0-9A-Fa-f]+|\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?)[fFuUlL]{0,3}\s*,?"
)


@dataclass(frozen=True, kw_only=True)
class ShapeConfig:
    """Limits of what is kept, inclusive."""

    max_line_chars: int = setting(1000, "characters that a line may have (RedPajama-1)", ge=1)
    max_mean_line_chars: float = setting(100.0, "characters that lines may have on average (RedPajama-1)", gt=0)
    min_alphanumeric_fraction: float = setting(0.25, "share of letters and digits (RedPajama-1)", ge=0, le=1)
    min_letters_per_token: float = setting(1.5, "letters for each token (RedPajama-1)", ge=0)
    min_space_fraction: float = setting(
        0.04, "share of white space, of files of over `minified_chars` (ours)", ge=0, le=1
    )
    minified_chars: int = setting(500, "characters from which a file can be minified (ours)", ge=1)
    max_encoded_fraction: float = setting(
        0.5, "share of characters in runs of base 64 or hexadecimal digits (ours)", ge=0, le=1
    )
    max_number_fraction: float = setting(0.6, "share of numbers in what is no white space (ours)", ge=0, le=1)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeStats:
    """What the rule looks at; the column `code_shape`."""

    n_chars: int
    n_lines: int
    max_line_chars: int
    mean_line_chars: float
    alphanumeric_fraction: float
    letters_per_token: float
    space_fraction: float
    encoded_fraction: float
    number_fraction: float


def measure(text: str, language: str) -> ShapeStats:
    """Return what the rule looks at. Total: an empty text has zeros."""
    lines = text.split("\n")
    sizes = [len(line) for line in lines]
    dense = "".join(text.split())
    letters = sum(map(str.isalpha, dense)) if not dense.isalpha() else len(dense)
    alphanumeric = sum(map(str.isalnum, dense))
    n_tokens = sum(1 for _ in _TOKEN.finditer(text))
    encoded = sum(len(run) for run in _ENCODED.findall(text) if _HAS_DIGIT.search(run))
    numbers = sum(len(number.strip()) for number in _NUMBER.findall(text)) if letters < len(dense) / 2 else 0
    return ShapeStats(
        n_chars=len(text),
        n_lines=len(lines) if text else 0,
        max_line_chars=max(sizes),
        mean_line_chars=ratio(sum(sizes), len(lines)),
        alphanumeric_fraction=ratio(alphanumeric, len(text)),
        letters_per_token=ratio(letters, n_tokens),
        space_fraction=ratio(len(text) - len(dense), len(text)),
        encoded_fraction=ratio(encoded, len(text)),
        number_fraction=ratio(numbers, len(dense)),
    )


def decide(stats: ShapeStats, config: ShapeConfig) -> Drop | None:
    """Return why a file goes."""
    if stats.max_line_chars > config.max_line_chars:
        return Drop("max_line_too_long", stats.max_line_chars, config.max_line_chars)
    if stats.mean_line_chars > config.max_mean_line_chars:
        return Drop("mean_line_too_long", stats.mean_line_chars, config.max_mean_line_chars)
    if stats.alphanumeric_fraction < config.min_alphanumeric_fraction:
        return Drop("too_little_alphanumeric", stats.alphanumeric_fraction, config.min_alphanumeric_fraction)
    if stats.n_chars > config.minified_chars and stats.space_fraction < config.min_space_fraction:
        return Drop("minified", stats.space_fraction, config.min_space_fraction)
    if stats.encoded_fraction > config.max_encoded_fraction:
        return Drop("encoded_data", stats.encoded_fraction, config.max_encoded_fraction)
    if stats.number_fraction > config.max_number_fraction:
        return Drop("mostly_numbers", stats.number_fraction, config.max_number_fraction)
    if stats.letters_per_token < config.min_letters_per_token:
        return Drop("too_few_letters", stats.letters_per_token, config.min_letters_per_token)
    return None
