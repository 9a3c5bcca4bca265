"""The blocks of a text that came without any (WET, JSONL, Parquet): a guess from its lines.

A line is, by the first of these that holds:

code        between two fences (``` or ~~~, which belong to it), or one of at least two lines in a row, blank ones
            between them aside, that are indented by four columns or look like code, if one in ten looks like code:
            it ends in { or }, or in ; with a sign of code or few words, or begins like a statement, or with a prompt
formula     begins with $$ or \\[ or \\begin{, up to the line that ends it
quotation   begins with > and a blank
table row   has two or more of | (one first, or between blanks) or two or more tabs
list item   begins with a bullet, or with a number or letter and ) or a full stop and a blank
heading     begins with one to six # and a blank; or has at most ten words and no mark at its end, begins the text or
            follows a blank line or prose, and stands right before a line of prose (ten words or more that end in a
            mark), a blank line between aside: what stands among other short lines is as well an entry of a menu
paragraph   anything else

It is a guess: rules that spare what is no paragraph spare a little too much or too little by it, and no rule drops or
edits a text because of it alone. Cost: one pass over the lines, O(characters).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from schemas.blocks import CODE, FORMULA, HEADING, LIST_ITEM, PARAGRAPH, QUOTATION, TABLE_ROW, UNKNOWN, Blocks

HEADING_WORDS = 10  # most that a heading has
PROSE_WORDS = 10  # fewest that the line after a heading has

BULLETS = "•‣⁃⁌⁍▪▫■□●○◘◙◦◆◇◉◯▶▷►▸▹➢➣➤➔➜❖❥✓✔✦✧⦾⦿∙·⚫⚪∎"
DASH_BULLETS = "*+–-"  # only before white space: "-5" and "*note" are no bullets

_FENCE = ("```", "~~~")
_STATEMENT = re.compile(
    r"(?:(?:async )?def|class|function|func|fn|impl|struct|enum|namespace|public|private|protected|static|void|switch) "
    r".*[(){}:;]$|(?:if|for|while|with|try|else|elif|except|finally)\b.*[:{]$"
    r"|import [\w.{}*, ]+(?: as \w+)?(?: from .+)?;?$|from [\w.]+ import .+|(?:var|let|const) \w+ ?=|#include\b|#!/"
    r"|(?:SELECT|INSERT|UPDATE|CREATE|DELETE|ALTER) .*[;(]?$|</?[a-zA-Z][\w:-]*(?:\s[^<>]*)?/?>.*|>>> |\$ \S"
    r"|(?:do|done|then|fi|else|esac|end|begin|try|pass|break|continue|raise|exit \d+);?$"
    r"|return(?: (?:None|True|False|null|-?\d+|[\w.]*[_(\[.]\S*))?;?$"
    r"|(?:echo|printf?|puts) [\"'$].*|[\w.\[\]>\"'()-]+ ?(?:=|:=|\+=|<-) ?\S.*[\w)\]}\"']$|[\w.]+\([^)]*\)$"
)
_CODE_ENDS = (";", "{", "}", "});", "},")
_CODE_SIGN = re.compile(r"[=<>{}\[\]\\$_]|\w\(")
_LINES_PER_CODE = 10  # of a run, at most, for each that looks like code: prose can be indented, too
_CLAUSE_WORDS = 6  # fewest of a clause of a law, which ends in ; as well
_FORMULA = re.compile(r"\$\$|\\\[|\\begin\{")
_FORMULA_END = re.compile(r"\$\$$|\\\]$|\\end\{\w+\*?\}$")
_LIST_ITEM = re.compile(rf"[{DASH_BULLETS}]\s|[{BULLETS}]|(?:\d{{1,3}}|[a-zA-Z])[.)]\s")
_MARKED_HEADING = re.compile(r"#{1,6} \S")
_MARKS = '.?!:;,"”»」』。．！？؟۔।॥။።։…，、；：'


def guess_blocks(text: str) -> Blocks:
    """Return the blocks of a text: one for each line that is not blank, and one for each run of lines of code."""
    raw = text.split("\n")
    kinds = guess_kinds(raw)
    spans: list[tuple[int, int, int]] = []
    start, before = 0, -1
    for line, kind in zip(raw, kinds, strict=True):
        end = start + len(line)
        if kind == CODE and before == CODE:
            spans[-1] = (CODE, spans[-1][1], end)
        elif kind >= 0:
            spans.append((kind, start, end))
        before = kind
        start = end + 1
    if not spans:
        return UNKNOWN
    columns = np.array(spans, np.int64)
    return Blocks(columns[:, 0].astype(np.int8), columns[:, 1].astype(np.int32), columns[:, 2].astype(np.int32))


def guess_kinds(raw: Sequence[str]) -> list[int]:
    """Return the kind of each line; -1 for a blank one that is not inside code."""
    stripped = [line.strip() for line in raw]
    kinds = [_plain_kind(line) if line else -1 for line in stripped]
    _mark_code(raw, stripped, kinds)
    _mark_formulas(stripped, kinds)
    _mark_headings(stripped, kinds)
    return kinds


def _plain_kind(line: str) -> int:
    if line[0] == ">" and line[1:2].isspace():
        return QUOTATION
    if (line.count("|") > 1 and (line[0] == "|" or " | " in line)) or line.count("\t") > 1:
        return TABLE_ROW
    if _LIST_ITEM.match(line):
        return LIST_ITEM
    return HEADING if _MARKED_HEADING.match(line) else PARAGRAPH


def _mark_code(raw: Sequence[str], stripped: Sequence[str], kinds: list[int]) -> None:
    at, n = 0, len(raw)
    while at < n:
        if stripped[at].startswith(_FENCE):
            close = next((end for end in range(at + 1, n) if stripped[end].startswith(stripped[at][:3])), -1)
            if close > 0:
                kinds[at : close + 1] = [CODE] * (close + 1 - at)
                at = close + 1
                continue
        end, n_lines, n_code = _run_of_code(raw, stripped, at)
        if n_lines > 1 and n_code and n_code * _LINES_PER_CODE >= n_lines:
            kinds[at:end] = [CODE] * (end - at)
        at = max(end, at + 1)


def _run_of_code(raw: Sequence[str], stripped: Sequence[str], start: int) -> tuple[int, int, int]:
    """Return the end of the run of lines that may be code, how many it has, and how many of them look like it."""
    end, n_lines, n_code = start, 0, 0
    for at in range(start, len(raw)):
        line = stripped[at]
        if not line:
            if not n_lines:
                break
            continue
        looks = _ends_like_code(line) or _STATEMENT.match(line) is not None
        if not (looks or raw[at].startswith(("    ", "\t"))) or line.startswith(_FENCE):
            break
        n_lines += 1
        n_code += looks
        end = at + 1
    return end, n_lines, n_code


def _ends_like_code(line: str) -> bool:
    if not line.endswith(_CODE_ENDS):
        return False
    short = line.isascii() and len(line.split(None, _CLAUSE_WORDS - 1)) < _CLAUSE_WORDS
    return line[-1] != ";" or short or _CODE_SIGN.search(line) is not None


def _mark_formulas(stripped: Sequence[str], kinds: list[int]) -> None:
    opened = False
    for at, line in enumerate(stripped):
        begins = not opened and kinds[at] == PARAGRAPH and _FORMULA.match(line) is not None
        if begins or (opened and line):
            kinds[at] = FORMULA
            opened = not _FORMULA_END.search(line[2:] if begins else line)
            opened = opened and any(_FORMULA_END.search(later) for later in stripped[at + 1 : at + 30])


def _mark_headings(stripped: Sequence[str], kinds: list[int]) -> None:
    before = ""  # the last line, blank or not
    for at, line in enumerate(stripped):
        if kinds[at] == PARAGRAPH and (not before or _is_prose(before)) and not _is_prose(line):
            after = next((later for later in range(at + 1, min(at + 3, len(stripped))) if stripped[later]), -1)
            short = len(line.split(None, HEADING_WORDS)) <= HEADING_WORDS and line[-1] not in _MARKS
            if short and after > 0 and kinds[after] == PARAGRAPH and _is_prose(stripped[after]):
                kinds[at] = HEADING
        before = line


def _is_prose(line: str) -> bool:
    return line.endswith(tuple(_MARKS)) and len(line.split(None, PROSE_WORDS - 1)) >= PROSE_WORDS
