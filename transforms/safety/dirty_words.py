"""Dirty words: how often a text uses the words of a list, by language.

Source: Llama 3 report, arXiv:2407.21783, section 3.1.1, "dirty word counting" (after Raffel et al. 2020) "to filter out
adult websites that are not covered by domain block lists"; limits are not disclosed. Counted as RedPajama-v2 counts
`rps_doc_ldnoobw_words`: occurrences, not presence, of entries among the n-grams of normal words. Lists are in
LDNOOBW's format: one file a language, named by its code, one entry a line.

Interpretations and deviations:
 1. An entry is matched as whole normal words in a row; an entry inside another one counts too ("a b" and "b").
 2. In languages written without spaces (C4: ja, th, zh) an entry in the language's script is matched anywhere, longest
    first and without overlap, because nothing separates words there. Entries in Latin letters are matched as words: C4
    finds "sm" in "small".
 3. C4's allow list holds for ja and zh, one word of ours for fa. Entries without a letter ("13.") are ignored: they
    match numbers.
 4. A document is dropped only when both its count and its rate are too high, so that neither a long article that quotes
    a few nor a short one with a single hit is lost. A text of unknown language ('') is compared with the English list;
    in a language without a list the count is 0.
 5. A document is dropped only when some entry is none of `PLAIN`, or in disguise (transforms.safety.disguise): news of
    crimes and medical texts have many of the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import storage
from schemas.errors import ConfigError, InputError
from schemas.records import Document
from schemas.settings import setting, validate
from transforms.safety.disguise import plain_forms
from transforms.settings_read import fields_but
from transforms.step import Draft, Drop
from transforms.text.scripts import UNSPACED_LANGUAGES
from transforms.text.view import TextView, has_unspaced, normal_words

# C4: common as parts of other words; each would remove over 10% of the documents of its language.
# Persian's is also "person": 30 times in the Universal Declaration.
ALLOWED = {"ja": frozenset({"sm", "グロ", "女の子"}), "zh": frozenset({"性"}), "fa": frozenset({"کس"})}

# Entries that news, medicine, law and history use: a document that has no other entry is kept.
PLAIN = {
    "en": frozenset((
        "anal", "anus", "bondage", "cialis", "clitoris", "domination", "ejaculation", "erotic", "escort", "eunuch",
        "fecal", "genitals", "homoerotic", "incest", "intercourse", "masturbation", "negro", "neonazi", "nipple",
        "nipples", "nude", "nudity", "orgasm", "paedophile", "pedophile", "penis", "pornography", "rape", "raping",
        "rapist", "rectum", "semen", "sex", "sexual", "sexuality", "sexually", "sodomy", "swastika", "vagina", "viagra",
        "vulva",
    )),
}  # fmt: skip

LIST_NAME = re.compile(r"[a-z]{2,3}(-[\w-]+)?")


@dataclass(frozen=True, kw_only=True)
class DirtyWordsConfig:
    """Where the lists are, and the limits: a document goes when it exceeds both."""

    directory: str = setting("", "directory of lists, one file a language, named by its code; '' measures zeros")
    max_count: int = setting(2, "occurrences any document may have", ge=0)
    keep_plain: bool = setting(True, "keep a document whose entries are all such that news and medicine use (en)")
    disguised: bool = setting(True, "count entries in disguise (sh1t, Cyrillic letters among Latin ones), too")
    max_rate: float = setting(0.005, "occurrences per word that a document above max_count may have", ge=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirtyWordsStats:
    """Occurrences of the list's entries, as they are written and in disguise, and their number per normal word."""

    n_dirty_words: int = 0
    n_explicit_words: int = 0  # of these, what news, medicine and law do not use
    dirty_words_per_word: float = 0.0
    n_disguised_words: int = 0  # none of them is among n_dirty_words
    disguised_words_per_word: float = 0.0


class _List:
    """The entries of one language, ready to be counted."""

    def __init__(self, language: str, entries: Iterable[str]) -> None:
        self.words: list[str] = []
        self.phrases: list[tuple[str, ...]] = []
        anywhere: list[str] = []
        wanted = {entry.strip().lower() for entry in entries} - ALLOWED.get(language, frozenset())
        normal: set[tuple[str, ...]] = set()
        for entry in sorted(wanted):
            if language in UNSPACED_LANGUAGES and has_unspaced(entry):
                anywhere.append(entry)
            elif any(map(str.isalpha, entry)):
                normal.add(tuple(normal_words(entry)))
        for words in sorted(normal):
            if len(words) == 1:
                self.words.append(words[0])
            elif words:
                self.phrases.append(words)
        self.entries = frozenset(self.words)
        self.plain = sorted(PLAIN.get(language, frozenset()) & self.entries)
        anywhere.sort(key=lambda entry: (-len(entry), entry))
        self.anywhere = re.compile("|".join(map(re.escape, anywhere))) if anywhere else None

    def count_disguised(self, view: TextView) -> int:
        """Count the words that are an entry of one word in disguise (transforms.safety.disguise)."""
        ids = [
            number
            for word, number in view.vocabulary.items()
            if not (word.isascii() and word.isalpha()) and word not in self.entries
            if any(form in self.entries for form in plain_forms(word))
        ]
        return int(view.word_counts[ids].sum()) if ids else 0

    def count(self, view: TextView) -> tuple[int, int]:
        """Count the occurrences of all entries, and of those that are not plain."""
        vocabulary = view.vocabulary
        ids = [vocabulary[word] for word in self.words if word in vocabulary]
        count = int(view.word_counts[ids].sum()) if ids else 0
        plain_ids = [vocabulary[word] for word in self.plain if word in vocabulary]
        plain = int(view.word_counts[plain_ids].sum()) if plain_ids else 0
        for phrase in self.phrases:
            if phrase[0] in vocabulary and all(word in vocabulary for word in phrase):
                count += _count_phrase(view, phrase)
        if self.anywhere is not None:
            count += len(self.anywhere.findall(view.lower))
        return count, count - plain


