"""Which settings a rule's measure reads."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, fields
from typing import Any

import pytest

from classifiers.steps import quality
from classifiers.steps.language import IdentifyLanguage, LanguageConfig
from classifiers.steps.quality import ScoreQuality
from pipelines.recipes.common_crawl import CleanConfig, clean_steps
from schemas.settings import PerLanguage
from transforms.heuristics import c4, gopher, junk, repetition
from transforms.safety.dirty_words import FilterDirtyWords
from transforms.settings_read import settings_read_by, settings_worked_by
from transforms.step import Editor, Redecides
from transforms.text.view import TextView


@dataclass(frozen=True)
class Config:
    a: int = 1
    b: int = 2
    c: int = 3


def one(text: str, config: Config) -> int:
    return config.a + len(text)


def handed_on(text: str, config: Config) -> int:
    return one(text, config) + other(settings=config)


def other(settings: Config) -> int:
    return sum(settings.b for _ in range(2))


def by_itself(text: str, config: Config) -> int:
    return config.c if not text else by_itself(text[1:], config)


def kept(text: str, config: Config) -> int:
    some = config
    return some.a


def looked_up(text: str, config: Config) -> Any:
    return getattr(config, text)


def rebound(text: str, config: Config) -> int:
    config = Config(config.b)
    return config.a


def spread(text: str, config: Config) -> int:
    return one(*[text, config])


def shadowed(text: str, config: Config) -> Any:
    return (lambda config: config.a)(config)


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (one, {"a"}),
        (handed_on, {"a", "b"}),
        (by_itself, {"c"}),
        (len, None),
        (kept, None),
        (looked_up, None),
        (rebound, None),
        (spread, None),
        (shadowed, None),
        (functools.partial(one, "x"), None),
        (gopher.measure_length, set()),
        (gopher.measure, {"by_blocks", "stop_words"}),
        (repetition.measure, {"by_blocks", "count_first_copy", "min_duplicate_words"}),
        (c4.measure_page, {"by_blocks"}),
    ],
)
def test_the_settings_of_a_function(function: Any, found: set[str] | None) -> None:
    assert settings_read_by(function) == found


def test_limits_are_believed_where_the_source_does_not_tell() -> None:
    assert settings_worked_by(kept, Config(), ()) is None
    assert settings_worked_by(kept, Config(), ("b",)) == {"a", "c"}
    assert settings_worked_by(kept, PerLanguage(Config()), ("b", "c")) == {"a"}
    assert settings_worked_by(one, Config(), ("a",)) == {"a"}  # where it does tell, it is right


class Watched:
    """A configuration that remembers what was read of it."""

    def __init__(self, config: Any) -> None:
        self._config = config
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._config, name)


TEXTS = (
    "",
    "Please enable JavaScript [1]. We use cookies, read our policy.\n" * 4,
    "Search results\n3 results found for shoes\nSign in to your account\nPassword\n" + "word, " * 90,
    "# A heading\n\n" + "This is a sentence of a text that the rules have to look at {x: 1}.\n" * 30,
    "これは日本語の文章です。" * 40,
)


@pytest.mark.parametrize("text", TEXTS)
def test_no_rule_of_ours_reads_a_setting_that_is_not_found(text: str) -> None:
    for step in clean_steps(CleanConfig()):
        config = step.settings.default if isinstance(step.settings, PerLanguage) else step.settings
        function = {"junk": junk.measure}.get(step.name, getattr(step, "measure", getattr(step, "edit", None)))
        found = step.measured_with  # type: ignore[attr-defined]
        if function is None or found is None:
            continue
        others = found - {field.name for field in fields(config)}  # properties: whatif takes them for all settings
        assert all(isinstance(getattr(type(config), name), property) for name in others)
        watched = Watched(dataclasses.replace(config, max_spans={"all": 9}) if step.name.startswith("pii") else config)
        known = function.__code__.co_varnames[: function.__code__.co_argcount]
        function(TextView(text, "en"), **({"config": watched} if "config" in known else {}))
        assert watched.read <= found, step.name


def test_what_the_steps_with_models_and_lists_measure_by_is_known() -> None:
    assert settings_read_by(quality.measure) == {"positive_label", "text_form", "max_chars", "calibration"}
    assert ScoreQuality.measured_with == {
        "positive_label", "text_form", "max_chars", "model_path", "model_sha256", "calibration", "transformer",
    }  # fmt: skip
    assert IdentifyLanguage.measured_with == {"max_chars", "model_path", "model_sha256"}
    assert FilterDirtyWords.measured_with == {"directory"}


def test_our_filters_decide_again_and_our_editors_do_not() -> None:
    steps = {step.name: step for step in clean_steps(CleanConfig())}
    assert {name for name, step in steps.items() if not isinstance(step, Redecides)} == {
        "pii",
        "ngram_lines",
        "c4_lines",
    }
    assert {name for name, step in steps.items() if isinstance(step, Editor)} == {"pii", "ngram_lines", "c4_lines"}
    assert isinstance(IdentifyLanguage(LanguageConfig()), Redecides)
