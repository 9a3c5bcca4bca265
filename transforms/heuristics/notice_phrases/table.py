"""The rows of all languages, by the code of lid.176, and what fits every language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from transforms.heuristics.notice_phrases.east_asian import EAST_ASIAN
from transforms.heuristics.notice_phrases.germanic import GERMANIC
from transforms.heuristics.notice_phrases.romance import ROMANCE
from transforms.heuristics.notice_phrases.row import Row
from transforms.heuristics.notice_phrases.slavic import SLAVIC

ROWS: Final[Mapping[str, Row]] = {**GERMANIC, **ROMANCE, **SLAVIC, **EAST_ASIAN}

# In every language: a code of HTTP, which can come before what else a headline says, and what servers say in English.
# A number alone is an error only if it is one of the two that everybody knows: 460 is a count.
_CODE = r"(?:40[0-9]|410|451|50[0-4])(?:\.\d)?"
_AFTER = r"[\s:,!.–—|-]+(?:error|fehler|erreur|errore|erro|fout|błąd|ошибка|page|not found|forbidden|gone|エラー|错误)"
HTTP_ERROR: Final = (
    rf"(?:(?:(?:http|error|fehler|erreur|errore|erro|fout|błąd|ошибка|エラー|错误)[ :-]*)+{_CODE}(?:{_AFTER})*"
    rf"|{_CODE}(?:{_AFTER})+|40[34])"
)
SERVER_ERRORS: Final = ("just a moment|access denied|bad gateway",)
