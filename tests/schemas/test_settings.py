from __future__ import annotations

import json
import pickle
from dataclasses import dataclass

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError
from schemas.settings import (
    PerLanguage,
    merge,
    overlay,
    section,
    setting,
    to_plain,
    validate,
)
from schemas.settings_yaml import read_yaml, to_commented_yaml


@dataclass(frozen=True, kw_only=True)
class Inner:
    share: float = setting(0.5, "a share", ge=0, le=1)
    mode: str = setting("fast", "how", choices=("fast", "slow"))

    __post_init__ = validate


@dataclass(frozen=True, kw_only=True)
class Outer:
    count: int = setting(3, "a count", ge=1)
    limit: int | None = setting(None, "a limit, or none")
    names: tuple[str, ...] = setting((), "some names")
    shares: dict[str, float] = setting({}, "shares by name", ge=0)
    flag: bool = setting(True, "yes or no")
    inner: Inner = section(Inner, "the inner part")

    __post_init__ = validate


def test_overlay_replaces_what_is_named_and_nothing_else() -> None:
    changed = overlay(Outer(), {"count": 5, "inner": {"share": 1}, "names": ["a", "b"], "shares": {"x": 2}})
    assert changed == Outer(count=5, names=("a", "b"), shares={"x": 2.0}, inner=Inner(share=1.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cuont": 5}, "cuont: unknown setting; did you mean count?"),
        ({"zzz": 5}, "zzz: unknown setting; allowed: count, limit, names, shares, flag, inner"),
        ({"inner": {"shore": 1}}, "inner.shore: unknown setting; did you mean inner.share?"),
        ({"count": "five"}, "count: 'five' is not allowed; expected a whole number"),
        ({"count": True}, "count: True is not allowed; expected a whole number"),
        ({"count": 1.5}, "count: 1.5 is not allowed; expected a whole number"),
        ({"count": 0}, "count: 0 is not allowed; must be >= 1"),
        ({"flag": 1}, "flag: 1 is not allowed; expected true or false"),
        ({"names": {"a": 1}}, "names: {'a': 1} is not allowed; expected a list of text"),
        ({"names": None}, "names: no value is not allowed; expected a list of text"),
        ({"names": [1]}, "names[0]: 1 is not allowed; expected text; YAML reads it so: put it in quotes"),
        ({"names": False}, "names: False is not allowed; expected text; YAML reads it so: put it in quotes"),
        ({"shares": {"x": -1}}, "shares: -1.0 is not allowed; must be >= 0"),
        ({"inner": 3}, "inner: 3 is not allowed; expected a group of settings"),
        ({"inner": {"share": 1.01}}, "inner.share: 1.01 is not allowed; must be >= 0, <= 1"),
        ({"inner": {"share": float("nan")}}, "inner.share: nan is not allowed; expected a number"),
        ({"inner": {"mode": "odd"}}, "inner.mode: 'odd' is not allowed; must be one of fast, slow"),
        ({"limit": "x"}, "limit: 'x' is not allowed; expected a whole number"),
    ],
)
def test_a_wrong_setting_is_refused_with_key_value_and_what_is_allowed(changes: dict, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overlay(Outer(), changes)
    assert str(caught.value) == message


def test_limits_are_inclusive() -> None:
    assert overlay(Outer(), {"inner": {"share": 0}}).inner.share == 0.0
    assert overlay(Outer(), {"inner": {"share": 1}}).inner.share == 1.0


def test_a_component_built_in_python_is_checked_too() -> None:
    with pytest.raises(ConfigError, match=r"share: 2\.0 is not allowed"):
        Inner(share=2.0)


def test_the_commented_yaml_holds_every_setting_and_reads_back_as_the_same() -> None:
    config = Outer(names=("ä", "b: c"), shares={"x": 0.25}, limit=7)
    text = to_commented_yaml(config)
    assert yaml.safe_load(text) == to_plain(config)
    assert overlay(Outer(), read_yaml(text, "text")) == config
    assert "# a share [>= 0, <= 1]" in text


@pytest.mark.parametrize("text", ["- a", "3", "a: [", "{"])
def test_what_is_no_mapping_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"\Af\.yaml(, line 1, column \d+)?: [^\n]*\Z"):
        read_yaml(text, "f.yaml")


def test_an_empty_file_changes_nothing() -> None:
    assert read_yaml("# nothing\n", "f.yaml") == {}


def test_merge_goes_into_groups_and_the_one_above_counts() -> None:
    below, above = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"c": 4}, "d": {"e": 5}}
    assert merge(below, above) == {"a": {"b": 1, "c": 4}, "d": {"e": 5}}


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=3)))
def test_any_mapping_gives_a_config_or_a_config_error(changes: dict) -> None:
    try:
        assert isinstance(overlay(Outer(), changes), Outer)
    except ConfigError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message


