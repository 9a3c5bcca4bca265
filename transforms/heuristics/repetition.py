"""Gopher repetition rules: repeated lines, paragraphs and n-grams.

Source: Rae et al. 2021, arXiv:2112.11446, appendix A1.1 and table A1 ("Repetition Removal").

Interpretations (where open-source implementations disagree):
 1. Duplicate n-grams (n = 5 to 10): every word that any n-gram occurring twice or more covers is marked, in the first
    occurrence too, and its characters count once, "taking care not to count characters that occur in overlapping
    n-grams more than once" (RedPajama-v2, DCLM; datatrove leaves out the first occurrence, Dolma counts overlaps).
 2. Top n-gram (n = 2 to 4): its characters times its occurrences, 0 when it occurs once (RedPajama-v2; datatrove
    drops short texts by it). Of n-grams that occur equally often, the longest. Overlapping occurrences ("ha ha ha")
    could exceed the text, so the share is cut at 1.
 3. Whether the first copy counts is a setting (`count_first_copy`). With it every word that a repeated n-gram covers is
    marked, and every line that occurs twice (Dolma, DCLM); without it, the default, the copies after the first alone
    (datatrove): a text that says everything twice is half repetition, not all of it. See LOG.md for what each drops.
    Lines and paragraphs are compared verbatim after stripping; those of fewer than four words do not count
    (`min_duplicate_words`).
 4. N-grams are of normal words, across line ends; shares are of the characters of normal words. In scripts written
    without spaces a character is a word (transforms.text.view), and an n-gram is as many characters as n words of
    English need there (`TextView.stretch`: 2 for each in Han and Kana, 4 in Thai).
 5. Code, formulas and table rows are no repetition, and lines are those of paragraphs: braces, rows and the
    headings that a table of contents repeats say nothing about prose (`by_blocks`; the preset `gopher` has it off).
 6. Limits of duplicate n-grams are twice those of table A1: between them we found references, exercises and training
    plans, and none of the pages that people called bad (LOG.md). The presets `gopher` and `fineweb` have table A1.

In: TextView. Out: Drop or None, the text unchanged. Order: none. Cost: O(words) for usual texts, no hashing: n-grams
are compared by exact ranks, and only positions whose (n-1)-grams repeat are considered for n.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.settings import setting, validate
from transforms.step import Drop
from transforms.text.view import Ints, TextView, split_words

TOP_NGRAMS = (2, 3, 4)
DUPLICATE_NGRAMS = (5, 6, 7, 8, 9, 10)


@dataclass(frozen=True, kw_only=True)
class RepetitionConfig:
    """Limits of what is kept, inclusive: table A1, and twice that for duplicate n-grams. Shares are 0 to 1."""

    by_blocks: bool = setting(
        True, "leave out code, formulas and table rows; lines are those of paragraphs. false: all, as Gopher's"
    )
    min_duplicate_words: int = setting(
        4, "words of a line or paragraph that counts as a duplicate: labels repeat by nature (Gopher: 1)", ge=1
    )
    count_first_copy: bool = setting(
        False, "count the first of equal lines and n-grams as a duplicate, too (Gopher's text; datatrove: later ones)"
    )
    max_duplicate_line_fraction: float = setting(0.30, "share of lines that are duplicates", ge=0, le=1)
    max_duplicate_paragraph_fraction: float = setting(0.30, "share of paragraphs that are duplicates", ge=0, le=1)
    max_duplicate_line_char_fraction: float = setting(0.20, "share of characters in duplicate lines", ge=0, le=1)
    max_duplicate_paragraph_char_fraction: float = setting(
        0.20, "share of characters in duplicate paragraphs", ge=0, le=1
    )
    max_top_2_gram_fraction: float = setting(0.20, "share of characters in the most frequent 2-gram", ge=0, le=1)
    max_top_3_gram_fraction: float = setting(0.18, "share of characters in the most frequent 3-gram", ge=0, le=1)
    max_top_4_gram_fraction: float = setting(0.16, "share of characters in the most frequent 4-gram", ge=0, le=1)
    max_duplicate_5_gram_fraction: float = setting(
        0.30, "share of characters in duplicate 5-grams (A1: 0.15)", ge=0, le=1
    )
    max_duplicate_6_gram_fraction: float = setting(
        0.28, "share of characters in duplicate 6-grams (A1: 0.14)", ge=0, le=1
    )
    max_duplicate_7_gram_fraction: float = setting(
        0.26, "share of characters in duplicate 7-grams (A1: 0.13)", ge=0, le=1
    )
    max_duplicate_8_gram_fraction: float = setting(
        0.24, "share of characters in duplicate 8-grams (A1: 0.12)", ge=0, le=1
    )
    max_duplicate_9_gram_fraction: float = setting(
        0.22, "share of characters in duplicate 9-grams (A1: 0.11)", ge=0, le=1
    )
    max_duplicate_10_gram_fraction: float = setting(
        0.20, "share of characters in duplicate 10-grams (A1: 0.10)", ge=0, le=1
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepetitionStats:
    """Shares, 0 to 1; 0 where there is nothing to divide by."""

    duplicate_line_fraction: float = 0.0
    duplicate_line_char_fraction: float = 0.0
    duplicate_paragraph_fraction: float = 0.0
    duplicate_paragraph_char_fraction: float = 0.0
    top_2_gram_fraction: float = 0.0
    top_3_gram_fraction: float = 0.0
    top_4_gram_fraction: float = 0.0
    duplicate_5_gram_fraction: float = 0.0
    duplicate_6_gram_fraction: float = 0.0
    duplicate_7_gram_fraction: float = 0.0
    duplicate_8_gram_fraction: float = 0.0
    duplicate_9_gram_fraction: float = 0.0
    duplicate_10_gram_fraction: float = 0.0


_RULES = (  # reason, measure; the limit is called max_<measure>
    ("duplicate_lines", "duplicate_line_fraction"),
    ("duplicate_paragraphs", "duplicate_paragraph_fraction"),
    ("duplicate_line_chars", "duplicate_line_char_fraction"),
    ("duplicate_paragraph_chars", "duplicate_paragraph_char_fraction"),
    *((f"top_{n}_gram", f"top_{n}_gram_fraction") for n in TOP_NGRAMS),
    *((f"duplicate_{n}_grams", f"duplicate_{n}_gram_fraction") for n in DUPLICATE_NGRAMS),
)


_DEFAULT = RepetitionConfig()


def measure(view: TextView, config: RepetitionConfig = _DEFAULT) -> RepetitionStats:
    """Measure all thirteen shares."""
    view = view.in_words if config.by_blocks else view.as_prose
    first, least = config.count_first_copy, config.min_duplicate_words
    line_fraction, line_char_fraction = duplicate_shares(_long_enough(view.prose, least), first)
    paragraph_fraction, paragraph_char_fraction = duplicate_shares(_long_enough(view.paragraphs, least), first)
    return RepetitionStats(
        duplicate_line_fraction=line_fraction,
        duplicate_line_char_fraction=line_char_fraction,
        duplicate_paragraph_fraction=paragraph_fraction,
        duplicate_paragraph_char_fraction=paragraph_char_fraction,
        **ngram_shares(view.word_ids, view.word_chars, view.stretch, first),
    )


def decide(stats: RepetitionStats, config: RepetitionConfig) -> Drop | None:
    """Return why the document must go, by the first limit it exceeds in the order of table A1."""
    for reason, name in _RULES:
        value, limit = getattr(stats, name), getattr(config, f"max_{name}")
        if value > limit:
            return Drop(reason, value, limit)
    return None


def _long_enough(pieces: list[str], min_words: int) -> list[str]:
    """Return the pieces of at least so many words, or all of them where no two are equal: they are not counted then."""
    if min_words <= 1 or len(set(pieces)) == len(pieces):
        return pieces
    # The first characters tell it; a word has no more than these have room for.
    return [piece for piece in pieces if len(split_words(piece[: 40 * min_words])) >= min_words]


def duplicate_shares(pieces: Sequence[str], count_first_copy: bool = True) -> tuple[float, float]:
    """Return the share of pieces that are duplicates, and the share of their characters."""
    if len(set(pieces)) == len(pieces):
        return 0.0, 0.0
    first = 0 if count_first_copy else 1
    repeated = [(len(piece), n - first) for piece, n in Counter(pieces).items() if n > 1]
    n_pieces = sum(n for _, n in repeated)
    n_chars = sum(chars * n for chars, n in repeated)
    return n_pieces / len(pieces), n_chars / sum(map(len, pieces))


def ngram_shares(ids: Ints, chars: Ints, stretch: int = 1, count_first_copy: bool = True) -> dict[str, float]:
    """Return the shares of top and duplicate n-grams, by name; those that are 0 are left out.

    `ids` names each word, `chars` gives its length; an n-gram is `stretch` times n words long.
    """
    ends = np.concatenate(([0], np.cumsum(chars)))
    total = int(ends[-1])
    shares: dict[str, float] = {}
    for length, starts, ranks in repeated_ngrams(ids, stretch * max(DUPLICATE_NGRAMS)):
        n, rest = divmod(length, stretch)
        if rest:
            continue
        if n in TOP_NGRAMS:
            counts = np.bincount(ranks)
            occurrences = int(counts.max())
            first = starts[counts[ranks] == occurrences]
            longest = int((ends[first + length] - ends[first]).max())
            shares[f"top_{n}_gram_fraction"] = min(1.0, longest * occurrences / total)
        elif n in DUPLICATE_NGRAMS:
            if not count_first_copy:
                starts = starts[after_first(ranks)]
            shares[f"duplicate_{n}_gram_fraction"] = int(chars[covered_words(len(ids), starts, length)].sum()) / total
    return shares


def after_first(ranks: Ints) -> npt.NDArray[np.bool_]:
    """Return of which n-grams, by their ranks in order of the text, an equal one is before them."""
    positions = np.arange(len(ranks))
    firsts = np.empty(int(ranks.max()) + 1 if len(ranks) else 0, np.int64)
    firsts[ranks[::-1]] = positions[::-1]  # the last that is assigned stays; np.unique takes five times as long
    after: npt.NDArray[np.bool_] = firsts[ranks] != positions
    return after


def covered_words(n_words: int, starts: Ints, length: int) -> npt.NDArray[np.bool_]:
    """Return which words are in one of the n-grams that start at `starts`."""
    covered = np.zeros(n_words + 1, np.int64)
    covered[starts] += 1  # starts are distinct, so are their ends
    covered[starts + length] -= 1
    marked: npt.NDArray[np.bool_] = np.cumsum(covered[:-1]) > 0
    return marked


def repeated_ngrams(ids: Ints, longest: int) -> Iterator[tuple[int, Ints, Ints]]:
    """Yield (n, starts, ranks) for n = 2, 3, ... while some n-gram occurs twice or more.

    `starts` are the positions, ascending, of n-grams that occur at least twice; equal `ranks` mean equal n-grams. An
    n-gram repeats only where both (n-1)-grams in it do, and is the pair of them: their ranks make an exact 64-bit key.
    """
    counts = np.bincount(ids) if len(ids) else np.zeros(0, np.int64)
    starts = np.flatnonzero(counts[ids] > 1)
    ranks = ids[starts]
    for n in range(2, longest + 1):
        follows = np.flatnonzero(starts[1:] == starts[:-1] + 1)
        if not len(follows):
            return
        keys = ranks[follows] * (int(ranks.max()) + 1) + ranks[follows + 1]
        starts = starts[follows]
        ranks = _ranks(keys)
        repeated = np.bincount(ranks)[ranks] > 1
        starts, ranks = starts[repeated], ranks[repeated]
        if not len(starts):
            return
        yield n, starts, ranks


def _ranks(keys: Ints) -> Ints:
    """Return for each key the number of distinct smaller keys."""
    order = np.argsort(keys)
    ordered = keys[order]
    ranks = np.empty(len(keys), np.int64)
    ranks[order[0]] = 0
    ranks[order[1:]] = np.cumsum(ordered[1:] != ordered[:-1])
    return ranks
