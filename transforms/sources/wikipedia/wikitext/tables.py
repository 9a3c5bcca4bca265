"""Tables: `{|` ... `|}` and <table>. Dropped, or kept as a line a row.

Nested tables are dropped in any case, and so are <table> and tables of the classes that are no part of the text. A
table that is never closed ends before the first heading, or before the first line behind a blank one that is no row.
"""

from __future__ import annotations

import re
from typing import Final

from transforms.sources.wikipedia.wikitext.marks import BREAK, DIVISION, GONE, ROW, Context

_TABLE_TAG: Final = re.compile(r"<(/?)table(?=[\s>])[^<>]*>", re.IGNORECASE)
_APART: Final = re.compile(r"\b(?:infobox|navbox|toccolours|metadata|ambox|vertical-navbox|sidebar|nowraplinks)\b")
_INDENT: Final = " \t:*#;" + GONE
_ATTRIBUTES: Final = re.compile(r"^[^|\[\]{}]*$")
_LINE_SIGNS: Final = re.compile(f"[\t{BREAK}{DIVISION}]+")


def drop_html_tables(text: str, context: Context) -> str:
    """Return wikitext without what is in <table>; of one that is not closed only the tags go."""
    if "<table" not in text.lower():
        return text
    tags = list(_TABLE_TAG.finditer(text))
    spans: list[tuple[int, int]] = []
    opened: list[re.Match[str]] = []
    for tag in tags:
        if not tag.group(1):
            opened.append(tag)
        elif opened:
            first = opened.pop().start()
            while spans and spans[-1][0] > first:
                spans.pop()
            spans.append((first, tag.end()))
    out: list[str] = []
    at = 0
    for start, end in spans:
        out += (text[at:start], f"\n{GONE}\n")
        context.counts["tables_removed"] += 1
        at = end
    out.append(text[at:])
    return "".join(out)


def take_tables(text: str, keep: bool, context: Context) -> str:
    """Return wikitext whose tables are removed, or lines that begin with ROW."""
    if "{|" not in text:
        return text
    lines = text.split("\n")
    ends = _ends(lines)
    out: list[str] = []
    at = 0
    while at < len(lines):
        end = ends.get(at)
        if end is None:
            out.append(lines[at])
            at += 1
            continue
        rows = _rows(lines[at:end]) if keep else []
        context.counts["tables_removed"] += not rows
        out += ("", *rows, _behind(lines[end - 1])) if rows else (GONE, _behind(lines[end - 1]))
        at = end
    return "\n".join(out)


def _behind(line: str) -> str:
    """Return what follows the end of a table in its last line."""
    line = line.lstrip(_INDENT)
    return line[2:] if line.startswith("|}") else ""


def _ends(lines: list[str]) -> dict[int, int]:
    """Return the tables that lie in no other, by their first line: the line behind each."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for n, line in enumerate(lines):
        start = line.lstrip(_INDENT)[:2]
        if start == "{|":
            opened.append(n)
        elif start == "|}" and opened:
            pairs[opened.pop()] = n + 1
        elif start == "==" and opened and line.rstrip().endswith("=="):
            opened.clear()  # no table has sections
    outer: dict[int, int] = {}
    last = 0
    for n, line in enumerate(lines):
        if n >= last and line.lstrip(_INDENT).startswith("{|"):
            last = pairs.get(n) or _unclosed_end(lines, n)
            outer[n] = last
    return outer


def _unclosed_end(lines: list[str], first: int) -> int:
    for n in range(first + 1, len(lines)):
        line = lines[n].lstrip(_INDENT)
        if line.startswith("==") or (line and line[0] not in "|!{" and not lines[n - 1].strip()):
            return n
    return len(lines)


def _rows(lines: list[str]) -> list[str]:
    """Return the rows of a table as lines, none when it is no part of the text."""
    if _APART.search(lines[0].lower()):
        return []
    rows: list[list[str]] = [[]]
    depth = 0
    for line in lines[1:]:
        stripped = line.strip(" \t" + GONE)
        start = stripped[:2]
        nested = depth
        depth += (start == "{|") - (start == "|}" and depth > 0)
        if nested or depth or start == "|}":
            continue
        if start == "|-":
            rows.append([])
        elif start == "|+":
            rows += [[_cell(stripped[2:])], []]
        elif stripped[:1] in ("|", "!"):
            rows[-1] += [_cell(cell) for cell in _cells(stripped)]
        elif stripped and rows[-1]:
            rows[-1][-1] = f"{rows[-1][-1]} {stripped}".strip()
    return [ROW + "\t".join(row) for row in rows if any(cell.strip(GONE + " ") for cell in row)]


def _cells(line: str) -> list[str]:
    if line[0] == "!":
        return line[1:].replace("!!", "||").split("||")
    return line[1:].split("||")


def _cell(text: str) -> str:
    """Return a cell's content: what is before a single `|` are its attributes."""
    before, bar, behind = text.partition("|")
    if bar and _ATTRIBUTES.match(before) and ("=" in before or not before.strip()):
        text = behind
    return _LINE_SIGNS.sub(" ", text).strip()
