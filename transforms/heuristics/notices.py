"""How far a text is a notice or a form: the measures of junk.py that go by sentences, in eleven languages.

A page that only says that something is missing and a text about such pages use the same words. What tells them apart:
the page's first lines hold the whole sentence, it speaks to the reader, and there is hardly any prose besides. So the
headline, the labels of a form and the sentences to the reader are told apart from the other prose, whose words are
counted.

The expressions are those of the document's language; a document of unknown language is tried by all of its script.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.blocks import CODE, LIST_ITEM, QUOTATION
from transforms.heuristics.notice_phrases.row import Row
from transforms.heuristics.notice_phrases.table import HTTP_ERROR, ROWS, SERVER_ERRORS
from transforms.text.scripts import UNDETERMINED
from transforms.text.sentences import ends_with_terminal
from transforms.text.view import TextView, ratio, split_words

ERROR, PARKED, NO_RESULTS = "error", "parked", "no_results"

_FIRST_LINES = 3
_HEADLINE_CHARS = 300  # of a line, in which a headline is looked for
_LABEL_CHARS = 100  # longest line that may be labels of a form
_SPEECH = re.compile('[,!?][”"»]')  # “Page not found,” said the screen
_SENTENCE_BREAK = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class _Phrases:
    """A row of the table, compiled."""

    signs: Sequence[str]
    password: Sequence[str]
    reader: re.Pattern[str]
    consent: re.Pattern[str]
    buttons: re.Pattern[str]
    headlines: Mapping[str, re.Pattern[str]]
    advice: re.Pattern[str]
    label: re.Pattern[str]
    label_line: re.Pattern[str]


def notice_of(view: TextView) -> str:
    """Return what the first lines announce: ERROR, PARKED, NO_RESULTS or ''."""
    heads = [
        sentence
        for line in view.lines[:_FIRST_LINES]
        for sentence in _sentences(line[:_HEADLINE_CHARS].lower())
        if not _SPEECH.search(sentence)
    ]
    for head in heads:
        for phrases in _phrases_for(view):
            for notice, pattern in phrases.headlines.items():
                if pattern.fullmatch(head):
                    return notice
    return ""


def count_labels(view: TextView) -> int:
    """Count the different labels of a form in the lines that have nothing else; 0 where no password is spoken of."""
    labels: set[str] = set()
    for phrases in _phrases_for(view):
        if not _has_any(view.lower, phrases.password):
            continue
        for line in view.lines:
            if len(line) <= _LABEL_CHARS and phrases.label_line.fullmatch(lower := line.lower()):
                labels.update(match[0] for match in phrases.label.finditer(lower))
    return len(labels)


def count_other_words(view: TextView) -> int:
    """Count the words of the sentences that neither announce something nor tell the reader what to do about it."""
    known = _phrases_for(view)
    n_words = 0
    for line in (*view.prose, *view.lines_of(LIST_ITEM, QUOTATION)):
        for sentence in _sentences(line):
            if ends_with_terminal(sentence) and not any(_is_notice(sentence.lower(), phrases) for phrases in known):
                n_words += len(split_words(sentence))
    return n_words // view.stretch


def consent_fraction(view: TextView) -> float:
    """Return the share of the characters that are in sentences of a site about its cookies and the reader's consent."""
    known = [phrases for phrases in _phrases_for(view) if _has_any(view.lower, phrases.signs)]
    if not known:
        return 0.0
    n_chars = n_consent = 0
    for line, kind in zip(view.lines, view.kinds_of_lines, strict=True):
        if kind == CODE:
            continue
        for sentence in _sentences(line.lower()):
            n_chars += len(sentence)
            if any(_is_consent(sentence, phrases) for phrases in known):
                n_consent += len(sentence)
    return ratio(n_consent, n_chars)


def _is_notice(sentence: str, phrases: _Phrases) -> bool:
    return (
        phrases.advice.search(sentence) is not None
        or phrases.label_line.fullmatch(sentence[:_LABEL_CHARS]) is not None
        or any(pattern.fullmatch(sentence) for pattern in phrases.headlines.values())
    )


def _is_consent(sentence: str, phrases: _Phrases) -> bool:
    if phrases.buttons.fullmatch(sentence):
        return True
    return phrases.reader.search(sentence) is not None and phrases.consent.search(sentence) is not None


def _sentences(line: str) -> Iterator[str]:
    return filter(None, _SENTENCE_BREAK.split(line))


def _has_any(lower: str, signs: Sequence[str]) -> bool:
    return any(sign in lower for sign in signs)


def _phrases_for(view: TextView) -> Sequence[_Phrases]:
    language = view.language
    if language in ROWS:
        return (_phrases(language),)
    return _phrases_of_script(view.script) if language in ("", UNDETERMINED) else ()


@functools.cache
def _phrases_of_script(script: str) -> Sequence[_Phrases]:
    return tuple(_phrases(language) for language, row in ROWS.items() if row.script == script)


@functools.cache
def _phrases(language: str) -> _Phrases:
    row: Row = ROWS[language]
    return _Phrases(
        signs=row.signs,
        password=row.password,
        reader=re.compile(row.reader),
        consent=_any_of(row.consent),
        buttons=re.compile(rf"\W*(?:{'|'.join(row.buttons)})\W*"),
        headlines={
            PARKED: _headline(row.parked),
            NO_RESULTS: _headline(row.no_results),
            ERROR: _headline((HTTP_ERROR, *SERVER_ERRORS, *row.error)),  # the most general last: "sorry, nothing found"
        },
        advice=_any_of(row.advice),
        label=_any_of(row.labels),
        label_line=re.compile(rf"[^\w]*(?:(?:{'|'.join(row.labels)})(?!\w)\W*)+"),
    )


def _any_of(alternatives: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(alternatives))


def _headline(alternatives: Sequence[str]) -> re.Pattern[str]:
    """Match the whole of a sentence, be it a title with the name of the site behind it."""
    before = rf"[^\w($€£+#-]*(?:(?:oops|error|sorry|{HTTP_ERROR})\W+)?"
    return re.compile(rf"{before}(?:{'|'.join(alternatives)})[^\w(]*(?:[|–—·-]\s?.{{1,60}})?")
