from __future__ import annotations

import dataclasses
import pickle
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from schemas.records import Document
from schemas.settings import OTHER, PerLanguage
from transforms.heuristics.gopher import GopherConfig, GopherStats, decide, measure
from transforms.step import Draft, Drop, Filter, run_steps
from transforms.text.view import TextView

GOOD = GopherStats(
    n_words=50,
    n_lines=5,
    mean_word_chars=5.0,
    hashes_per_word=0.0,
    ellipses_per_word=0.0,
    bullet_line_fraction=0.0,
    ellipsis_line_fraction=0.0,
    alphabetic_word_fraction=1.0,
    n_stop_words=2,
)


def test_measures_by_hand() -> None:
    text = "• The #cat sat...\n- and 42 ran\nTHE end…\nwith 7 dogs -"
    # words: • The #cat sat... | - and 42 ran | THE end… | with 7 dogs -  = 4 + 4 + 2 + 4
    # characters: 1+3+4+6 + 1+3+2+3 + 3+4 + 4+1+4+1 = 40; without a letter: • - 42 7 - = 5
    assert measure(TextView(text, "en")) == GopherStats(
        n_words=14,
        n_lines=4,
        mean_word_chars=40 / 14,
        hashes_per_word=1 / 14,
        ellipses_per_word=2 / 14,
        bullet_line_fraction=2 / 4,
        ellipsis_line_fraction=2 / 4,
        alphabetic_word_fraction=9 / 14,
        n_stop_words=3,
    )


def test_symbols_per_word_of_the_text_on_which_libraries_differ() -> None:
    text = "#one #two three... four…\nfive"
    stats = measure(TextView(text))
    assert stats.hashes_per_word == 2 / 5
    assert stats.ellipses_per_word == 2 / 5


def test_stop_words_are_distinct_and_of_the_language() -> None:
    assert measure(TextView("the the THE, the", "en")).n_stop_words == 1
    assert measure(TextView("to be", "")).n_stop_words == 2
    assert measure(TextView("the be to of and that have with", "en")).n_stop_words == 8
    assert measure(TextView("der die das", "de")).n_stop_words == 0
    assert measure(TextView("der die das", "de"), GopherConfig(stop_words=())).n_stop_words is None
    config = GopherConfig(stop_words=("der", "die", "der"))
    assert measure(TextView("der der die das", "de"), config).n_stop_words == 2


def test_word_length_is_not_measured_without_spaces() -> None:
    config = GopherConfig(stop_words=())
    stats = measure(TextView("我喜欢编程。", "zh"), config)
    assert stats.n_words == 5
    assert stats.mean_word_chars is None
    assert stats.alphabetic_word_fraction == 1.0
    assert decide(dataclasses.replace(stats, n_words=50), config) is None


@pytest.mark.parametrize("text", ["", " \n ", "\n"])
def test_empty_text_is_measured_and_dropped(text: str) -> None:
    stats = measure(TextView(text))
    assert (stats.n_words, stats.mean_word_chars, stats.n_stop_words) == (0, None, None)
    assert decide(stats, GopherConfig()) == Drop("too_few_words", 0, 50)


@pytest.mark.parametrize(
    ("field", "kept", "dropped", "reason", "limit"),
    [
        ("n_words", 50, 49, "too_few_words", 50),
        ("n_words", 100_000, 100_001, "too_many_words", 100_000),
        ("mean_word_chars", 3.0, 2.99, "words_too_short", 3.0),
        ("mean_word_chars", 10.0, 10.01, "words_too_long", 10.0),
        ("hashes_per_word", 0.1, 0.101, "too_many_hashes", 0.1),
        ("ellipses_per_word", 0.1, 0.101, "too_many_ellipses", 0.1),
        ("bullet_line_fraction", 0.9, 0.91, "too_many_bullet_lines", 0.9),
        ("ellipsis_line_fraction", 0.3, 0.31, "too_many_ellipsis_lines", 0.3),
        ("alphabetic_word_fraction", 0.8, 0.79, "too_few_alphabetic_words", 0.8),
        ("n_stop_words", 2, 1, "too_few_stop_words", 2),
    ],
)
def test_both_sides_of_each_limit(field: str, kept: float, dropped: float, reason: str, limit: float) -> None:
    assert decide(dataclasses.replace(GOOD, **{field: kept}), GopherConfig()) is None
    assert decide(dataclasses.replace(GOOD, **{field: dropped}), GopherConfig()) == Drop(reason, dropped, limit)


