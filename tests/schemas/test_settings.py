from __future__ import annotations

from dataclasses import dataclass

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError
from schemas.settings import merge, overlay, read_yaml, section, setting, to_commented_yaml, to_plain, validate


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
        ({"names": "a"}, "names: 'a' is not allowed; expected a list of text"),
        ({"names": [1]}, "names[0]: 1 is not allowed; expected text"),
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
    with pytest.raises(ConfigError, match=r"\Af\.yaml: [^\n]*\Z"):
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
