"""C4: line rules as an editor, page rules as a filter.

Source: Raffel et al. 2020, JMLR 21(140), section 2.2, and its code (tensorflow_datasets `c4_utils.clean_page`), in the
code's order for each line: too long a word, citation marks, terminal punctuation, number of words, "javascript",
policy notices. Limits are those of the JMLR text and the code: pages of at least 3 sentences, lines of at least 5 words
(the arXiv text, datatrove and so FineWeb: 5 sentences, 3 words).

Deviations, the first five of which are settings (the preset `c4` is the paper's):
 1. Terminal punctuation is not required by default: FineWeb found that this rule alone removes 30% of the tokens.
    If it is, the marks are those of `transforms.text.sentences.TERMINAL_PUNCTUATION`, of all scripts.
 2. A line of prose is one of a paragraph (`by_blocks`). Of code, formulas, headings, list items, table rows and
    quotations no line goes and no mark: they are short by nature, and `row[0]` is no citation.
 3. The fewest words of a paragraph are 1, not 5: what has fewer is as often an answer as a button. See LOG.md.
 4. A paragraph goes for "javascript" or a policy if it is a notice: short, and it asks the reader for something. C4
    deletes any line with the words; where lines are paragraphs that costs what is said about them, too.
 5. A page goes if much of its prose is leaked source (templates, scripts, style sheets). C4 drops it for one "{".
 6. [1] is a citation on pages most of whose marks follow the end of a sentence or clause; elsewhere it is an index.
    C4's own rule takes all; the setting `remove_citations` is "all" then.
 7. The page rules are measured on the edited text, in a step after the editor. The reference code meets "lorem ipsum"
    and "{" line by line, after the line rules. The results differ only for pages with "lorem ipsum" in a line with
    "javascript", or with either of them in a policy notice: such a page loses the line and is kept.
 8. Outside English the recipe asks for no words a line, and for sentences only where marks end them (languages.py).
 9. Sentences are counted by our own expression, not punkt, and end with the line
    (`transforms.text.sentences.count_sentences`).
10. A single blank line between paragraphs is kept, and so is indentation; the reference code drops both.
11. Bad words are a step of their own (dirty_words.py). Longest page, language and deduplication are other steps' work.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.blocks import PARAGRAPH, UNKNOWN_KIND
from schemas.settings import setting, validate
from transforms.step import Drop, Edit
from transforms.text.replacements import explained_lines
from transforms.text.sentences import count_sentences, ends_with_terminal
from transforms.text.view import TextView, ratio, split_words

_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_NUMBER_MARK = re.compile(r"\[?\[(\d*)\]\]?")
_WORD_MARKS = ("[edit]", "[citation needed]")
# A mark is attached to what it is about, or ends a line; elsewhere it is a word of the text: "press [edit] to change".
_BY_WORDS = re.compile(r"(?<=\S)\[(?:edit|citation needed)\]|\[(?:edit|citation needed)\]$")
_MARKS = re.compile(rf"\[\[\d+\]\]|\[\d*\](?::[ ]?\d+(?:[-–]\d+)?(?![\d:.]))?|{_BY_WORDS.pattern}")  # [4]:23 is a page
_AFTER_A_CLAUSE = frozenset(".,;:!?)]\"'”’»。，、；：！？」』）")
_POLICY_NOTICES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
NOTICE_WORDS = 40  # most that a notice has
_ASKS = {
    "javascript": re.compile(
        r"\b(?:enabl|disabl|activat|turn(?:ed)? on|turn(?:ed)? off|switch(?:ed)? on|requir|support|must have|need)"
    ),
    "policy_notice": re.compile(
        r"\b(?:we use|(?:web)?sites? uses?|you (?:agree|accept|consent|acknowledge)|by (?:continuing|using|clicking"
        r"|subscribing|signing|submitting|visiting|registering|browsing|proceeding|entering)|accept|consent"
        r"|opt[ -]out|learn more|read more|(?:see|read|view|review|check) (?:our|the)|our (?:privacy|cookie|terms)"
        r"|all rights reserved|more information|apply)\b"
    ),
}
_QUOTED = re.compile(r"`[^`]*`|\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]")
_SOURCE = re.compile(
    r"\{\{.*\}\}|\{%|<%|\$\{|\bfunction\s*\w*\s*\(|\{[^{}]*[;:][^{}]*\}|[;{]\s*$|\)\s*(?:=>\s*)?\{|\bvar \w+ ?="
)
ALL, NOTICES, KEEP = "all", "notices", "keep"
MARKS = ("citations", ALL, KEEP)
Notice = tuple[str, str, re.Pattern[str] | None]  # reason, phrase, and what a line must say besides, if anything


@dataclass(frozen=True, kw_only=True)
class C4Config:
    """Line and page rules; limits of what is kept, inclusive."""

    by_blocks: bool = setting(True, "line rules act on paragraphs alone; false: on every line, as C4's")
    require_terminal_punctuation: bool = setting(False, "remove lines that do not end a sentence (C4 does)")
    min_line_words: int = setting(1, "words a line must have (C4: 5; datatrove, Dolma: 3)", ge=0)
    max_line_word_chars: int = setting(1000, "characters of the longest word a line may have", ge=1)
    remove_citations: str = setting(
        "citations", "remove [edit], [citation needed] and [1]: where it is a citation, or all (C4)", choices=MARKS
    )
    javascript_lines: str = setting(
        NOTICES, 'remove lines with "javascript": notices that ask for it, or all (C4)', choices=(NOTICES, ALL, KEEP)
    )
    policy_lines: str = setting(
        NOTICES, "remove lines with a cookie or privacy policy: notices, or all (C4)", choices=(NOTICES, ALL, KEEP)
    )
    min_sentences: int = setting(3, "sentences a page must have (C4: 3; datatrove: 5)", ge=0)
    drop_lorem_ipsum: bool = setting(True, 'drop pages with "lorem ipsum"')
    max_source_fraction: float = setting(
        0.1, "share of the prose in lines with leaked source (braces of templates, scripts, styles)", ge=0, le=1
    )
    drop_curly_brackets: bool = setting(False, "drop pages with a curly bracket (C4): most code and TeX")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class C4Stats:
    """What the page rules look at."""

    n_sentences: int
    has_lorem_ipsum: bool
    has_curly_bracket: bool
    source_fraction: float  # characters of lines of prose with leaked source, by those of all prose


def edit_lines(view: TextView, config: C4Config) -> Edit:
    """Remove lines and citation marks; counts are lines by reason, and `citations`, marks removed from kept lines.

    A text from which nothing is removed is returned unchanged, byte for byte; so is every line of code.
    """
    counts: Counter[str] = Counter()
    notices = _notices_in(view, config)
    citation = _citation_mark(view, config)
    if not (notices or citation or config.require_terminal_punctuation or config.min_line_words > 1) and not any(
        _long_word(line, config) for line in view.lines
    ):
        return Edit()  # most pages: nothing in them that a rule is about
    raw_lines = view.text.split("\n")
    view = view if config.by_blocks else view.as_prose
    kinds = view.kinds_of_raw_lines
    notice_of = _notices_by_piece(view, notices)
    lines: list[str | None] = []  # the new lines; None: removed
    reasons: list[str] = []  # of each line; '' of one that stays, or is blank
    for raw, kind in zip(raw_lines, kinds, strict=True):
        if kind != PARAGRAPH:
            reasons.append("")
            lines.append(raw if kind != UNKNOWN_KIND else raw.rstrip())
            continue
        line, text = raw.strip(), raw.rstrip()
        n_marks = 0
        reason = _long_word(line, config)
        if citation and not reason:
            text, n_marks = citation.subn("", text)
            line = text.strip()
        if raw.strip():
            notice = next(notice_of)
            reason = reason or (_line_reason(line, config) or notice if line else "")
        if reason:
            counts[reason] += 1
        else:
            counts["citations"] += n_marks
        lines.append(None if reason or (n_marks and not line) else text.rstrip())
        reasons.append(reason or ("citations" if n_marks else ""))
    counts = +counts
    if not counts:
        return Edit()
    replaced, explained = explained_lines(view.text, lines, reasons)
    return Edit(replaced, counts, [reason or "white_space" for reason in explained])


_DEFAULT = C4Config()


def measure_page(view: TextView, config: C4Config = _DEFAULT) -> C4Stats:
    """Measure what the page rules look at; `view` is of the edited text."""
    view = view if config.by_blocks else view.as_prose
    has_brace = "{" in view.text
    return C4Stats(
        n_sentences=count_sentences(view.without_code.lines),
        has_lorem_ipsum="lorem ipsum" in view.lower,
        has_curly_bracket=has_brace,
        source_fraction=source_fraction(view.prose) if has_brace else 0.0,
    )


def source_fraction(prose: Sequence[str]) -> float:
    """Return the share of the characters of some lines that are in lines with leaked source.

    Inline code and mathematics between dollar signs are no source; neither is a single name in braces.
    """
    leaked = sum(_leaked_chars(line) for line in prose if "{" in line)
    return ratio(leaked, sum(map(len, prose)))


def _leaked_chars(line: str) -> int:
    """Return the characters of a line that are leaked source: of a sentence with a piece of it, that piece alone."""
    found = [len(piece[0]) for piece in _SOURCE.finditer(_QUOTED.sub("", line))]
    return sum(found) if not found or ends_with_terminal(line) else len(line)


def decide_page(stats: C4Stats, config: C4Config) -> Drop | None:
    """Return why the page must go."""
    if config.drop_lorem_ipsum and stats.has_lorem_ipsum:
        return Drop("lorem_ipsum")
    if config.drop_curly_brackets and stats.has_curly_bracket:
        return Drop("curly_bracket")
    if stats.source_fraction > config.max_source_fraction:
        return Drop("leaked_source", stats.source_fraction, config.max_source_fraction)
    if stats.n_sentences < config.min_sentences:
        return Drop("too_few_sentences", stats.n_sentences, config.min_sentences)
    return None


def _citation_mark(view: TextView, config: C4Config) -> re.Pattern[str] | None:
    """Return what is to be removed as a citation mark; None where there is nothing."""
    if config.remove_citations == KEEP or "[" not in view.text:
        return None
    if config.remove_citations == ALL:
        return _CITATION
    by_words = _BY_WORDS if any(mark in view.text for mark in _WORD_MARKS) else None
    marks = after = 0
    prose = "\n".join(line for line in view.prose if "[" in line)
    for mark in _NUMBER_MARK.finditer(prose):
        if mark[1] == "0":
            return by_words
        marks += 1
        after += prose[mark.start() - 1 : mark.start()] in _AFTER_A_CLAUSE
    return _MARKS if 2 * after > marks else by_words


def _long_word(line: str, config: C4Config) -> str:
    limit = config.max_line_word_chars
    return "too_long_word" if len(line) > limit and max(map(len, split_words(line)), default=0) > limit else ""


def _line_reason(line: str, config: C4Config) -> str:
    """Return why a stripped line that is not empty must go, or ''."""
    if config.require_terminal_punctuation and not ends_with_terminal(line):
        return "no_terminal_punctuation"
    if len(split_words(line)) < config.min_line_words:
        return "too_few_line_words"
    return ""


def _notices_by_piece(view: TextView, notices: tuple[Notice, ...]) -> Iterator[str]:
    """Yield for each line of a paragraph why it is a notice, or ''. A line that was wrapped is one or none, whole."""
    for n_pieces, line in view.wrapped:
        yield from itertools.repeat(_notice(line, notices) if notices else "", n_pieces)


def _notice(line: str, notices: tuple[Notice, ...]) -> str:
    lower = line.lower()
    for reason, notice, asks in notices:
        if notice in lower and (asks is None or (asks.search(lower) and len(split_words(line)) <= NOTICE_WORDS)):
            return reason
    return ""


def _notices_in(view: TextView, config: C4Config) -> tuple[Notice, ...]:
    """Return the unwanted phrases that the page has at all, in the order of the rules."""
    found: list[Notice] = []
    for reason, mode, phrases in (
        ("javascript", config.javascript_lines, ("javascript",)),
        ("policy_notice", config.policy_lines, _POLICY_NOTICES),
    ):
        if mode != KEEP:
            asks = _ASKS[reason] if mode == NOTICES else None
            found += [(reason, phrase, asks) for phrase in phrases if phrase in view.lower]
    return tuple(found)
