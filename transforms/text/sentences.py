"""What ends a line: a sentence's mark, an ellipsis; what starts it: a bullet; and how many sentences there are.

sentence     ends at terminal punctuation before white space and at the end of a line (`count_sentences`). Keyboards
             lack some marks: `|` after a letter of India, `::` after an Ethiopic, `:` after an Armenian and `;` after a
             Greek one end a sentence, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from transforms.text.guess import BULLETS, DASH_BULLETS

# C4 knows . ? ! and the straight quotation mark; the others are what ends a sentence, or a quotation, elsewhere: „so“
# and »so« in German. A single quotation mark is often an apostrophe, so that the sentence has to end before it.
_RARE_ENDS = (
    "།", "፨", "׃", "܀", "܁", "܂", "߹", "᙮", "᜶", "᠃", "᠉", "᥄", "᥅", "᭟", "᱾", "᱿", "៕", "༎", "༏", "༐", "༑", "༔", "꓿",
    "꘎", "꘏", "꛳", "꛷", "꧉", "꯫", "𑅁", "𑅂",
)  # fmt: skip
TERMINAL_PUNCTUATION = (
    ".", "?", "!", '"', "”", "“", "»", "«", ".’", "?’", "!’", "。’", "？’", "！’", "」", "』", "。", "．", "｡",
    "？", "！", "؟", "۔", "।", "॥", "။", "។", "։", "።", "፧", "፡፡", "‼", "⁇", "⁈", "⁉", *_RARE_ENDS,
)  # fmt: skip
_TERMINAL_LAST = frozenset(mark[-1] for mark in TERMINAL_PUNCTUATION)  # to look at sixty marks costs more
# What is typed for such a mark, by the last letter before it, after which there can be a year or a bracket; elsewhere
# these end no sentence. The first letters are those of India, whose danda is `|` on a Latin keyboard; a line that
# begins with one is a row of a table.
_TYPED_MARKS = (
    r"(?:[\u0900-\u0dff][^|\n\u0900-\u0dff]{0,8}\|{1,2}|[\u1200-\u137f][^:\n\u1200-\u137f]{0,8}::"
    r"|[\u0531-\u0589][\d)»]{0,4}:|[\u0370-\u03ff\u1f00-\u1fff][\"”)»]?;)"
)
_TYPED_CHARS = 11  # the longest of them
_TYPED_LAST = ("|", ":", ";")  # how they end
_TYPED_END = re.compile(rf"{_TYPED_MARKS}\Z")
_TYPED_SENTENCE_END = re.compile(rf"{_TYPED_MARKS}(?=[ \t\u00a0])")
# What is written behind a sentence's mark: short notes in brackets and any signs, or a dash and who said it.
_BEHIND_CHARS = 200  # most that is looked at
_DASHES = "—–-"
_BEHIND_A_MARK = re.compile(
    r"(?<![.…])[.!?。！？][\"”’»)」』]*"
    r"(?:(?:\s*+(?>\[[^\[\]]{1,12}\]|\([^()]{1,80}\)|[^\w\s.…,;]))++|\s*[—–-]\s*\w[\w .]{0,40})\Z"
)
_ELLIPSIS_ENDS = ("...", "…", "。。。")
_ELLIPSIS_RUNS = {"...": re.compile(r"\.\.\.+"), "…": re.compile("…+"), "。。。": re.compile("。。。+")}

_SPEECH = frozenset("-–")

# A full stop ends no sentence after an initial or a common abbreviation, nor before a lower-case letter.
_SENTENCE_END = re.compile(
    r"[.!?](?<!\b[A-Z]\.)(?<!\b(?:Mr|Ms|Dr|St|Jr|Sr|No|vs|pp)\.)(?<!\b(?:Mrs|Inc|Ltd|Fig|e\.g|i\.e)\.)(?<!\bProf\.)"
    r"[\"'”’»)\]]*+[ \t\u00a0]++(?![a-z])"
)
_UNSPACED_ENDS = "。！？｡．؟۔।॥။។։።፧"  # scripts that put no space after the mark, or have no lower case


def _sentence_end(marks: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![{marks}])[{marks}]++[\"'”’»)\]」』]*+[ \t\u00a0\u3000]*+(?!\n|\Z)")


_UNSPACED_SENTENCE_END = _sentence_end(_UNSPACED_ENDS)
# Of rarer scripts, and the two wordspaces that are typed for an Ethiopic full stop. They are looked for only where one
# ends a line: to search every text for each of them would cost more than all the rest.
_RARE_SENTENCE_END = re.compile(f"(?:{_sentence_end(''.join(_RARE_ENDS)).pattern})|፡፡(?=[ \\w])")


def starts_with_bullet(line: str) -> bool:
    """Say whether a stripped line starts with a bullet: a bullet sign, or - * + – before white space.

    A dash before a line that ends a sentence is speech: it does for quotation marks in most languages but English.
    """
    first = line[:1]
    if not first:
        return False
    if first in BULLETS:
        return True
    return first in DASH_BULLETS and line[1:2].isspace() and not (first in _SPEECH and ends_with_terminal(line))


def ends_with_ellipsis(line: str) -> bool:
    """Say whether a stripped line ends with three full stops or the ellipsis sign."""
    return line.endswith(_ELLIPSIS_ENDS)


def ends_with_terminal(line: str) -> bool:
    """Say whether a stripped line ends with terminal punctuation; an ellipsis is none (C4)."""
    last = line[-1:]
    if last in _TERMINAL_LAST and line.endswith(TERMINAL_PUNCTUATION):
        return not line.endswith(_ELLIPSIS_ENDS)
    return last in _TYPED_LAST and _ends_with_typed_mark(line)


def ends_a_sentence(line: str) -> bool:
    """Say whether a stripped line ends with a sentence, whatever is written behind its mark.

    That is a note ("[1]", "(Smith 1990)"), signs of any kind ("*", "¶", a face, ":)") or who said it ("—Anna").
    """
    if ends_with_terminal(line):
        return True
    if line[-1:].isalnum():  # then a dash precedes the words, and a letter before it (well-known) rules it out
        at = max(map(line.rfind, _DASHES))
        if at <= 0 or line[at - 1].isalnum():
            return False
    return _BEHIND_A_MARK.search(line, max(len(line) - _BEHIND_CHARS, 0)) is not None


def _ends_with_typed_mark(line: str) -> bool:
    return not line.startswith("|") and _TYPED_END.search(line, max(len(line) - _TYPED_CHARS, 0)) is not None


def count_ellipses(text: str) -> int:
    """Count runs of three or more full stops, and runs of the ellipsis sign."""
    return sum(len(runs.findall(text)) for mark, runs in _ELLIPSIS_RUNS.items() if mark in text)


def count_sentences(lines: Sequence[str]) -> int:
    """Count sentences of stripped lines; a line holds at least one.

    Deviation from C4, which runs punkt over the page: our own expression, because punkt costs milliseconds and needs
    a model for each language. Punkt sees no sentence end in a line feed; datatrove and we do.
    """
    text = "\n".join(lines)
    count = len(lines) + len(_SENTENCE_END.findall(text))
    if text.isascii():
        return count
    if any(mark in text for mark in _UNSPACED_ENDS):
        count += len(_UNSPACED_SENTENCE_END.findall(text))
    last = {line[-1] for line in lines}
    if not last.isdisjoint(("፡", *_RARE_ENDS)):
        count += len(_RARE_SENTENCE_END.findall(text))
    if not last.isdisjoint(_TYPED_LAST) and any(
        line.endswith(_TYPED_LAST) and _ends_with_typed_mark(line) for line in lines
    ):
        count += len(_TYPED_SENTENCE_END.findall(text))
    return count