class DirtyWords:
    """Lists of dirty words by language."""

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        self._lists = {language: _List(language, entries) for language, entries in lists.items()}

    def measure(self, view: TextView) -> DirtyWordsStats:
        """Count the entries of the list of the text's language."""
        entries = self._lists.get(view.language or "en")
        n_words = len(view.normal_words) if entries else 0
        if entries is None or not n_words:
            return DirtyWordsStats()
        count, explicit = entries.count(view)
        disguised = entries.count_disguised(view)
        return DirtyWordsStats(
            n_dirty_words=count,
            n_explicit_words=explicit,
            dirty_words_per_word=count / n_words,
            n_disguised_words=disguised,
            disguised_words_per_word=disguised / n_words,
        )


def decide(stats: DirtyWordsStats, config: DirtyWordsConfig) -> Drop | None:
    """Return why the document must go: more than `max_count`, and at more than `max_rate`, some of them explicit."""
    count, rate, explicit = stats.n_dirty_words, stats.dirty_words_per_word, stats.n_explicit_words
    if config.disguised:
        count, rate = count + stats.n_disguised_words, rate + stats.disguised_words_per_word
        explicit += stats.n_disguised_words
    if config.keep_plain and not explicit:
        return None
    if count > config.max_count and rate > config.max_rate:
        return Drop("too_many_dirty_words", rate, config.max_rate)
    return None


class FilterDirtyWords:
    """The step: `transforms.step.Step`. The lists are read in `open`, once in each worker."""

    stats: type | None = DirtyWordsStats
    measured_with = fields_but(DirtyWordsConfig, "max_count", "max_rate", "keep_plain", "disguised")

    def __init__(self, config: DirtyWordsConfig, name: str = "dirty_words") -> None:
        self.name = name
        self.settings = config
        self._dirty_words = DirtyWords({})

    def __reduce__(self) -> tuple[type[FilterDirtyWords], tuple[DirtyWordsConfig, str]]:
        return FilterDirtyWords, (self.settings, self.name)  # a step is pickled without its lists

    @property
    def resources(self) -> Sequence[str]:
        return storage.files_below(self.settings.directory)

    def open(self) -> None:
        """Read the lists; raise ConfigError when there are none."""
        if self.settings.directory:
            self._dirty_words = DirtyWords(read_lists(self.settings.directory))

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            stats = self._dirty_words.measure(draft.view)
            draft.measures[self.name] = stats
            draft.drop = decide(stats, self.settings)

    def redecide(self, stats: DirtyWordsStats, document: Document, script: str) -> Drop | None:
        return decide(stats, self.settings)


def parse_list(text: str) -> list[str]:
    """Return the entries of a list: its lines, stripped, without empty ones."""
    return list(filter(None, map(str.strip, text.splitlines())))


def read_lists(directory: str, name: str = "dirty_words.directory") -> dict[str, list[str]]:
    """Read every file of `directory` that is named by a language code (en, fil, fr-CA); ignore the others.

    Raises ConfigError, which names the setting `name`, when it cannot be read or has none.
    """
    place = storage.with_home(directory)
    try:
        files = [file for file in storage.list_names(place) if LIST_NAME.fullmatch(file)]
        lists = {file: parse_list(storage.read_bytes(storage.join(place, file)).decode()) for file in files}
    except (OSError, InputError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: {directory!r} cannot be read: {error}") from None
    if not lists:
        if not storage.exists(place):
            raise ConfigError(f"{name}: {directory!r} does not exist")
        raise ConfigError(f"{name}: {directory!r} has no list; expected files named en, de, fr, ...")
    return lists


def _count_phrase(view: TextView, phrase: tuple[str, ...]) -> int:
    """Count the places where the words of `phrase`, all in the vocabulary, follow each other."""
    ids, vocabulary = view.word_ids, view.vocabulary
    starts = np.flatnonzero(ids == vocabulary[phrase[0]])
    for offset, word in enumerate(phrase[1:], start=1):
        starts = starts[starts + offset < len(ids)]
        starts = starts[ids[starts + offset] == vocabulary[word]]
    return len(starts)
