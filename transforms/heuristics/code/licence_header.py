"""Licence texts and copyright lines at the head of a file go; the rest of its comments stays.

Source: Llama 1, section 2.1 ("boilerplate, such as headers, was removed with regular expressions"), which names none.
RedPajama-1, where a file has any `/* */`, looks at the first one alone; else it takes away all leading lines that begin
with `//`, `#`, `--`: shebangs, `#include`, encodings, Markdown titles. Here comments are those of the file's language
(comments.py), all of them at the head are looked at, and of one that also says what the file does only the legal
paragraphs go. Counts: headers (files), header_lines.
"""

from __future__ import annotations

import bisect
import itertools
import re
from typing import Final

from transforms.heuristics.code.comments import Comment, Line, head_comments, is_directive
from transforms.step import Edit
from transforms.text.replacements import Replacement

_COPYRIGHT: Final = re.compile(r"copyright|\(c\)\s*\d{4}|©|all rights reserved|spdx-\w+", re.IGNORECASE)
_LEGAL: Final = re.compile(
    r"licen[cs]ed? (?:under|to|notice|header|information|text)"
    r"|(?:under|by|of|see|in) (?:the|this|an?|its|their)(?: \S+){0,6} licen[cs]e\b"
    r"|licen[cs]e(?:s/|[- ]?(?:file|identifier|v?\d|:\s*(?:mit|bsd|apache|isc|gpl|lgpl|mpl|http)))"
    r"|(?:mit|bsd|apache|isc|gpl|gnu) licen[cs]ed?\b|(?:begin|end) licen[cs]e block|[\"'“]licen[cs]e(?:\.\w+)?[\"'”]"
    r"|permission is hereby|permission to use, copy|redistribution and use in source"
    r"|redistributions? (?:of|in) (?:source|binary)|provided [\"'“]?as[ -]is|without (?:any )?(?:express )?warrant"
    r"|warrant(?:y|ies) of|all warranties|in no event shall|in no event will|free software[;:,]? (?:you|see|foundation)"
    r"|gnu (?:\w+ )?general public|neither the names? of|above copyright notice|merchantability|for more details\W*$"
    r"|distributed in the hope|you should have received a copy|www\.apache\.org/licenses|opensource\.org/licenses"
    r"|www\.gnu\.org/licenses|unless required by applicable law|subject to the following conditions"
    r"|except as contained in this notice|use of this source code is governed|released (?:under|into) the|public domain"
    r"|substantial portions of the software|endorse or promote products|license agreement"
    r"|this (?:file|program|software|code|library|module) is (?:part of|free|licensed|distributed)",
    re.IGNORECASE,
)

_ENDS: Final = re.compile(r"[.!)>\"'”]$")  # of a line: its sentence
_IS_WHOLE: Final = re.compile(r"^\W*(?:original )?licen[cs]e\W*:|spdx-", re.IGNORECASE)  # a line that goes on nowhere


def edit_header(text: str, language: str) -> Edit:
    """Return the edit that takes licence texts and copyright lines away from the head of a file."""
    gone: list[Replacement] = []
    n_lines = 0
    for comment in head_comments(text, language):
        lines = _legal_lines(comment)
        if not lines:
            continue
        n_lines += len(lines)
        gone += _cuts(text, comment, lines)
    if not gone:
        return Edit()
    return Edit(gone, {"headers": 1, "header_lines": n_lines}, ["licence_header"] * len(gone))


def _legal_lines(comment: Comment) -> list[int]:
    """Return the numbers of the lines of a comment that are legal text."""
    found: list[int] = []
    for paragraph in _paragraphs(comment.lines):
        words = [comment.lines[n].words for n in paragraph]
        spoken = list(zip(paragraph, words, strict=True))
        legal = {n for n, line in spoken if _COPYRIGHT.search(line)}
        if span := _legal_span(words):
            legal.update(paragraph[span[0] : span[1] + 1])
            legal.update(range(min(legal), max(legal) + 1))
        found += [n for n, line in spoken if n in legal and not is_directive(line)]
    return found


def _legal_span(lines: list[str]) -> tuple[int, int] | None:
    """Return the first and the last line of a paragraph that its legal sentences are on, None when it has none.

    What a file does may be said before them and behind them.
    """
    text = " ".join(lines)
    matches = [found.span() for found in _LEGAL.finditer(text)]
    if not matches:
        return None
    starts = list(itertools.accumulate((len(line) + 1 for line in lines[:-1]), initial=0))
    first = bisect.bisect_right(starts, matches[0][0]) - 1
    last = bisect.bisect_right(starts, matches[-1][1] - 1) - 1
    while first > 0 and lines[first][0].isalnum() and not lines[first][0].isupper():
        first -= 1  # a sentence goes on here
    if not _IS_WHOLE.search(lines[last]):
        last = next((n for n in range(last, len(lines)) if _ENDS.search(lines[n])), len(lines) - 1)
    return first, last


def _paragraphs(lines: tuple[Line, ...]) -> list[list[int]]:
    """Return the numbers of the lines of each paragraph: runs of lines that have words."""
    found: list[list[int]] = []
    is_open = False
    for number, line in enumerate(lines):
        if not line.words:
            is_open = False
            continue
        if not is_open:
            found.append([])
        found[-1].append(number)
        is_open = True
    return found


def _cuts(text: str, comment: Comment, legal: list[int]) -> list[Replacement]:
    """Return what to take away: the whole comment when nothing else is said in it, else the lines and the blank ones
    behind them."""
    lines = comment.lines
    others = [n for n, line in enumerate(lines) if line.words and n not in set(legal)]
    if not others:
        end = comment.end
        while end < len(text) and text[end] == "\n":  # the blank lines that kept it apart
            end += 1
        return [(comment.start, end, "")]
    cut: list[tuple[int, int]] = []
    for n in _with_blank_lines(comment, legal):
        start, end = lines[n].start, lines[n].end
        if comment.opens and n == 0:
            start = text.index(comment.opens, start) + len(comment.opens)
            start += len(text[start:end]) - len(text[start:end].lstrip("*"))  # of `/**`
            end -= 1 if text[end - 1 : end] == "\n" else 0
        if comment.opens and n == len(lines) - 1:
            end = text.rindex(comment.closes, start, lines[n].end)
            while end > start and text[end - 1] in "*/":  # of `**/`
                end -= 1
        if start < end:
            cut.append((start, end))
    return [(start, end, "") for start, end in cut]


def _with_blank_lines(comment: Comment, legal: list[int]) -> list[int]:
    """Return the lines to go: the legal ones, blank ones behind each run of them and at the comment's ends."""
    lines = comment.lines
    gone = set(legal)
    first, last = (1, len(lines) - 1) if comment.opens else (0, len(lines))  # lines with a mark that must stay
    for n in legal:
        after = n + 1
        while after < last and not lines[after].words:
            gone.add(after)
            after += 1
    spoken = [n for n, line in enumerate(lines) if line.words and n not in gone]
    gone.update(n for n in (*range(first, spoken[0]), *range(spoken[-1] + 1, last)) if not lines[n].words)
    return sorted(gone)
