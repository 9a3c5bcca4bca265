"""RedPajama-v2's quality signals of a text, by the rules of its code and under its names.

Source: togethercomputer/RedPajama-Data, `app/src/core/quality_signals` (commit 855a8e0); Weber et al. 2024,
arXiv:2411.12372. Rounded to 8 digits, as there. Which of its 46 signals these are, what the others are here, and each
deviation: docs/redpajama.md. Three of its notions, none of which other rules here have (transforms.text.view):

raw word         a run of word characters, or of others that are not white space: NLTK's WordPunctTokenizer
normal word      a piece between white space of the text without ASCII punctuation, in small letters, in NFD
line             a piece up to and with its line feed; empty ones count

Kept as they are there, odd as they look: letters are A to Z alone (`frac_no_alph_words` of Russian is 1), an ellipsis
of six full stops counts twice, of equally frequent n-grams the first counts, overlapping copies of a top n-gram can
make more than 1, and list entries with capitals, punctuation or accents (which NFD takes apart) are never found.

In: the text of a document. Out: `RedPajamaStats`. Pure; O(words); about 3 ms of CPU a page.
"""

from __future__ import annotations

import itertools
import re
import string
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from transforms.heuristics.repetition import DUPLICATE_NGRAMS, TOP_NGRAMS, covered_words, repeated_ngrams
from transforms.text.view import Ints

_DIGITS = 8
_RAW_WORD = re.compile(r"\w+|[^\w\s]+")
_SENTENCE = re.compile(r"\b[^.!?]+[.!?]*")
_LATIN_LETTER = re.compile(r"[a-zA-Z]")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ELLIPSES = ("...", "…")
_TERMINAL = (".", "!", "?", "”")
_BULLETS = tuple("\u2022\u2023\u25b6\u25c0\u25e6\u25a0\u25a1\u25aa\u25ab\u2013")
_LOREM_IPSUM = "lorem ipsum"
_JAVASCRIPT = "javascript"

Lines = tuple[float, ...]  # one number for each line of the text


@dataclass(frozen=True, slots=True, kw_only=True)
class RedPajamaStats:
    """The signals of a document; null where there is nothing to divide by, or no list or model."""

    ccnet_length: int  # characters
    ccnet_nlines: int
    ccnet_language_score: float
    ccnet_perplexity: float | None = None
    ccnet_bucket: int | None = None  # 0 head, 1 middle, 2 tail
    rps_doc_ml_wikiref_score: float | None = None
    rps_doc_ml_palm_score: float | None = None
    rps_doc_ml_wikipedia_score: float | None = None
    rps_doc_curly_bracket: float
    rps_doc_frac_all_caps_words: float | None
    rps_doc_frac_lines_end_with_ellipsis: float | None
    rps_doc_frac_no_alph_words: float | None
    rps_doc_lorem_ipsum: float
    rps_doc_mean_word_length: float | None
    rps_doc_stop_word_fraction: float | None
    rps_doc_symbol_to_word_ratio: float | None
    rps_doc_frac_unique_words: float | None
    rps_doc_unigram_entropy: float | None
    rps_doc_word_count: int
    rps_doc_num_sentences: int
    rps_lines_ending_with_terminal_punctution_mark: Lines
    rps_lines_javascript_counts: Lines
    rps_lines_num_words: Lines
    rps_lines_numerical_chars_fraction: Lines
    rps_lines_start_with_bulletpoint: Lines
    rps_lines_uppercase_letter_fraction: Lines
    rps_doc_frac_chars_dupe_5grams: float
    rps_doc_frac_chars_dupe_6grams: float
    rps_doc_frac_chars_dupe_7grams: float
    rps_doc_frac_chars_dupe_8grams: float
    rps_doc_frac_chars_dupe_9grams: float
    rps_doc_frac_chars_dupe_10grams: float
    rps_doc_frac_chars_top_2gram: float
    rps_doc_frac_chars_top_3gram: float
    rps_doc_frac_chars_top_4gram: float
    rps_doc_ldnoobw_words: int | None
    rps_doc_ut1_blacklist: int | None = None


class DirtyWords:
    """A list of dirty words as RedPajama-v2 counts it: entries of n words among the n-grams of normal words."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._words: set[str] = set()
        self._phrases: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)  # by first word
        for entry in set(entries):
            words = tuple(entry.split(" "))
            if len(words) == 1:
                self._words.add(entry)
            else:
                self._phrases[words[0]].append(words)

    def count(self, words: Sequence[str]) -> int:
        """Count the occurrences of all entries; one inside another counts too."""
        found = sum(map(self._words.__contains__, words))
        for at, word in enumerate(words):
            if word in self._phrases:
                found += sum(tuple(words[at : at + len(phrase)]) == phrase for phrase in self._phrases[word])
        return found


def measure(
    text: str,
    *,
    language_score: float = 0.0,
    stop_words: Collection[str] | None = None,
    dirty_words: DirtyWords | None = None,
    **others: Any,
) -> RedPajamaStats:
    """Measure a text. `others` are the signals that no text tells: of models, of lists of domains."""
    raw_words, lines = _RAW_WORD.findall(text), lines_of(text)
    normal = normalise(text)
    words = normal.split()
    return RedPajamaStats(
        ccnet_length=len(text),
        ccnet_nlines=text.count("\n") + 1,
        ccnet_language_score=language_score,
        rps_doc_curly_bracket=_ratio(text.count("{") + text.count("}"), len(text)) or 0.0,
        rps_doc_lorem_ipsum=_ratio(normal.count(_LOREM_IPSUM), len(normal)) or 0.0,
        rps_doc_stop_word_fraction=_stop_word_fraction(raw_words, words, stop_words),
        rps_doc_num_sentences=len(_SENTENCE.findall(text)),
        rps_doc_ldnoobw_words=None if dirty_words is None else dirty_words.count(words),
        **_of_raw_words(text, raw_words, lines),
        **_of_words(words),
        **_of_lines(lines),
        **others,
    )


def normalise(text: str) -> str:
    """Return a text without ASCII punctuation, in small letters, one blank for white space, in NFD."""
    return unicodedata.normalize("NFD", " ".join(text.translate(_NO_PUNCTUATION).lower().split()))


def lines_of(text: str) -> list[str]:
    """Return the lines, each with its line feed."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, _DIGITS) if whole else None


