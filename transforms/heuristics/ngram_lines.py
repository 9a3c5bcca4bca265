"""Lines that repeat themselves: logs, error messages, strings of keywords, variants of one product.

Source: Llama 3 report, arXiv:2407.21783, section 3.1.1: "duplicated n-gram coverage ratio (Rae et al., 2021) to remove
lines that consist of repeated content such as logging or error messages. Those could be very long and unique, hence
cannot be filtered by line-dedup". The report gives no numbers; open systems drop documents by it (repetition.py), none
lines. What we take it for:

repeated_ngrams   a line of 20 words or more whose own n-grams repeat: of n = 5 to 10, the share of its characters in
                  n-grams that occurred in it before is over the limit of that n
repeated_pattern  four lines or more in a row, each of which begins and ends like the one before (half of the words
                  of the longer one together), that as one are over such a limit

 1. Words are normal words (transforms.text.view) with every digit read as 0, as CCNet does before it compares lines:
    what changes in a log is its times and numbers. An n-gram without any letter does not count: rows of figures are no
    repetition. In scripts written without spaces lines and n-grams are longer by `TextView.stretch`.
 2. The first occurrence does not count (datatrove; Gopher's text counts it): a line that says everything twice has
    something to say. With the first occurrence and Gopher's limits (0.15 for n = 5, ..., 0.10 for n = 10) 206 lines of
    1,591 pages would go; nearly all are good sentences ("about 3 in 10 say ... about 2 in 10 say"). See LOG.md.
 3. In a line more than 70% of whose words, or of their characters, are new there, no n-grams are counted: it could
    hardly be over a limit, and most lines are such.
 4. A line is one of a paragraph (`by_blocks`); one that was wrapped is one. Code is left alone unless `code` is set,
    list items, table rows, headings and quotations always: training plans and price lists repeat by nature.

In: TextView. Out: Edit, which takes lines away. Order: after the rules on repetition in documents: a page of little
else would pass them without its worst line. Cost: one pass over the lines, O(words).
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from schemas.blocks import CODE, PARAGRAPH
from schemas.settings import setting, validate
from transforms.heuristics.repetition import DUPLICATE_NGRAMS, after_first, covered_words, repeated_ngrams
from transforms.step import Edit
from transforms.text.replacements import explained_lines
from transforms.text.view import Ints, TextView, normal_words, split_words

LINE, PATTERN = "repeated_ngrams", "repeated_pattern"
_SAME_CHARS = 3  # at the beginning or the end of lines of one pattern
MAX_NEW_FRACTION = 0.7  # of the words of a line, and of their characters, for n-grams to be counted there


@dataclass(frozen=True, kw_only=True)
class NgramLinesConfig:
    """Limits of what is kept, inclusive; all but the 20 words are ours. Shares are 0 to 1."""

    by_blocks: bool = setting(True, "judge paragraphs alone; false: every line")
    code: bool = setting(False, "judge the lines of code blocks, too")
    min_words: int = setting(20, "words of a line, or of lines in a row, that are judged", ge=1)
    min_pattern_lines: int = setting(4, "lines in a row that may be of one pattern", ge=2)
    max_repeated_5_gram_fraction: float = setting(
        0.70, "share of a line's characters in 5-grams that it had before", ge=0, le=1
    )
    max_repeated_6_gram_fraction: float = setting(0.66, "the same of 6-grams", ge=0, le=1)
    max_repeated_7_gram_fraction: float = setting(0.62, "the same of 7-grams", ge=0, le=1)
    max_repeated_8_gram_fraction: float = setting(0.58, "the same of 8-grams", ge=0, le=1)
    max_repeated_9_gram_fraction: float = setting(0.54, "the same of 9-grams", ge=0, le=1)
    max_repeated_10_gram_fraction: float = setting(0.50, "the same of 10-grams", ge=0, le=1)

    def __post_init__(self) -> None:
        validate(self)

    @property
    def limits(self) -> dict[int, float]:
        """The limit of each n."""
        return {n: getattr(self, f"max_repeated_{n}_gram_fraction") for n in DUPLICATE_NGRAMS}


# A line that is judged: the number of its first piece between line feeds, that of the piece behind its last, and its
# text, in small letters, every digit 0. A plain tuple: there are forty on a page.
_Line: TypeAlias = tuple[int, int, str]


def edit(view: TextView, config: NgramLinesConfig) -> Edit:
    """Take away lines that repeat themselves; counts are the lines by reason."""
    judged, stretch = view if config.by_blocks else view.as_prose, view.stretch
    least = config.min_words * stretch
    shortest = least if view.has_unspaced else 2 * least - 1  # characters: blanks are between words
    found: dict[int, str] = {}  # the pieces that go, by number, with their reasons
    counts: Counter[str] = Counter()
    for lines in _lines_in_a_row(judged, config.code):
        for run in _runs(lines, config.min_pattern_lines):
            if repeats(" ".join(text for _, _, text in run), config, stretch):
                counts[PATTERN] += len(run)
                found.update((piece, PATTERN) for start, end, _ in run for piece in range(start, end))
        for start, end, text in lines:
            if len(text) < shortest or not _repeats_words(text, least, not view.has_unspaced):
                continue
            if start not in found and repeats(text, config, stretch):
                counts[LINE] += 1
                found.update(dict.fromkeys(range(start, end), LINE))
    if not found:
        return Edit()
    raw = view.text.split("\n")
    left = [None if number in found else piece for number, piece in enumerate(raw)]
    replaced, reasons = explained_lines(view.text, left, [found.get(number, "") for number in range(len(raw))])
    return Edit(replaced, counts, [reason or "white_space" for reason in reasons])


def repeats(text: str, config: NgramLinesConfig, stretch: int = 1) -> bool:
    """Say whether a line, or several as one, is over the limit of any n; `text` is in small letters, its digits 0."""
    words = normal_words(text)
    if len(words) < config.min_words * stretch:
        return False
    limits = config.limits
    new, every = sum(map(len, set(words))), sum(map(len, words))  # a new word is in no n-gram that occurred before
    if every - new <= min(limits.values()) * every:
        return False
    return any(share > limits[n] for n, share in repeated_shares(words, stretch).items())


def repeated_shares(words: Sequence[str], stretch: int = 1) -> dict[int, float]:
    """Return for n = 5 to 10 the share of the characters in n-grams that occurred before; shares of 0 are left out.

    An n-gram is `stretch` times n words long, and does not count without a letter.
    """
    numbers: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    ids: Ints = np.fromiter(map(numbers.__getitem__, words), np.int64, len(words))
    chars: Ints = np.fromiter(map(len, words), np.int64, len(words))
    lettered = np.array([any(map(str.isalpha, word)) for word in numbers], np.int64)[ids]
    letters_before: Ints = np.concatenate(([0], np.cumsum(lettered)))
    shares: dict[int, float] = {}
    for length, starts, ranks in repeated_ngrams(ids, stretch * max(DUPLICATE_NGRAMS)):
        n, rest = divmod(length, stretch)
        if rest or n not in DUPLICATE_NGRAMS:
            continue
        later = after_first(ranks) & (letters_before[starts + length] > letters_before[starts])
        if later.any():
            shares[n] = int(chars[covered_words(len(ids), starts[later], length)].sum()) / int(chars.sum())
    return shares


def _lines_in_a_row(view: TextView, code: bool) -> Iterator[list[_Line]]:
    """Yield the lines that are judged, as lists of those between which there is nothing else."""
    pieces = list(map(str.strip, _fold(view.lower).split("\n")))
    sizes = (n_pieces for n_pieces, _ in view.wrapped)
    block: list[_Line] = []
    after = 0  # the first piece behind the last line
    for number, (piece, kind) in enumerate(zip(pieces, view.kinds_of_raw_lines, strict=True)):
        if not piece or number < after:
            continue
        if kind != PARAGRAPH and not (code and kind == CODE):
            if block:
                yield block
                block = []
            continue
        after = number + (next(sizes) if kind == PARAGRAPH else 1)
        block.append((number, after, piece if after == number + 1 else " ".join(pieces[number:after])))
    if block:
        yield block


def _runs(lines: Sequence[_Line], least: int) -> Iterator[Sequence[_Line]]:
    """Yield the lines in a row, `least` or more, of which each is like the one before."""
    if len(lines) < least:
        return
    texts = [text for _, _, text in lines]
    start = 0
    for end, (one, other) in enumerate(itertools.pairwise([*texts, ""]), 1):
        ends_alike = one[:_SAME_CHARS] == other[:_SAME_CHARS] or one[-_SAME_CHARS:] == other[-_SAME_CHARS:]
        if not ends_alike or end == len(lines) or not _are_alike(one, other):  # most lines end differently
            if end - start >= least:
                yield lines[start:end]
            start = end


def _are_alike(one: str, other: str) -> bool:
    """Say whether two lines begin and end with the same words, half of those of the longer one together."""
    words, others = split_words(one), split_words(other)
    n_same = _n_same(words, others)
    if n_same < min(len(words), len(others)):
        n_same += _n_same(words[n_same:][::-1], others[n_same:][::-1])
    return 2 * n_same >= max(len(words), len(others))


def _repeats_words(text: str, least: int, spaced: bool) -> bool:
    """Say whether a line is of `least` words and enough of them, and of their characters, are not new."""
    words = text.split() if spaced else split_words(text)
    if len(words) < least:
        return False
    distinct = set(words)
    if len(distinct) > MAX_NEW_FRACTION * len(words):
        return False
    return sum(map(len, distinct)) <= MAX_NEW_FRACTION * sum(map(len, words))


def _n_same(words: Sequence[str], others: Sequence[str]) -> int:
    """Return with how many words both begin."""
    pairs = enumerate(zip(words, others, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(words), len(others)))


def _fold(text: str) -> str:
    """Return a text with every digit as 0."""
    for digit in "123456789":
        text = text.replace(digit, "0")
    return text
