"""FineWeb's own rules: lines that end in no punctuation, repeated characters, short lines, lists.

Source: Penedo et al. 2024, arXiv:2406.17557, section 3.6 (three rules), and the code that made the data set
(`FineWebQualityFilter`), which has a fourth.

Interpretations:
 1. Characters in duplicate lines: limit 0.15 (the paper: 0.1, the code: 0.01): menus may stand twice. Copies after
    the first count, as where the limit comes from.
 2. A short line has fewer than 30 characters (the paper; the code: 30 or fewer). Empty lines are no lines here.
 3. Line ends per word (code only): ends between lines with text, so that blank lines between paragraphs, which
    depend on the extractor, do not make prose a list.
 4. Values at a limit are kept, as everywhere here; paper and code drop them in the first three rules.
 5. Scripts without terminal punctuation (Thai, Lao) have no first measure (null) and the first rule does not apply.
 6. In scripts that say more in a character a line is short with fewer (languages.SHORT_LINE_CHARS). FineWeb-2 has no
    limit on short lines, nor has our recipe outside English. This and other limits by language: languages.py.

In: TextView. Out: Drop or None, the text unchanged. Order: none. Cost: one pass over the lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.blocks import LIST_ITEM, QUOTATION
from schemas.settings import setting, validate
from transforms.heuristics.languages import SHORT_LINE_CHARS
from transforms.heuristics.repetition import duplicate_shares
from transforms.step import Drop
from transforms.text.sentences import ends_a_sentence, ends_with_terminal
from transforms.text.view import TextView, ratio


@dataclass(frozen=True, kw_only=True)
class FineWebConfig:
    """Limits of what is kept, inclusive."""

    by_blocks: bool = setting(True, "the rules on lines look at paragraphs alone; false: at every line, as FineWeb's")
    min_terminal_line_fraction: float = setting(
        0.12, "share of lines that end in terminal punctuation, at least", ge=0, le=1
    )
    max_duplicate_char_fraction: float = setting(
        0.15, "share of characters in repeated lines, copies after the first; FineWeb: 0.1, its code 0.01", ge=0, le=1
    )
    max_short_line_fraction: float = setting(0.67, "share of lines with fewer than 30 characters, at most", ge=0, le=1)
    min_lines: int = setting(10, "lines from which on the share of short ones is judged (FineWeb: 1)", ge=1)
    min_short_char_fraction: float = setting(
        0.1, "share of the characters in short lines from which on they are judged (ours; FineWeb: 0)", ge=0, le=1
    )
    min_prose_fraction: float = setting(
        0.2, "share of prose in the text from which on its line ends are judged (ours; FineWeb: 0)", ge=0, le=1
    )
    max_line_ends_per_word: float = setting(0.3, "line ends per word, at most; in FineWeb's code only", ge=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FineWebStats:
    """What the rules look at; 0 where there is nothing to divide by."""

    n_lines: int  # of prose
    prose_fraction: float  # characters of prose, by those of all lines
    terminal_line_fraction: float | None  # null in scripts without terminal punctuation
    duplicate_char_fraction: float
    short_line_fraction: float
    short_line_char_fraction: float  # characters of short lines, by those of all prose
    line_ends_per_word: float


_DEFAULT = FineWebConfig()


def measure(view: TextView, config: FineWebConfig = _DEFAULT) -> FineWebStats:
    """Measure what the rules look at."""
    view = view if config.by_blocks else view.as_prose
    lines = view.prose
    n_lines = len(lines)
    english = SHORT_LINE_CHARS["Latn"]
    short = english if view.is_english else SHORT_LINE_CHARS.get(view.script, english)
    terminal = None
    if lines and view.has_sentence_marks:
        # Items and quotations that are sentences speak for a text; those that are none do not speak against it.
        ends = ends_a_sentence if config.by_blocks else ends_with_terminal
        others = sum(map(ends, view.lines_of(LIST_ITEM, QUOTATION)))
        terminal = ratio(sum(map(ends, lines)) + others, n_lines + others)
    n_chars = sum(map(len, lines))
    short_lines = [len(line) for line in lines if len(line) < short]
    return FineWebStats(
        n_lines=n_lines,
        prose_fraction=ratio(n_chars, sum(map(len, view.lines))),
        terminal_line_fraction=terminal,
        duplicate_char_fraction=duplicate_shares(lines, count_first_copy=False)[1],
        short_line_fraction=ratio(len(short_lines), n_lines),
        short_line_char_fraction=ratio(sum(short_lines), n_chars),
        line_ends_per_word=ratio(max(len(view.without_code.lines) - 1, 0), view.without_code.n_words),
    )


def decide(stats: FineWebStats, config: FineWebConfig) -> Drop | None:
    """Return why the document must go, by the first rule it breaks."""
    terminal, limit = stats.terminal_line_fraction, config.min_terminal_line_fraction
    if terminal is not None and terminal < limit and stats.prose_fraction >= config.min_prose_fraction:
        return Drop("too_few_terminal_lines", terminal, limit)
    is_judged = stats.n_lines >= config.min_lines and stats.short_line_char_fraction >= config.min_short_char_fraction
    short = stats.short_line_fraction if is_judged else 0.0
    for reason, value, high in (
        ("too_many_short_lines", short, config.max_short_line_fraction),
        ("too_many_duplicate_chars", stats.duplicate_char_fraction, config.max_duplicate_char_fraction),
        ("too_many_line_ends", stats.line_ends_per_word, config.max_line_ends_per_word),
    ):
        if value > high:
            return Drop(reason, value, high)
    return None