@dataclass(frozen=True, kw_only=True)
class Switched:
    rule: Inner | None = section(lambda: Inner(share=0.25), "a rule", optional=True)
    always: Inner = section(Inner, "a rule that cannot be off")
    words: PerLanguage[Outer] = section(lambda: PerLanguage(Outer(), {"zh": {"count": 20}}), "rules by language")
    both: PerLanguage[Inner] | None = section(lambda: PerLanguage(Inner()), "both", optional=True)

    __post_init__ = validate


def laid(config: Switched, text: str) -> Switched:
    return overlay(config, read_yaml(text, "text"))


def test_an_optional_section_is_switched_off_and_on() -> None:
    off = laid(Switched(), "rule: off")
    assert off.rule is None
    assert laid(off, "rule: on").rule == Inner(share=0.25)  # the defaults of this section, not of its class
    assert laid(off, "rule: {mode: slow}").rule == Inner(share=0.25, mode="slow")
    assert laid(off, "rule: {}").rule == Inner(share=0.25)
    assert laid(off, "rule: 'off'").rule is None  # quoted; in JSON and TOML
    assert laid(Switched(rule=Inner(share=0.5)), "rule: on").rule == Inner(share=0.5)
    assert laid(Switched(), "both: off").both is None
    assert laid(laid(Switched(), "both: off"), "both: on") == Switched()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("always: off", "always: it cannot be switched off; expected a group of settings"),
        ("always: on", "always: True is not allowed; expected a group of settings"),
        ("words: off", "words: it cannot be switched off; expected a group of settings"),
        ("words: {inner: off}", "words.inner: it cannot be switched off; expected a group of settings"),
        ("rule: 3", "rule: 3 is not allowed; expected a group of settings, on or off"),
        ("rule:", "rule: None is not allowed; expected a group of settings, on or off"),
        ("rule: {shore: 1}", "rule.shore: unknown setting; did you mean rule.share?"),
        ("words: {cuont: 1}", "words.cuont: unknown setting; did you mean words.count?"),
        ("words: {by_lang: 1}", "words.by_lang: unknown setting; did you mean words.by_language?"),
        ("words: {by_language: off}", "words.by_language: False is not allowed; expected settings by language code"),
        ("words: {by_language: {zh: 3}}", "words.by_language.zh: 3 is not allowed; expected a group of settings"),
        ("both: {by_language: {zh: {shore: 3}}}",
         "both.by_language.zh.shore: unknown setting; did you mean both.by_language.zh.share?"),
        ("words: {by_language: {zh: {inner: {share: 3}}}}",
         "words.by_language.zh.inner.share: 3.0 is not allowed; must be >= 0, <= 1"),
        ("words: {by_language: {zh: {count: 0}}}", "words.by_language.zh.count: 0 is not allowed; must be >= 1"),
        ("words: {by_language: {Chinese: {}}}",
         "words.by_language.Chinese: not a language code; expected en, de, zh, ..."),
        ("words: {by_language: {no: {count: 3}}}",
         "words.by_language.False: not a language code; put 'no' in quotes, YAML reads it as false"),
        ("words: {count: 0}", "words.count: 0 is not allowed; must be >= 1"),
    ],
)  # fmt: skip
def test_wrong_sections_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        laid(Switched(), text)
    assert str(caught.value) == message


def test_a_language_has_its_own_values_and_follows_the_default_in_all_others() -> None:
    words = laid(Switched(), "words: {flag: false, by_language: {zh: {inner: {share: 1}}, th: {names: [a]}}}").words
    assert words.of("zh") == Outer(count=20, flag=False, inner=Inner(share=1.0))
    assert words.of("th") == Outer(names=("a",), flag=False)
    assert words.of("de") == words.of("") == words.default == Outer(flag=False)


def test_the_narrower_of_other_script_and_language_wins() -> None:
    keys = "other: {count: 3, flag: false}, Hang: {count: 4}, ko: {names: [a]}, en: {count: 5}"
    words = laid(Switched(), f"words: {{count: 2, by_language: {{{keys}}}}}").words
    assert words.of("ko", "Hang") == Outer(count=4, flag=False, names=("a",))
    assert words.of("ko", "Latn") == Outer(count=3, flag=False, names=("a",))
    assert words.of("xx", "Hang") == words.of("", "Hang") == Outer(count=4, flag=False)
    assert words.of("xx") == words.of("xx", "Latn") == Outer(count=3, flag=False)
    assert words.of("en", "Hang") == words.of("en", "Latn") == Outer(count=5)
    assert words.of("") == words.default == Outer(count=2)
    assert (words.languages, words.scripts) == ({"ko", "en", "zh"}, {"Hang"})
    assert list(words.by_language) == ["other", "Hang", "en", "ko", "zh"]


