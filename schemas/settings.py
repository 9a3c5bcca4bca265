"""Typed settings: a frozen dataclass owns them, YAML overlays them, and a wrong one is refused before work starts.

A component declares its settings with `setting`, which keeps default, meaning and limits in one place:

    @dataclass(frozen=True, kw_only=True)
    class GopherConfig:
        min_words: int = setting(50, "words a document must have (rule 1)", ge=1)

        def __post_init__(self) -> None:
            validate(self)

Allowed types: bool, int, float, str, `X | None`, `tuple[X, ...]`, `dict[str, X]`, nested dataclasses.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import yaml

from schemas.errors import ConfigError

T = TypeVar("T")


def setting(
    default: Any,
    doc: str,
    *,
    ge: float | None = None,
    le: float | None = None,
    gt: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Declare one setting: its default, what it means (unit, source), and its limits (inclusive but for `gt`)."""
    metadata = {"doc": doc, "ge": ge, "le": le, "gt": gt, "choices": choices}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def section(cls: type[T], doc: str) -> T:
    """Declare a nested group of settings with its defaults."""
    return dataclasses.field(default_factory=cls, metadata={"doc": doc})


def validate(config: Any) -> None:
    """Raise ConfigError when a field of `config` has a wrong type or lies outside its limits."""
    _validate(config, "")


def overlay(config: T, changes: Mapping[str, Any], where: str = "") -> T:
    """Return `config` with the nested mapping `changes` laid over it.

    Raises ConfigError naming the key, the value and what is allowed, for unknown keys, wrong types and wrong values.
    """
    known = {field.name: field for field in dataclasses.fields(config)}  # type: ignore[arg-type]
    updates: dict[str, Any] = {}
    for key, value in changes.items():
        path = where + (key if isinstance(key, str) and key.isprintable() else repr(key))
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {where}{close[0]}?" if close else f"allowed: {', '.join(known)}"
            raise ConfigError(f"{path}: unknown setting; {hint}")
        current = getattr(config, key)
        if dataclasses.is_dataclass(current) and not isinstance(current, type):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{path}: {value!r} is not allowed; expected a group of settings")
            updates[key] = overlay(current, value, f"{path}.")
        else:
            updates[key] = _coerce(value, _hints(type(config))[key], path)
    try:
        changed: T = dataclasses.replace(config, **updates)  # type: ignore[type-var]
    except ConfigError as error:
        raise ConfigError(f"{where}{error}") from None
    _validate(changed, where)
    return changed


def read_yaml(text: str, name: str) -> dict[str, Any]:
    """Return the mapping of settings in a YAML document; `name` says where it came from in messages."""
    try:
        changes = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None
    if changes is None:
        return {}
    if not isinstance(changes, dict):
        raise ConfigError(f"{name}: expected a mapping of settings, found {type(changes).__name__}")
    return changes


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested mappings of settings as one; where both name a value, that of `above` counts."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(under, Mapping)
        merged[key] = merge(under, value) if both else value  # type: ignore[arg-type]
    return merged


def to_plain(config: Any) -> Any:
    """Return `config` as plain dicts, lists and scalars, ready for JSON or YAML."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return {field.name: to_plain(getattr(config, field.name)) for field in dataclasses.fields(config)}
    if isinstance(config, Mapping):
        return {key: to_plain(value) for key, value in config.items()}
    if isinstance(config, (tuple, list)):
        return [to_plain(value) for value in config]
    return config


def to_commented_yaml(config: Any) -> str:
    """Return every setting of `config` as YAML, each with its meaning and limits in a comment above it."""
    return "\n".join(_yaml_lines(config, 0)) + "\n"


def _yaml_lines(config: Any, depth: int) -> list[str]:
    pad = "  " * depth
    lines: list[str] = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        doc = field.metadata.get("doc", "")
        if dataclasses.is_dataclass(value):
            if depth == 0 and lines:
                lines.append("")
            if doc:
                lines.append(f"{pad}# {doc}")
            lines.append(f"{pad}{field.name}:")
            lines.extend(_yaml_lines(value, depth + 1))
            continue
        limits = _limits_text(field.metadata)
        lines.append(f"{pad}# {doc}" + (f" [{limits}]" if limits else ""))
        dumped = yaml.safe_dump(to_plain(value), default_flow_style=True, allow_unicode=True, width=10_000)
        lines.append(f"{pad}{field.name}: {dumped.removesuffix('...' + chr(10)).strip()}")
    return lines


def _limits_text(metadata: Mapping[str, Any]) -> str:
    words = []
    for name, sign in (("gt", ">"), ("ge", ">="), ("le", "<=")):
        if metadata.get(name) is not None:
            words.append(f"{sign} {metadata[name]}")
    if metadata.get("choices"):
        words.append("one of " + ", ".join(metadata["choices"]))
    return ", ".join(words)


_HINTS: dict[type, dict[str, Any]] = {}  # resolving annotations costs 50 µs, and a config is made of many parts


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _HINTS:
        _HINTS[cls] = typing.get_type_hints(cls)
    return _HINTS[cls]


def _type_text(hint: Any) -> str:
    if hint is type(None):
        return "null"
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return " or ".join(_type_text(arm) for arm in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return f"a list of {_type_text(typing.get_args(hint)[0])}"
    if typing.get_origin(hint) is dict:
        return f"a mapping of names to {_type_text(typing.get_args(hint)[1])}"
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return names.get(hint, getattr(hint, "__name__", str(hint)))


def _coerce(value: Any, hint: Any, path: str) -> Any:
    """Return `value` as the type `hint` asks for, or raise ConfigError."""
    origin, arms = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arms:
            return None
        rest = [arm for arm in arms if arm is not type(None)]
        if len(rest) == 1 and value is not None:
            return _coerce(value, rest[0], path)
    elif origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_coerce(item, arms[0], f"{path}[{n}]") for n, item in enumerate(value))
    elif origin is dict and isinstance(value, Mapping):
        return {_coerce(k, str, path): _coerce(item, arms[1], f"{path}.{k}") for k, item in value.items()}
    elif hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if math.isfinite(value):
            return float(value)
    elif (hint is int and isinstance(value, int) and not isinstance(value, bool)) or (
        hint in (bool, str) and isinstance(value, hint)
    ):
        return value
    elif dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, hint):
            return value
        if isinstance(value, Mapping):
            return overlay(hint(), value, f"{path}.")
    raise ConfigError(f"{path}: {value!r} is not allowed; expected {_type_text(hint)}")


def _validate(config: Any, where: str) -> None:
    hints = _hints(type(config))
    for field in dataclasses.fields(config):
        value, path = getattr(config, field.name), f"{where}{field.name}"
        if dataclasses.is_dataclass(value):
            _validate(value, f"{path}.")
            continue
        _coerce(value, hints[field.name], path)
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,):
            _check_limits(item, field.metadata, path)


def _check_limits(value: Any, metadata: Mapping[str, Any], path: str) -> None:
    low, above, high = metadata.get("ge"), metadata.get("gt"), metadata.get("le")
    choices = metadata.get("choices")
    outside = isinstance(value, (int, float)) and (
        (low is not None and value < low)
        or (above is not None and value <= above)
        or (high is not None and value > high)
    )
    if outside or (choices and value is not None and value not in choices):
        raise ConfigError(f"{path}: {value!r} is not allowed; must be {_limits_text(metadata)}")
