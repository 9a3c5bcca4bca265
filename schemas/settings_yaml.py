"""Settings as YAML: read from a file, and written with the meaning and the limits of each.

In a module of its own, so that a stage whose settings these are does not depend on the version of a YAML library.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import yaml

from schemas.errors import ConfigError
from schemas.given import Written
from schemas.settings import BY_LANGUAGE, OTHER, PerLanguage, is_section, limits_text, to_plain

_BY_LANGUAGE_DOC = (
    "settings that differ by language (ko), script (Hang) or wherever it is not English (other); the narrower wins: "
    "{zh: {name: value}}"
)
_WIDTH = 120  # a longer mapping has a line for each language
_OPTIONAL_DOC = "; `off` switches it off"


def read_yaml(text: str, name: str) -> dict[str, Any]:
    """Return the mapping of settings in a YAML document; `name` says where it came from in messages."""
    changes = read_document(text, name)
    if changes is None:
        return {}
    if not isinstance(changes, dict):
        found = "a list" if isinstance(changes, list) else "one value"
        raise ConfigError(f"{name}: expected a mapping of settings (name: value), found {found}")
    return changes


def to_commented_yaml(config: Any) -> str:
    """Return every setting of `config` as YAML, each with its meaning and limits in a comment above it."""
    return "\n".join(_yaml_lines(config, 0)) + "\n"


def _yaml_lines(config: Any, depth: int) -> list[str]:
    pad = "  " * depth
    if isinstance(config, PerLanguage):
        own = _yaml_lines(config.default, depth)
        return [*own, f"{pad}# {_BY_LANGUAGE_DOC}", *_language_lines(config.by_language, pad)]
    lines: list[str] = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        doc = field.metadata.get("doc", "")
        if is_section(field, value):
            if depth == 0 and lines:
                lines.append("")
            if doc:
                lines.append(f"{pad}# {doc}" + _OPTIONAL_DOC * field.metadata.get("optional", False))
            if value is None:
                lines.append(f"{pad}{field.name}: off")
                continue
            lines.append(f"{pad}{field.name}:")
            lines.extend(_yaml_lines(value, depth + 1))
            continue
        limits = limits_text(field.metadata)
        lines.append(f"{pad}# {doc}" + (f" [{limits}]" if limits else ""))
        lines.append(f"{pad}{field.name}: {_flow(value)}")
    return lines


def _language_lines(by_language: Mapping[str, Mapping[str, Any]], pad: str) -> list[str]:
    line = f"{pad}{BY_LANGUAGE}: {_flow(by_language)}"
    if len(line) <= _WIDTH:
        return [line]
    lines = [f"{pad}{BY_LANGUAGE}:"]
    for key, changes in by_language.items():
        about = "all but English" if key == OTHER else f"language {key}" if key.islower() else f"script {key}"
        lines += [f"{pad}  # {about}", f"{pad}  {_flow(key)}: {_flow(changes)}"]
    return lines


def _flow(value: Any) -> str:
    dumped = yaml.safe_dump(to_plain(value), default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000)
    return dumped.removesuffix("...\n").strip()


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