def _stop_word_fraction(
    raw_words: Sequence[str], words: Sequence[str], stop_words: Collection[str] | None
) -> float | None:
    if stop_words is None:
        return None
    return (_ratio(sum(map(stop_words.__contains__, raw_words)), len(raw_words)) or 0.0) if words else 0.0


def _of_raw_words(text: str, raw_words: Sequence[str], lines: Sequence[str]) -> dict[str, Any]:
    n_words = len(raw_words)
    n_letters = sum(_LATIN_LETTER.search(word) is not None for word in raw_words)
    n_ellipses = sum(line.rstrip().endswith(_ELLIPSES) for line in lines)
    n_symbols = text.count("#") + sum(map(text.count, _ELLIPSES))
    return {
        "rps_doc_frac_all_caps_words": _ratio(sum(map(str.isupper, raw_words)), n_words),
        "rps_doc_frac_lines_end_with_ellipsis": _ratio(n_ellipses, len(lines)),
        "rps_doc_frac_no_alph_words": round(1.0 - n_letters / n_words, _DIGITS) if n_words else None,
        "rps_doc_symbol_to_word_ratio": _ratio(n_symbols, n_words),
    }


def _of_words(words: Sequence[str]) -> dict[str, Any]:
    """Return the signals of the normal words."""
    numbers: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    ids: Ints = np.fromiter(map(numbers.__getitem__, words), np.int64, len(words))
    chars: Ints = np.fromiter(map(len, numbers), np.int64, len(numbers))[ids]
    found: dict[str, Any] = {
        "rps_doc_word_count": len(words),
        "rps_doc_mean_word_length": _ratio(int(chars.sum()), len(words)),
        "rps_doc_frac_unique_words": _ratio(len(numbers), len(words)),
        "rps_doc_unigram_entropy": None,
    }
    if words:
        shares = np.bincount(ids) / len(words)
        found["rps_doc_unigram_entropy"] = abs(round(float(-(shares * np.log(shares)).sum()), _DIGITS))  # 0.0, not -0.0
    return found | _of_ngrams(ids, chars)


def _of_ngrams(ids: Ints, chars: Ints) -> dict[str, Any]:
    """Return the shares of the characters in the most frequent and in duplicate n-grams, the first copy counted."""
    found = {f"rps_doc_frac_chars_top_{n}gram": 0.0 for n in TOP_NGRAMS}
    found |= {f"rps_doc_frac_chars_dupe_{n}grams": 0.0 for n in DUPLICATE_NGRAMS}
    total = int(chars.sum())
    for n, starts, ranks in repeated_ngrams(ids, max(DUPLICATE_NGRAMS)):
        if n in TOP_NGRAMS:
            counts = np.bincount(ranks)
            first = int(starts[np.argmax(counts[ranks] == counts.max())])
            share = int(chars[first : first + n].sum()) * int(counts.max()) / total
            found[f"rps_doc_frac_chars_top_{n}gram"] = round(share, _DIGITS)
        elif n in DUPLICATE_NGRAMS:
            share = int(chars[covered_words(len(ids), starts, n)].sum()) / total
            found[f"rps_doc_frac_chars_dupe_{n}grams"] = round(share, _DIGITS)
    return found


def _of_lines(lines: Sequence[str]) -> dict[str, Any]:
    """Return the signals of each line; javascript, words and figures are those of the line in normal form."""
    normal = list(map(normalise, lines))
    words = [line.split() for line in normal]
    return {
        "rps_lines_ending_with_terminal_punctution_mark": tuple(
            float(line.rstrip().endswith(_TERMINAL)) for line in lines
        ),
        "rps_lines_javascript_counts": tuple(float(some.count(_JAVASCRIPT)) for some in words),
        "rps_lines_num_words": tuple(float(len(some)) for some in words),
        "rps_lines_numerical_chars_fraction": tuple(
            _ratio(sum(map(str.isnumeric, line)), len(line)) or 0.0 for line in normal
        ),
        "rps_lines_start_with_bulletpoint": tuple(float(line.lstrip().startswith(_BULLETS)) for line in lines),
        "rps_lines_uppercase_letter_fraction": tuple(
            _ratio(sum(map(str.isupper, line)), len(line)) or 0.0 for line in lines
        ),
    }
