"""Markdown, as trafilatura writes it, to plain text.

Every pattern is linear in the line, or nearly: a page may be one line of a megabyte made to hurt.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[\w+#.-]*[ \t]*")
_INDENTED_CODE = re.compile(r"(?: {4}|\t)\s*(?![-*][ \t])\S")
_RULE = re.compile(r"([-*_=])(?:[ \t]*\1){2,}")  # thematic break, underline of a heading
_TABLE_RULE = re.compile(r"\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?)?")
_TABLE_ROW = re.compile(r"\| .*\|")
_BAR = re.compile(r"(?<!\\)\|")
_HEADING = re.compile(r"#{1,6}[ \t]+(?=\S)")
_BLOCK_MARKER = re.compile(r"(?:[->*](?:[ \t]+|$))+")
_MARKER_STARTS = frozenset("#>-*_=|:\\")
_CODE_SPAN = re.compile(  # a single or double tick is also an apostrophe or a TeX quotation mark: don`t, ``so''
    r"(?<!`)(`{3,})(?!`)(?P<marked>.+?)(?<!`)\1(?!`)"
    r"|(?<![`\w])(`{1,2})(?!`)(?P<shown>.{1,200}?)(?<!`)\3(?![`\w])"
)
_INLINE = re.compile(
    r"!?\[(?P<label>[^\[\]]*)\]\((?:https?://|www\.|mailto:|/|#)[^()\s\0]*(?:[ \t]+\"[^\"\0]*\")?\)"
    r"|(?<![0-9A-Za-z_*])(\*{2,3})(?=[^\s*])(?P<strong>[^*]*[^\s*])\2(?![0-9A-Za-z_*])"
    r"|(?<![\w*])\*(?=[^\s*])(?P<emphasis>[^*]*[^\s*])\*(?![\w*])"
    r"|(?<!~)~~(?=[^\s~])(?P<struck>[^~]*[^\s~])~~(?!~)"
)
_MAY_HAVE_INLINE = re.compile(r"[`*]|~~|\]\(")


def strip_markers(text: str) -> str:
    """Return Markdown as plain text: the markers go, the words and the code stay. NULs go, too.

    Goes: heading, list and quote markers, rules, fences, `**`, `*`, `~~`, backticks, link targets; a table row becomes
    its cells with tabs between. Stays: fenced and indented code, code spans without their backticks, escaped `\\- `,
    and what only looks alike: C#, #hashtag, 2 * 3, 2**3, *args, snake_case, __init__, f[x](y), numbers of list items.
    """
    lines: list[str] = []
    fence, fenced = "", list[str]()
    for line in text.replace("\0", "").split("\n"):
        mark = _FENCE.fullmatch(line) if "```" in line or "~~~" in line else None
        if fence:
            if mark and mark[1].startswith(fence) and line.strip() == mark[1]:
                lines.extend(fenced)
                fence, fenced = "", []
            else:
                fenced.append(line)
        elif mark:
            fence = mark[1]
        else:
            lines.extend(_plain_line(line))
    for line in fenced:  # a fence that never closes fences nothing
        lines.extend(_plain_line(line))
    return "\n".join(lines)


def _plain_line(line: str) -> list[str]:
    """Return the line without its markers, as no line at all when it was nothing else."""
    if line[:1] in (" ", "\t") and _INDENTED_CODE.match(line):
        return [line]
    line = line.strip()
    if line[:1] not in _MARKER_STARTS:
        return [_plain_inline(line)]
    if _RULE.fullmatch(line) or _TABLE_RULE.fullmatch(line):
        return []
    if _TABLE_ROW.fullmatch(line):
        cells = [_plain_inline(cell.strip().replace("\\|", "|")) for cell in _BAR.split(line[1:-1])]
        row = "\t".join(cells).rstrip()
        return [row] if row else []
    marker = _BLOCK_MARKER.match(line)
    line = line[marker.end() :] if marker else line
    heading = _HEADING.match(line)
    line = _without_closing_hashes(line[heading.end() :]) if heading else line
    return [_plain_inline(line).replace("\\- ", "- ")] if line else []


def _without_closing_hashes(heading: str) -> str:
    bare = heading.rstrip("#")
    return bare.rstrip() if bare[-1:].isspace() else heading


def _plain_inline(text: str) -> str:
    if not _MAY_HAVE_INLINE.search(text):
        return text
    spans: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        code = match["marked"] or match["shown"]
        spans.append(code.strip() or code)
        return "\0"

    text = _CODE_SPAN.sub(set_aside, text)
    for _ in range(3):  # strong around emphasis around a link
        text, n_changes = _INLINE.subn(_unwrap, text)
        if n_changes == 0:
            break
    pieces = text.split("\0")
    return "".join(piece for pair in zip(pieces, [*spans, ""], strict=True) for piece in pair)


def _unwrap(match: re.Match[str]) -> str:
    return next((match[name] for name in ("label", "strong", "emphasis", "struck") if match[name] is not None), "")
