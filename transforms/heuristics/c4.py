"""C4: line rules as an editor, page rules as a filter.

Source: Raffel et al. 2020, JMLR 21(140), section 2.2, and its code (tensorflow_datasets `c4_utils.clean_page`), in the
code's order for each line: too long a word, citation marks, terminal punctuation, number of words, "javascript",
policy notices. Limits are those of the JMLR text and the code: pages of at least 3 sentences, lines of at least 5 words
(the arXiv text, datatrove and so FineWeb: 5 sentences, 3 words).

Deviations:
 1. Terminal punctuation is not required by default: FineWeb found that this rule alone removes 30% of the tokens.
    If it is, the marks are those of `text_stats.TERMINAL_PUNCTUATION`, of all scripts.
 2. The page rules are measured on the edited text, in a step after the editor. The reference code meets "lorem ipsum"
    and "{" line by line, after the line rules. The results differ only for pages with "lorem ipsum" in a line with
    "javascript", or with either of them in a policy notice: such a page loses the line and is kept.
 3. Sentences are counted by our own expression, not punkt, and end with the line (`text_stats.count_sentences`).
 4. A single blank line between paragraphs is kept, and so is indentation; the reference code drops both.
 5. Bad words are a step of their own (dirty_words.py). Longest page, language and deduplication are other steps' work.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from schemas.settings import setting, validate
from transforms.step import Drop, Edit
from transforms.text.replacements import explained_lines
from transforms.text.view import TextView, count_sentences, ends_with_terminal, split_words

_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_POLICY_NOTICES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)


@dataclass(frozen=True, kw_only=True)
class C4Config:
    """Line and page rules; limits of what is kept, inclusive."""

    require_terminal_punctuation: bool = setting(False, "remove lines that do not end a sentence (C4 does)")
    min_line_words: int = setting(5, "words a line must have (C4: 5; datatrove, Dolma: 3)", ge=0)
    max_line_word_chars: int = setting(1000, "characters of the longest word a line may have", ge=1)
    remove_citations: bool = setting(True, "remove [1], [], [edit] and [citation needed]")
    remove_javascript_lines: bool = setting(True, 'remove lines with "javascript"')
    remove_policy_lines: bool = setting(True, "remove lines with a cookie or privacy notice")
    min_sentences: int = setting(3, "sentences a page must have (C4: 3; datatrove: 5)", ge=0)
    drop_lorem_ipsum: bool = setting(True, 'drop pages with "lorem ipsum"')
    drop_curly_brackets: bool = setting(True, "drop pages with a curly bracket: this drops most code and TeX")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class C4Stats:
    """What the page rules look at."""

    n_sentences: int
    has_lorem_ipsum: bool
    has_curly_bracket: bool


def edit_lines(view: TextView, config: C4Config) -> Edit:
    """Remove lines and citation marks; counts are lines by reason, and `citations`, marks removed from kept lines.

    A text from which nothing is removed is returned unchanged, byte for byte.
    """
    counts: Counter[str] = Counter()
    notices = _notices_in(view, config)
    split = split_words if view.has_unspaced else str.split
    citations = config.remove_citations and "[" in view.text
    lines: list[str | None] = []  # the new lines; None: removed
    reasons: list[str] = []  # of each line; '' of one that stays, or is blank
    for raw in view.text.split("\n"):
        line, text = raw.strip(), raw.rstrip()
        n_marks = 0
        reason = _long_word(line, config)
        if citations and not reason:
            text, n_marks = _CITATION.subn("", text)
            line = text.strip()
        if line:
            reason = reason or _line_reason(line, config, notices, split)
        if reason:
            counts[reason] += 1
        else:
            counts["citations"] += n_marks
        lines.append(None if reason or (n_marks and not line) else text.rstrip())
        reasons.append(reason or ("citations" if n_marks else ""))
    counts = +counts
    if not counts:
        return Edit()
    replaced, explained = explained_lines(view.text, _without_blank_runs(lines), reasons)
    return Edit(replaced, counts, [reason or "white_space" for reason in explained])


def measure_page(view: TextView) -> C4Stats:
    """Measure what the page rules look at; `view` is of the edited text."""
    return C4Stats(
        n_sentences=count_sentences(view.lines),
        has_lorem_ipsum="lorem ipsum" in view.lower,
        has_curly_bracket="{" in view.text,
    )


def decide_page(stats: C4Stats, config: C4Config) -> Drop | None:
    """Return why the page must go."""
    if config.drop_lorem_ipsum and stats.has_lorem_ipsum:
        return Drop("lorem_ipsum")
    if config.drop_curly_brackets and stats.has_curly_bracket:
        return Drop("curly_bracket")
    if stats.n_sentences < config.min_sentences:
        return Drop("too_few_sentences", stats.n_sentences, config.min_sentences)
    return None


def _long_word(line: str, config: C4Config) -> str:
    limit = config.max_line_word_chars
    return "too_long_word" if len(line) > limit and max(map(len, line.split()), default=0) > limit else ""


def _line_reason(
    line: str, config: C4Config, notices: tuple[tuple[str, str], ...], split: Callable[[str], list[str]]
) -> str:
    """Return why a stripped line that is not empty must go, or ''."""
    if config.require_terminal_punctuation and not ends_with_terminal(line):
        return "no_terminal_punctuation"
    if len(split(line)) < config.min_line_words:
        return "too_few_line_words"
    if notices:
        lower = line.lower()
        for reason, notice in notices:
            if notice in lower:
                return reason
    return ""


def _notices_in(view: TextView, config: C4Config) -> tuple[tuple[str, str], ...]:
    """Return (reason, phrase) for the unwanted phrases that the page has at all, in the order of the rules."""
    wanted: list[tuple[str, str]] = []
    if config.remove_javascript_lines:
        wanted.append(("javascript", "javascript"))
    if config.remove_policy_lines:
        wanted.extend(("policy_notice", notice) for notice in _POLICY_NOTICES)
    return tuple((reason, phrase) for reason, phrase in wanted if phrase in view.lower)


def _without_blank_runs(lines: list[str | None]) -> list[str | None]:
    """Take away blank lines: of those in a row one stays, at either end none."""
    before: str = ""
    last = -1  # the last line that stays
    for at, line in enumerate(lines):
        if line is None:
            continue
        if line or before:
            last = at
        else:
            lines[at] = None
        before = line
    if last >= 0 and not lines[last]:
        lines[last] = None
    return lines
