"""Values as they were written: the type of the setting decides, not YAML."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from schemas.errors import ConfigError
from schemas.given import Written, bare
from schemas.settings import merge, overlay, section, setting, validate
from schemas.settings_yaml import read_document, read_value


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    share: float = setting(0.5, "a share")
    label: str = setting("", "a label")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Some:
    name: str = setting("", "a name")
    names: tuple[str, ...] = setting((), "names")
    numbers: tuple[int, ...] = setting((), "numbers")
    count: int = setting(1, "a number")
    lr: float = setting(0.1, "a rate")
    flag: bool = setting(False, "yes or no")
    limit: int | None = setting(None, "a limit")
    shares: dict[str, float] = setting({}, "shares by name")
    part: Part | None = section(Part, "a part", optional=True)

    def __post_init__(self) -> None:
        validate(self)


def given(key: str, text: str) -> Any:
    return getattr(overlay(Some(), {key: read_value(text, key)}), key)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("name", "1", "1"),
        ("name", "no", "no"),
        ("name", "1.50", "1.50"),
        ("name", "007", "007"),
        ("name", "2020-01-01", "2020-01-01"),
        ("name", "", ""),
        ("name", "null", "null"),
        ("name", "~/x", "~/x"),
        ("names", "en", ("en",)),
        ("names", "no", ("no",)),
        ("names", "1", ("1",)),
        ("names", "[no, 1, de]", ("no", "1", "de")),
        ("names", "[]", ()),
        ("numbers", "3", (3,)),
        ("numbers", "[3, 1e2]", (3, 100)),
        ("count", "1e6", 1_000_000),
        ("count", "1_000", 1000),
        ("lr", "1e-4", 1e-4),
        ("lr", "5", 5.0),
        ("flag", "yes", True),
        ("flag", "off", False),
        ("limit", "null", None),
        ("limit", "7", 7),
        ("shares", "{no: 0.5, en: 1}", {"no": 0.5, "en": 1.0}),
        ("part", "off", None),
        ("part", "{share: 1}", Part(share=1.0)),
        ("part", "{label: no, share: 1e-1}", Part(share=0.1, label="no")),
    ],
)
def test_the_type_of_the_setting_decides(key: str, text: str, value: Any) -> None:
    found = given(key, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("count", "1e-1", "count: 0.1 is not allowed; expected a whole number"),
        ("count", "many", "count: 'many' is not allowed; expected a whole number"),
        ("count", "yes", "count: True is not allowed; expected a whole number"),
        ("count", "", "count: no value is not allowed; expected a whole number"),
        ("numbers", "x", "numbers: 'x' is not allowed; expected a whole number"),
        ("numbers", "[1, x]", "numbers[1]: 'x' is not allowed; expected a whole number"),
        ("names", "{a: 1}", "names: {'a': 1} is not allowed; expected a list of text"),
        ("flag", "1", "flag: 1 is not allowed; expected true or false"),
        ("shares", "en:0.5", "shares: 'en:0.5' is not allowed; expected a mapping of names to a number"),
        ("part", "3", "part: 3 is not allowed; expected a group of settings, on or off"),
        ("name", "[", "name: the value is not valid YAML"),
        ("shares", "{en: 1, en: 2}", "shares: the value is not valid YAML"),
    ],
)
def test_what_it_cannot_be_is_refused(key: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        given(key, text)
    assert str(error.value).startswith(message)
    assert "Written" not in str(error.value)


def test_a_section_that_is_switched_on_keeps_its_settings() -> None:
    merged = merge({"part": {"share": 1}}, {"part": read_value("on", "part")})
    assert merged == {"part": {"share": 1}}
    assert merge({"part": {"share": 1}}, {"part": read_value("off", "part")}) == {"part": Written(False, "off")}


def test_bare_values() -> None:
    assert bare(read_value("{a: [1, no, x]}", "a")) == {"a": [1, False, "x"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [\n", "f.yaml, line 3, column 1: not valid YAML: "),
        ("a: 1\n\tb: 2\n", "f.yaml, line 2, column 1: not valid YAML: found character"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml, line 3, column 1: not valid YAML: 'a' is there twice"),
        ("x: {a: 1, a: 2}\n", "f.yaml, line 1, column 11: not valid YAML: 'a' is there twice"),
        ("a: *b\n", "f.yaml, line 1, column 4: not valid YAML: "),
        ("a: !!python/none 1\n", "f.yaml, line 1, column 4: not valid YAML: "),
        ("a: \x00\n", "f.yaml: not valid YAML: "),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_document(text, "f.yaml")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_what_a_file_says_by_reference_is_not_twice() -> None:
    text = "base: &base {x: 1}\nother: {<<: *base, x: 2}\n"
    assert read_document(text, "f.yaml") == {"base": {"x": 1}, "other": {"x": 2}}
