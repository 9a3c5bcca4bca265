"""What a line, a paragraph, a word, a bullet, a sentence and an n-gram are: the one definition for every rule.

A `TextView` wraps one text; what several rules need is computed at first use and at most once per text. Open
pipelines measure the same sentence of a paper in up to four ways because each rule splits the text for itself.

line         a piece between line feeds, stripped of white space, not empty. Only U+000A ends a line: the steps before
             write nothing else, and an editor can join the pieces again without loss.
paragraph    a piece between blank lines, stripped, not empty; a text without a blank line is one paragraph.
word         a run of characters that are not white space (`str.split`), its punctuation included; the Ethiopic
             wordspace `፡` is white space. Deviation: in scripts written without spaces (transforms.text.scripts)
             every character, with the marks and punctuation after it, is a word; a rule on the length of words does not
             apply there (`unspaced`).
normal word  a word in lower case without the punctuation at its edges; words of punctuation alone vanish. N-grams,
             stop words and lists compare normal words, so that "Buy now!" repeats "buy now".
n-gram       n normal words in a row, line ends ignored.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from schemas.blocks import CODE, FORMULA, PARAGRAPH, TABLE_ROW, UNKNOWN, UNKNOWN_KIND, Blocks
from transforms.text.guess import guess_blocks
from transforms.text.replacements import Replacement, move_blocks, replace
from transforms.text.scripts import SCRIPTS_WITHOUT_SENTENCE_MARKS, UNSPACED, WORD_CHARS, script_of
from transforms.text.sentences import TERMINAL_PUNCTUATION

Ints = npt.NDArray[np.int64]
T = TypeVar("T")
C = TypeVar("C")

_UNSPACED = re.compile(f"[{UNSPACED}]")
# Bytes that begin no unspaced character in UTF-8: a text that has no others left needs no search, which costs ten times
# as much. (E0: Thai, Lao, Tibetan; E1: Burmese, Khmer, Tai; E3 to EA, EF: Kana, Han; F0: rare Han.)
_OTHER_BYTES = bytes(byte for byte in range(256) if byte not in (0xE0, 0xE1, *range(0xE3, 0xEB), 0xEF, 0xF0))
_WORDSPACE = "፡"  # Ethiopic; two of them, `፡፡`, are a full stop
_MIXED_WORD = re.compile(rf"[{UNSPACED}][^\w\s{_WORDSPACE}]*|[^\s{_WORDSPACE}{UNSPACED}]+")

_EDGE_PUNCTUATION = (
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    "¡§«¶·»¿‐‑‒–—―‘’‚‛“”„‟†‡•‣…‹›‼⁇⁈⁉"
    "、。〃〈〉《》「」『』【】〔〕〖〗〜・！＂＃％＆＇（）＊，－．／：；？＠［］｛｝｡｢｣､･～"
    "،؛؟٪٫٬۔।॥။၊។៕๏๚๛༎།։՞׃־።፣፤፥፧"
)

# Between dollar signs is mathematics if it has a sign of it, or is a name of up to three letters: "$5 and $10" is not.
_INLINE_MATH = re.compile(
    r"\$\$[^$]+\$\$"
    r"|\$(?! )(?:[^$\n]{0,400}?[\\^_={}<>+][^$\n]{0,400}?|[A-Za-z]{1,3}'?)(?<! )\$|\\\((?:(?!\\\().){1,400}?\\\)"
)
_BLANK_LINE = re.compile(r"\n\s*\n")


def has_unspaced(text: str) -> bool:
    """Say whether `text` has a character of a script written without spaces."""
    if text.isascii() or not text.encode("utf-8", "surrogatepass").translate(None, _OTHER_BYTES):
        return False
    return _UNSPACED.search(text) is not None


def split_words(text: str) -> list[str]:
    """Return the words of `text` as they are written, in order."""
    return _split(text, has_unspaced(text))


def _split(text: str, unspaced: bool) -> list[str]:
    if unspaced:
        return _MIXED_WORD.findall(text)
    return (text.replace(_WORDSPACE, " ") if _WORDSPACE in text else text).split()


def normal_words(lower: str) -> list[str]:
    """Return the normal words of a text that is already in lower case."""
    return list(filter(None, map(_bare, split_words(lower))))


def _bare(word: str) -> str:
    return word if word.isalnum() else word.strip(_EDGE_PUNCTUATION)


def ratio(part: float, whole: float) -> float:
    """Return part / whole; 0 where there is nothing to divide by."""
    return part / whole if whole else 0.0


class _Told(NamedTuple):
    """The words of a text in small letters, told apart."""

    vocabulary: dict[str, int]  # of normal words
    ids: Ints  # of normal words
    n_words: int
    n_chars: int


class TextView:
    """One text and what the rules measure it by; each attribute is computed at first use."""

    __slots__ = ("__dict__", "blocks", "language", "text")

    def __init__(self, text: str, language: str = "", blocks: Blocks = UNKNOWN) -> None:
        self.text = text
        self.language = language
        self.blocks = blocks

    def once(self, find: Callable[[TextView, C], T], config: C) -> T:
        """Return `find(self, config)`, found once for each text: what a rule's filter and its editor both look at."""
        known = self.__dict__.get(find.__qualname__)
        if known is None or known[0] is not config:
            known = self.__dict__[find.__qualname__] = (config, find(self, config))
        found: T = known[1]
        return found

    @functools.cached_property
    def lower(self) -> str:
        """The text in lower case."""
        return self.text.lower()

    @functools.cached_property
    def lines(self) -> list[str]:
        """Lines, stripped; empty ones left out."""
        return list(filter(None, map(str.strip, self.text.split("\n"))))

    @functools.cached_property
    def known_blocks(self) -> Blocks:
        """The blocks that the extractor saw, or a guess from the text where there was none (transforms.text.guess)."""
        return self.blocks if len(self.blocks) else guess_blocks(self.text)

    @functools.cached_property
    def kinds_of_raw_lines(self) -> list[int]:
        """Of each piece between line feeds, what block it is in (schemas.blocks.HEADING...), or UNKNOWN_KIND."""
        blocks = self.known_blocks
        raw = self.text.split("\n")
        sizes = np.fromiter(map(len, raw), np.int64, len(raw))
        ends = np.cumsum(sizes + 1) - 1
        starts = ends - sizes
        at = np.searchsorted(blocks.ends, starts, side="right")  # the first block that ends after the line starts
        kinds = np.append(blocks.kinds, UNKNOWN_KIND)[at]
        kinds[np.append(blocks.starts, len(self.text))[at] >= ends] = UNKNOWN_KIND
        found: list[int] = kinds.tolist()
        return found

    @functools.cached_property
    def kinds_of_lines(self) -> list[int]:
        """Of each of `lines`, what block it is in (schemas.blocks.HEADING...), or UNKNOWN_KIND."""
        return list(itertools.compress(self.kinds_of_raw_lines, map(str.strip, self.text.split("\n"))))

    @functools.cached_property
    def _kinds(self) -> frozenset[int]:
        return frozenset(self.known_blocks.kinds.tolist())

    def lines_of(self, *kinds: int) -> list[str]:
        """Return the lines in blocks of some kinds."""
        if self._kinds.isdisjoint(kinds):
            return []
        return [line for line, kind in zip(self.lines, self.kinds_of_lines, strict=True) if kind in kinds]

    @functools.cached_property
    def wrapped(self) -> list[tuple[int, str]]:
        """The lines of paragraphs, those that were wrapped in one, each with the number of pieces it was in.

        A line goes on with the next where that begins with a small letter and this one does not end in a mark.
        """
        found: list[list[str]] = []
        opened = False
        for raw, kind in zip(self.text.split("\n"), self.kinds_of_raw_lines, strict=True):
            line = raw.strip()
            if kind != PARAGRAPH or not line:
                opened = False
            elif opened and line[0].islower() and not found[-1][-1].endswith(TERMINAL_PUNCTUATION):
                found[-1].append(line)
            else:
                found.append([line])
                opened = True
        return [(1, line[0]) if len(line) == 1 else (len(line), " ".join(line)) for line in found]

    @functools.cached_property
    def prose(self) -> list[str]:
        """The lines of paragraphs, those that were wrapped in one: what rules about sentences are about."""
        return [line for _, line in self.wrapped]

    @functools.cached_property
    def as_prose(self) -> TextView:
        """The same text as if all of it were one paragraph: what rules saw before they knew blocks."""
        view = TextView(self.text, self.language, Blocks.of([(PARAGRAPH, 0, len(self.text))]))
        view.wrapped = [(1, line) for line in view.lines]  # as they are
        return view

    @functools.cached_property
    def without_code(self) -> TextView:
        """The same text without its blocks of code: what rules about repetition are about."""
        return self._without((CODE,))

    @functools.cached_property
    def in_words(self) -> TextView:
        """The same text without code, mathematics and table rows: what rules about the shape of words are about."""
        has_math = "$" in self.text or "\\(" in self.text
        mathematics = [match.span() for match in _INLINE_MATH.finditer(self.text)] if has_math else []
        return self._without((CODE, FORMULA, TABLE_ROW), mathematics)

    def _without(self, kinds: Sequence[int], spans: Sequence[tuple[int, int]] = ()) -> TextView:
        if self._kinds.isdisjoint(kinds) and not spans:
            return self
        blocks = self.known_blocks
        goes = np.isin(blocks.kinds, kinds)
        cuts = sorted([*zip(blocks.starts[goes].tolist(), blocks.ends[goes].tolist(), strict=True), *spans])
        gone: list[Replacement] = []
        for start, end in cuts:
            if not gone or start >= gone[-1][1]:  # a formula inside a block that goes is gone with it
                gone.append((start, end, ""))
        return TextView(replace(self.text, gone), self.language, move_blocks(blocks, gone))

    @functools.cached_property
    def paragraphs(self) -> list[str]:
        """Paragraphs, stripped; empty ones left out."""
        return list(filter(None, map(str.strip, _BLANK_LINE.split(self.text))))

    @functools.cached_property
    def words(self) -> list[str]:
        """Words as they are written."""
        return _split(self.text, self.has_unspaced)

    @functools.cached_property
    def has_unspaced(self) -> bool:
        """Whether any character is of a script written without spaces."""
        return has_unspaced(self.text)

    @functools.cached_property
    def n_words(self) -> int:
        """Words. Where those in small letters were told apart, which are as many, they are not split again."""
        return self._told.n_words if "_told" in self.__dict__ else len(self.words)

    @functools.cached_property
    def n_word_chars(self) -> int:
        """Characters of all words: those of the text that are not white space."""
        if "_told" in self.__dict__ and len(self.lower) == len(self.text):  # no letter became two
            return self._told.n_chars
        return sum(map(len, self.words))

    @functools.cached_property
    def unspaced(self) -> bool:
        """Whether over half of the words are characters of a script written without spaces."""
        return self.has_unspaced and 2 * len(_UNSPACED.findall(self.text)) > self.n_words

    @functools.cached_property
    def script(self) -> str:
        """ISO 15924 code of the script that most letters are in; '' for a text without letters."""
        return script_of(self.text)

    @property
    def is_english(self) -> bool:
        """Whether rules take it as English: so is a text of unknown language ('') in Latin letters or without any."""
        return self.language == "en" or (not self.language and self.script in ("Latn", ""))

    @property
    def has_sentence_marks(self) -> bool:
        """Whether its script ends sentences by a mark."""
        return not self.has_unspaced or self.script not in SCRIPTS_WITHOUT_SENTENCE_MARKS

    @property
    def stretch(self) -> int:
        """Words of an unspaced text, which are characters, that say as much as one word of English."""
        return WORD_CHARS.get(self.script, 1) if self.unspaced else 1

    @functools.cached_property
    def normal_words(self) -> list[str]:
        """Normal words: lower case, no punctuation at the edges."""
        return normal_words(self.lower)

    @functools.cached_property
    def _told(self) -> _Told:
        # Words as they are written first: of those there are half as many distinct ones, and only they are stripped.
        spelled: defaultdict[str, int] = defaultdict(itertools.count().__next__)
        words = _split(self.lower, self.has_unspaced)
        ids = np.fromiter(map(spelled.__getitem__, words), np.int64, len(words))
        vocabulary: dict[str, int] = {}
        number_of = vocabulary.setdefault
        normal = np.array([number_of(word, len(vocabulary)) if word else -1 for word in map(_bare, spelled)], np.int64)
        ids = normal[ids]
        return _Told(vocabulary, ids[ids >= 0], len(words), len("".join(words)))

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """Distinct normal words in order of first appearance, each with its id: 0, 1, ..."""
        return self._told.vocabulary

    @property
    def word_ids(self) -> Ints:
        """Id of each normal word. Two ids are equal exactly when the words are: no hash, no false match."""
        return self._told.ids

    @functools.cached_property
    def has_letter(self) -> npt.NDArray[np.bool_]:
        """Whether each distinct normal word has a letter, by id."""
        return np.fromiter((word.isalpha() or any(map(str.isalpha, word)) for word in self.vocabulary), np.bool_)

    @functools.cached_property
    def word_counts(self) -> Ints:
        """Occurrences of each distinct normal word, by id."""
        return np.bincount(self.word_ids, minlength=len(self.vocabulary)).astype(np.int64, copy=False)

    @functools.cached_property
    def word_chars(self) -> Ints:
        """Characters of each normal word, in order of the text."""
        vocabulary = self.vocabulary
        return np.fromiter(map(len, vocabulary), np.int64, len(vocabulary))[self.word_ids]
