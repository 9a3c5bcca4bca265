"""Values as a person wrote them: YAML takes `1` for a number and `no` for false where a setting is text.

A setting's type decides, so the command line keeps how each value was written (`Written`) until the setting is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from schemas.errors import ConfigError

_EXPONENT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")  # YAML 1.1 takes 1e6 and 1e-4 for text


@dataclass(frozen=True)
class Written:
    """A value that YAML does not take for text, and how it was written."""

    value: Any  # None, bool, int, float, or a date
    text: str


def bare(value: Any) -> Any:
    """Return a value, and all that it holds, without how it was written."""
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value.value if isinstance(value, Written) else value


def as_asked(value: Any, kind: Any) -> Any:
    """Return a value as `kind`, the type of its setting, may want it: its text, a number with an exponent."""
    if isinstance(value, Written):
        return value.text if kind is str else value.value
    if kind in (int, float) and isinstance(value, str) and _EXPONENT.fullmatch(value):
        number = float(value)
        return int(number) if kind is int and number.is_integer() else number
    return value


def hint_for(value: Any, kind: Any) -> str:
    """Return what to add to the refusal of a value that a YAML file has for a text."""
    if kind is str and isinstance(value, (bool, int, float)):
        return "; YAML reads it so: put it in quotes"
    return ""


def read_value(text: str, name: str) -> Any:
    """Return the value of one setting of the command line. ConfigError when it is not valid YAML."""
    if not text.strip():
        return Written(None, "")
    try:
        return yaml.load(text, _AsWritten)
    except yaml.YAMLError:
        raise ConfigError(f"{name}: the value is not valid YAML; text with brackets or colons needs quotes") from None


def read_document(text: str, name: str) -> Any:
    """Return the content of a YAML file. ConfigError, with the line, when it is not valid or says something twice."""
    try:
        return yaml.load(text, _NothingTwice)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = " ".join(f"{error.problem or error.context or ''}".split())
        raise ConfigError(f"{name}{where}: not valid YAML: {what}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None


class _NothingTwice(yaml.SafeLoader):
    """Refuses a mapping that has a key twice: YAML's own loader takes the last one without a word."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is there twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class _AsWritten(_NothingTwice):
    """Gives what is not text as `Written`; keys of mappings are always text."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        found = super().construct_object(node, deep)
        if isinstance(node, yaml.ScalarNode) and not isinstance(found, (str, Written)):
            return Written(found, node.value)
        return found

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        found = super().construct_mapping(node, deep)
        return {key.text if isinstance(key, Written) else key: value for key, value in found.items()}