@pytest.mark.parametrize("key", ["hang", "HANG", "Han", "others", "Other", "ko_KR"])
def test_what_is_neither_a_language_nor_a_script_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"words\.by_language\.{key}: not a language code"):
        laid(Switched(), f"words: {{by_language: {{{key}: {{count: 3}}}}}}")


def test_many_languages_are_printed_one_below_the_other() -> None:
    keys = ["other", "Hang", *(f"l{letter}" for letter in "abcdefg")]
    config = laid(Switched(), f"words: {{by_language: {{{', '.join(key + ': {count: 3}' for key in keys)}}}}}")
    written = to_commented_yaml(config)
    assert laid(Switched(), written) == config
    lines = written.splitlines()
    assert lines[lines.index("  by_language:") :][1:7] == [
        "    # all but English", "    other: {count: 3}", "    # script Hang", "    Hang: {count: 3}",
        "    # language la", "    la: {count: 3}",
    ]  # fmt: skip


def test_a_setting_that_is_a_mapping_is_replaced_whole_by_the_narrower_entry() -> None:
    default = Outer(shares={"default": 0.1})
    entries = {
        "other": {"shares": {"wide": 0.2}, "inner": {"mode": "slow"}},
        "Hang": {"shares": {"script": 0.3}, "inner": {"share": 1}},
        "ko": {"shares": {"narrow": 0.4}},
    }
    words = PerLanguage(default, entries)
    assert words.of("de", "Latn").shares == {"wide": 0.2}
    assert words.of("xx", "Hang").shares == {"script": 0.3}
    assert words.of("ko", "Hang").shares == {"narrow": 0.4}
    assert words.of("ko", "Latn").shares == {"narrow": 0.4}
    assert words.of("ko", "Hang").inner == Inner(mode="slow", share=1.0)  # a section is not replaced
    assert words.of("en", "Latn") == words.of("") == default


def test_equal_settings_by_language_are_equal_data() -> None:
    one = PerLanguage(Inner(), {"zh": {"share": 1}, "th": {}, "de": {"mode": "slow"}})
    other = PerLanguage(Inner(), {"de": {"mode": "slow"}, "zh": {"share": 1.0}})
    assert one == other
    assert json.dumps(to_plain(one)) == json.dumps(to_plain(other))
    assert to_plain(PerLanguage(Inner())) == to_plain(Inner())  # a section that becomes PerLanguage keeps its key
    assert pickle.loads(pickle.dumps(one)).of("zh") == Inner(share=1.0)


def test_a_wrong_language_is_refused_in_python_too() -> None:
    with pytest.raises(ConfigError, match=r"\Aby_language\.zh\.shore: unknown setting"):
        PerLanguage(Inner(), {"zh": {"shore": 1}})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rule: off",
        "{rule: off, both: off}",
        "{rule: {mode: slow}, both: {by_language: {en: {share: 0.125}}}}",
        "words: {count: 9, by_language: {zh: {names: ['no', ä], inner: {share: 1}}, th: {shares: {x: 1}}}}",
    ],
)
def test_the_config_that_a_run_writes_reads_back_as_the_same(text: str) -> None:
    config = laid(Switched(), text)
    written = to_commented_yaml(config)
    assert laid(Switched(), written) == config
    assert overlay(Switched(), json.loads(json.dumps(to_plain(config)))) == config
    assert to_plain(laid(Switched(), written)) == to_plain(config)


def test_the_commented_yaml_says_what_can_be_off_and_what_languages_can_have() -> None:
    lines = to_commented_yaml(laid(Switched(), "{rule: off, words: {by_language: {zh: {flag: no}}}}")).splitlines()
    assert lines[:2] == ["# a rule; `off` switches it off", "rule: off"]
    assert "# a rule that cannot be off" in lines
    assert "  by_language: {zh: {count: 20, flag: false}}" in lines
    assert "  by_language: {}" in lines


def test_merged_sections_are_off_or_on_as_the_one_above_says() -> None:
    assert merge({"a": {"b": 1}}, {"a": False}) == {"a": False}
    assert merge({"a": False}, {"a": {"b": 1}}) == {"a": {"b": 1}}
    assert merge({"a": False}, {"a": True}) == {"a": True}
    assert merge({"a": {"b": 1}}, {"a": True}) == {"a": {"b": 1}}
