"""The table of limits by language: what it holds, and that none is stricter than the English one."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.settings import OTHER, PerLanguage
from transforms.heuristics.c4 import C4Config
from transforms.heuristics.fineweb import FineWebConfig
from transforms.heuristics.fineweb import measure as measure_fineweb
from transforms.heuristics.gopher import GopherConfig
from transforms.heuristics.gopher import measure as measure_gopher
from transforms.heuristics.junk import JunkConfig
from transforms.heuristics.languages import (
    ROWS,
    SHORT_LINE_CHARS,
    STOP_WORDS,
    c4_limits,
    fineweb_limits,
    gopher_limits,
    junk_limits,
    repetition_limits,
)
from transforms.heuristics.repetition import RepetitionConfig, measure
from transforms.text.scripts import LANGUAGES, SCRIPT_CODES, SCRIPTS
from transforms.text.view import TextView

RULES = [
    PerLanguage(GopherConfig(), gopher_limits()),
    PerLanguage(C4Config(), c4_limits()),
    PerLanguage(FineWebConfig(), fineweb_limits()),
    PerLanguage(RepetitionConfig(), repetition_limits()),
    PerLanguage(JunkConfig(), junk_limits()),
]
KEYS = [key for keys in ROWS for key in keys.split()]


def test_each_key_stands_once_and_is_a_language_or_a_script() -> None:
    assert len(set(KEYS)) == len(KEYS)
    assert {key for key in KEYS if not key.islower()} <= SCRIPT_CODES
    assert set(SHORT_LINE_CHARS) <= SCRIPT_CODES
    assert "en" not in KEYS  # it has the settings that the others vary


@pytest.mark.parametrize("config", RULES, ids=lambda config: type(config.default).__name__)
def test_no_limit_is_stricter_than_the_english_one(config: PerLanguage[Any]) -> None:
    for key in KEYS:
        language, script = (key, "") if key.islower() else ("xx", key)
        limits = config.of(language if key != OTHER else "xx", script)
        for name in {name for changes in config.by_language.values() for name in changes} - {"stop_words"}:
            english, found = getattr(config.default, name), getattr(limits, name)
            assert found >= english if name.startswith("max_") else found <= english, (key, name)


def test_every_language_without_spaces_has_a_row_and_a_script_to_fall_back_on() -> None:
    for language, script in LANGUAGES.items():
        assert language in KEYS
        assert SCRIPTS[script].code in KEYS
    assert {script.code for script in SCRIPTS.values()} - set(KEYS) == {"Yiii"}  # as any other


@pytest.mark.parametrize("language", STOP_WORDS)
def test_stop_words_are_small_normal_words_each_once(language: str) -> None:
    words = STOP_WORDS[language].split()
    assert language in KEYS
    assert len(set(words)) == len(words) >= 9
    assert TextView(" ".join(words)).normal_words == words
    config = PerLanguage(GopherConfig(), gopher_limits())
    assert measure_gopher(TextView(" ".join(words), language), config.of(language)).n_stop_words == len(words)


def test_english_and_unknown_texts_have_the_limits_of_the_papers() -> None:
    for config in RULES:
        assert config.of("en", "Latn") == config.of("") == config.default


@pytest.mark.parametrize(
    ("text", "language", "short"),
    [
        ("茶" * 7, "zh", 1.0),
        ("茶" * 8, "zh", 0.0),
        ("の" * 11, "ja", 1.0),
        ("の" * 12, "ja", 0.0),
        ("비" * 12, "ko", 1.0),
        ("비" * 13, "xx", 0.0),
        ("a" * 29, "de", 1.0),
        ("ж" * 30, "ru", 0.0),
        ("茶" * 20, "en", 1.0),  # said to be English
    ],
)
def test_a_short_line_is_one_that_says_as_little_as_an_english_one(text: str, language: str, short: float) -> None:
    assert measure_fineweb(TextView(text, language), FineWebConfig(min_lines=1)).short_line_fraction == short


def test_an_n_gram_of_thai_is_as_long_as_one_of_english() -> None:
    sentence = "กขคงจฉชซฌญฎฏฐฑฒณดตถท"  # 20 letters: five words of English
    text = sentence + "ธนบปผ" + sentence
    stats = measure(TextView(text, "th"), RepetitionConfig(count_first_copy=True))
    assert stats.duplicate_5_gram_fraction == 40 / 45
    assert stats.duplicate_6_gram_fraction == 0.0
