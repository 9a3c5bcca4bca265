"""Gopher quality rules: length, word shape, symbols, bullets, ellipses, letters, stop words.

Source: Rae et al. 2021, arXiv:2112.11446, appendix A1.1 (MassiveText, "Quality Filtering").

Deviations and interpretations (where open-source implementations disagree):
 1. Words are those of `transforms.text.view`: pieces between white space with their punctuation, no tokenizer.
 2. Symbols per word: the number of `#` signs, and of ellipses, each by the number of words (datatrove, dolma).
 3. Stop words: at least two *different* ones (datatrove; Dolma and DCLM count occurrences), compared in lower case
    without punctuation. The paper's list is English. The recipe and its presets have lists of other languages, and
    languages without a list are not judged by it (languages.py).
 4. Word length means nothing in scripts written without spaces: it is null there, and the rule does not apply.
 5. Shares of lines are judged from five lines on (`min_lines`), and `#` before a heading is no symbol (`by_blocks`);
    the preset `gopher` has neither.
 6. A dash before a line that ends a sentence is speech, no bullet (`transforms.text.sentences.starts_with_bullet`).

In: TextView. Out: Drop or None, the text unchanged. Order: none. Cost: one pass, O(chars).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from schemas.settings import setting, validate
from transforms.step import Drop
from transforms.text.sentences import count_ellipses, ends_with_ellipsis, starts_with_bullet
from transforms.text.view import TextView, ratio

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")  # the paper's, of English

_HEADING_MARK = re.compile(r"^#{1,6}(?= )", re.MULTILINE)
LITTLE_PROSE = 20  # words: of fewer, beside code or tables, the shape and the stop words say nothing


@dataclass(frozen=True, kw_only=True)
class GopherConfig:
    """Limits of what is kept, inclusive. Table A1 of the paper unless marked."""

    by_blocks: bool = setting(True, "code, formulas and table rows are not judged by the shape of their words")
    min_lines: int = setting(5, "lines from which on shares of lines are judged (ours; Gopher: 1)", ge=1)
    count_again: bool = setting(True, "count the words once more after lines have gone (Gopher removes none)")
    min_words: int = setting(50, "words a document must have", ge=0)
    max_words: int = setting(100_000, "words a document may have", ge=1)
    min_mean_word_chars: float = setting(3.0, "mean characters of a word, at least", ge=0)
    max_mean_word_chars: float = setting(10.0, "mean characters of a word, at most", gt=0)
    max_hashes_per_word: float = setting(0.1, "'#' signs per word, at most", ge=0)
    max_ellipses_per_word: float = setting(0.1, "ellipses per word, at most", ge=0)
    max_bullet_line_fraction: float = setting(0.9, "share of lines that start with a bullet, at most", ge=0, le=1)
    max_ellipsis_line_fraction: float = setting(0.3, "share of lines that end with an ellipsis, at most", ge=0, le=1)
    min_alphabetic_word_fraction: float = setting(0.8, "share of words with a letter, at least", ge=0, le=1)
    min_stop_words: int = setting(2, "different stop words of its language a document must have", ge=0)
    stop_words: tuple[str, ...] = setting(
        STOP_WORDS, "frequent words, in lower case, of English or by_language; where there are none they are not judged"
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class GopherStats:
    """What the rules look at. Fractions are 0 to 1; 0 where there is nothing to divide by."""

    n_words: int
    n_lines: int  # but for code, mathematics and table rows
    mean_word_chars: float | None  # null in scripts written without spaces, and where there is no prose
    hashes_per_word: float
    ellipses_per_word: float
    bullet_line_fraction: float
    ellipsis_line_fraction: float
    alphabetic_word_fraction: float | None  # null where there is no prose
    n_stop_words: int | None  # different ones; null without a list, or prose


_DEFAULT = GopherConfig()


def measure(view: TextView, config: GopherConfig = _DEFAULT) -> GopherStats:
    """Measure what the rules look at: the number of words of all the text, the rest of its prose."""
    view = view if config.by_blocks else view.as_prose
    prose = view.in_words
    n_words = prose.n_words
    n_lines = len(prose.lines)
    is_prose = n_words >= LITTLE_PROSE or (prose is view and n_words > 0)
    return GopherStats(
        n_words=view.n_words,
        n_lines=n_lines,
        mean_word_chars=None if prose.unspaced or not is_prose else ratio(prose.n_word_chars, n_words),
        hashes_per_word=ratio(_count_hashes(prose.text, config.by_blocks), n_words),
        ellipses_per_word=ratio(count_ellipses(prose.text), n_words),
        bullet_line_fraction=ratio(sum(map(starts_with_bullet, prose.lines)), n_lines),
        ellipsis_line_fraction=ratio(sum(map(ends_with_ellipsis, prose.lines)), n_lines),
        alphabetic_word_fraction=ratio(_count_alphabetic(prose), n_words) if is_prose else None,
        n_stop_words=sum(word in prose.vocabulary for word in set(config.stop_words))
        if config.stop_words and is_prose
        else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthStats:
    """What is left of a text that was edited."""

    n_words: int


def measure_length(view: TextView) -> LengthStats:
    """Measure a text again after lines have gone."""
    return LengthStats(n_words=view.n_words)


def decide_length(stats: LengthStats, config: GopherConfig) -> Drop | None:
    """Return why what is left of a document must go."""
    if stats.n_words < config.min_words:
        return Drop("too_few_words", stats.n_words, config.min_words)
    return None


def decide(stats: GopherStats, config: GopherConfig) -> Drop | None:
    """Return why the document must go, by the first rule it breaks: lower limits first, then upper ones."""
    for reason, value, low in (
        ("too_few_words", stats.n_words, config.min_words),
        ("words_too_short", stats.mean_word_chars, config.min_mean_word_chars),
        ("too_few_alphabetic_words", stats.alphabetic_word_fraction, config.min_alphabetic_word_fraction),
        ("too_few_stop_words", stats.n_stop_words, config.min_stop_words),
    ):
        if value is not None and value < low:
            return Drop(reason, value, low)
    bullets, ellipses = stats.bullet_line_fraction, stats.ellipsis_line_fraction
    if stats.n_lines < config.min_lines:
        bullets = ellipses = 0.0
    for reason, value, high in (
        ("too_many_words", stats.n_words, config.max_words),
        ("words_too_long", stats.mean_word_chars, config.max_mean_word_chars),
        ("too_many_hashes", stats.hashes_per_word, config.max_hashes_per_word),
        ("too_many_ellipses", stats.ellipses_per_word, config.max_ellipses_per_word),
        ("too_many_bullet_lines", bullets, config.max_bullet_line_fraction),
        ("too_many_ellipsis_lines", ellipses, config.max_ellipsis_line_fraction),
    ):
        if value is not None and value > high:
            return Drop(reason, value, high)
    return None


def _count_hashes(text: str, by_blocks: bool) -> int:
    """Count the `#` signs, but for those that mark a heading."""
    n_hashes = text.count("#")
    return n_hashes - sum(map(len, _HEADING_MARK.findall(text))) if by_blocks and n_hashes else n_hashes


def _count_alphabetic(view: TextView) -> int:
    """Count words with at least one letter.

    Read off the distinct normal words, which are half as many: only punctuation is missing from them.
    """
    return len(view.word_ids) - int(view.word_counts[~view.has_letter].sum())
