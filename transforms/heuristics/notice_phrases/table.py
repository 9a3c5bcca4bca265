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

# In every language: what servers say in English, and a code of HTTP.
ANY_ERROR: Final = (
    r"(?:http |error |fehler |erreur |errore |erro |fout |błąd |ошибка |エラー ?|错误 ?)*[45]\d\d(?:[\s:,!.–—|-]+"
    r"(?:error|fehler|erreur|errore|erro|fout|błąd|ошибка|page|not found|forbidden|エラー|错误))*",
    r"just a moment|access denied|bad gateway",
)