def test_limits_on_texts() -> None:
    word = "the of dog\n"
    assert decide(measure(TextView(word * 17)), GopherConfig(min_mean_word_chars=2)) is None  # 51 words
    assert decide(measure(TextView(word * 16)), GopherConfig()) == Drop("too_few_words", 48, 50)
    tenth = "that have " * 45 + "# " * 10  # 10 signs, 100 words
    assert measure(TextView(tenth)).hashes_per_word == 0.1
    assert decide(measure(TextView(tenth)), GopherConfig()) is None
    more = "that have " * 45 + "# " * 10 + "#"
    assert decide(measure(TextView(more)), GopherConfig()) == Drop("too_many_hashes", 11 / 101, 0.1)


def test_as_a_step() -> None:
    step = Filter("gopher", measure, decide, GopherConfig())
    assert step.stats is GopherStats
    assert pickle.loads(pickle.dumps(step)).measure is measure


def test_a_wrong_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"max_bullet_line_fraction: 1\.5"):
        GopherConfig(max_bullet_line_fraction=1.5)


@settings(deadline=None)
@given(st.text(), st.sampled_from(["", "en", "de", "zh"]))
def test_any_text(text: str, language: str) -> None:
    stats = measure(TextView(text, language).as_prose)
    letters = [word for word in TextView(text).words if any(c.isalpha() for c in word)]
    assert stats.alphabetic_word_fraction == (len(letters) / stats.n_words if stats.n_words else None)
    assert 0 <= stats.bullet_line_fraction <= 1
    assert 0 <= stats.ellipsis_line_fraction <= 1
    drop = decide(stats, GopherConfig())
    assert drop is None or drop.value is not None


def test_limits_and_stop_words_by_language() -> None:
    config = PerLanguage(
        GopherConfig(min_words=3),
        {"zh": {"min_words": 5}, "de": {"stop_words": ["der", "die"]}, OTHER: {"stop_words": []}},
    )
    step = Filter("gopher", measure, decide, config)
    texts = {"zh": "我喜欢你", "th": "ฉันรักคุณ", "de": "das Haus am Meer", "en": "the middle of nowhere"}
    drafts = [Draft(Document(id=code, text=text, language=code)) for code, text in texts.items()]
    run_steps((step,), drafts, Counter(), Counter())
    assert [draft.drop and (draft.drop.reason, draft.drop.limit) for draft in drafts] == [
        ("too_few_words", 5), None, ("too_few_stop_words", 2), None,
    ]  # fmt: skip
    assert measure(TextView("the of", "en"), config.of("en")).n_stop_words == 2
    assert step.stats is GopherStats
    assert pickle.loads(pickle.dumps(step)).settings == config


def test_shares_of_few_lines_are_not_judged() -> None:
    few = dataclasses.replace(GOOD, n_lines=4, ellipsis_line_fraction=1.0, bullet_line_fraction=1.0)
    assert decide(few, GopherConfig()) is None
    assert decide(few, GopherConfig(min_lines=1)) == Drop("too_many_bullet_lines", 1.0, 0.9)


def test_marks_of_headings_are_no_symbols() -> None:
    text = "# Winnow\n## Install\nRun the #1 command.\n###### Last\n#tag"
    assert measure(TextView(text)).hashes_per_word == 2 / 11
    assert measure(TextView(text), GopherConfig(by_blocks=False)).hashes_per_word == 11 / 11
