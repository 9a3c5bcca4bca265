"""Typed settings: a frozen dataclass owns them, YAML overlays them, and a wrong value is refused before work starts.

A component declares its settings with `setting`, which keeps default, meaning and limits in one place:

    @dataclass(frozen=True, kw_only=True)
    class GopherConfig:
        min_words: int = setting(50, "words a document must have (rule 1)", ge=1)

        def __post_init__(self) -> None:
            validate(self)

Allowed types: bool, int, float, str, `X | None`, `tuple[X, ...]`, `dict[str, X]`, nested dataclasses declared with
`section`, and `PerLanguage[X]`, which is such a section with other values for some languages:

    repetition: RepetitionConfig | None = section(RepetitionConfig, "repetition rules", optional=True)
    gopher: PerLanguage[GopherConfig] = section(lambda: PerLanguage(GopherConfig()), "quality rules")

    repetition: off
    gopher: {min_words: 60, by_language: {zh: {max_mean_word_chars: 20}, Hang: {min_words: 40}, other: {min_words: 50}}}
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from schemas.errors import ConfigError
from schemas.given import as_asked, bare, hint_for, shown

T = TypeVar("T")

BY_LANGUAGE = "by_language"
OTHER = "other"  # in `by_language`: every text that is not English
_SCRIPT = re.compile("[A-Z][a-z]{3}")  # ISO 15924 codes
_LANGUAGE = re.compile(f"[a-z]{{2,3}}|{_SCRIPT.pattern}|{OTHER}")  # ISO 639 codes, as lid.176 has them


def setting(
    default: Any,
    doc: str,
    *,
    ge: float | None = None,
    le: float | None = None,
    gt: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Declare one setting: its default, what it means (unit, source), and its limits (inclusive, except `gt`)."""
    metadata = {"doc": doc, "ge": ge, "le": le, "gt": gt, "choices": choices}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def section(make: Callable[[], T], doc: str, *, optional: bool = False, off: bool = False) -> T:
    """Declare a nested group of settings; `make`, usually its class, returns the defaults.

    An optional section, of type `X | None`, can be switched `off` in YAML and is then None; `on` or a mapping of
    settings switches it on again. One that is `off` by default is None until then.
    """
    metadata = {"doc": doc, "optional": optional, "make": make}
    made: Any = dataclasses.field(default_factory=(lambda: None) if off else make, metadata=metadata)
    return typing.cast(T, made)


@dataclasses.dataclass(frozen=True)
class PerLanguage(Generic[T]):
    """Settings with other values for some languages; `by_language` holds only what differs from `default`.

    Its keys are languages (`ko`), scripts (`Hang`) and `other`, which is every text that is not English: published
    limits are those of English, and so is `default`. The narrower key wins: `other`, then script, then language.

    A language follows a later change of `default` in all other settings. The values are plain data, as in YAML.
    """

    default: T
    by_language: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    _configs: dict[tuple[str, str], T] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        configs = {code: _of_language(self.default, code, changes) for code, changes in self.by_language.items()}
        # Checked and converted (1 to 1.0), so that equal settings are equal data however they were written.
        plain = {
            code: _plain_changes(configs[code], self.by_language[code])
            for code in sorted(configs, key=lambda code: (code != OTHER, code))
        }
        object.__setattr__(self, "_configs", {})
        object.__setattr__(self, BY_LANGUAGE, {code: changes for code, changes in plain.items() if changes})

    def of(self, language: str, script: str = "") -> T:
        """Return the settings for a text in `language`, written in `script`; '' where one is not known.

        English, and a text of which nothing is known, has the default but for what English's own entry changes.
        """
        found = self._configs.get((language, script))
        if found is None:  # laid over one another at the first such text, not for every pair there could be
            keys = [language] if language == "en" or not (language or script) else [OTHER, script, language]
            found = self.default
            for key in keys:  # in turn: a setting that is itself a mapping is replaced whole, as in any overlay
                if changes := self.by_language.get(key):
                    found = overlay(found, changes)
            self._configs[language, script] = found
        return found

    @property
    def languages(self) -> frozenset[str]:
        """The languages that have an entry of their own."""
        return frozenset(key for key in self.by_language if key != OTHER and not _SCRIPT.fullmatch(key))

    @property
    def scripts(self) -> frozenset[str]:
        """The scripts that have an entry."""
        return frozenset(filter(_SCRIPT.fullmatch, self.by_language))


def validate(config: Any) -> None:
    """Raise ConfigError when a field of `config` has a wrong type or lies outside its limits."""
    _validate(config, "")


def overlay(config: T, changes: Mapping[str, Any], where: str = "") -> T:
    """Return `config` with the nested mapping `changes` laid over it.

    Raises ConfigError naming the key, the value and what is allowed, for unknown keys, wrong types and wrong values.
    """
    changed: T = _overlay(config, changes, where)
    return changed


def _overlay(config: Any, changes: Mapping[str, Any], where: str, others: tuple[str, ...] = ()) -> Any:
    """Overlay the fields of a dataclass; `others` are keys that the caller handles."""
    if isinstance(config, PerLanguage):
        return _overlay_languages(config, changes, where)
    known = {field.name: field for field in dataclasses.fields(config)}
    allowed = [*known, *others]
    updates: dict[str, Any] = {}
    for key, value in changes.items():
        path = where + (key if isinstance(key, str) and key.isprintable() else repr(key))
        if key not in known:
            close = difflib.get_close_matches(str(key), allowed, n=1)
            hint = f"did you mean {where}{close[0]}?" if close else f"allowed: {', '.join(allowed)}"
            raise ConfigError(f"{path}: unknown setting; {hint}")
        current = getattr(config, key)
        if is_section(known[key], current):
            updates[key] = _overlay_section(known[key], current, value, path)
        else:
            updates[key] = _given(value, _hints(type(config))[key], path)
    try:
        changed = dataclasses.replace(config, **updates)
    except ConfigError as error:
        raise ConfigError(f"{where}{error}") from None
    _validate(changed, where)
    return changed


def is_section(field: dataclasses.Field[Any], value: Any) -> bool:
    return field.metadata.get("optional", False) or dataclasses.is_dataclass(value)


def _overlay_section(field: dataclasses.Field[Any], current: Any, value: Any, path: str) -> Any:
    optional = field.metadata.get("optional", False)
    if isinstance(value, Mapping):
        return _overlay(_switched_on(field, current), value, f"{path}.")
    value = bare(value)
    if optional and (value is False or value == "off"):
        return None
    if optional and (value is True or value == "on"):
        return _switched_on(field, current)
    if value is False or value == "off":
        raise ConfigError(f"{path}: it cannot be switched off; expected a group of settings")
    expected = "a group of settings, on or off" if optional else "a group of settings"
    raise ConfigError(f"{path}: {value!r} is not allowed; expected {expected}")


def _switched_on(field: dataclasses.Field[Any], current: Any) -> Any:
    make = field.metadata.get("make", field.default_factory)
    return make() if current is None and callable(make) else current


def _overlay_languages(config: PerLanguage[Any], changes: Mapping[str, Any], where: str) -> PerLanguage[Any]:
    own = {key: value for key, value in changes.items() if key != BY_LANGUAGE}
    default = _overlay(config.default, own, where, (BY_LANGUAGE,))
    languages = changes.get(BY_LANGUAGE, {})
    if not isinstance(languages, Mapping):
        raise ConfigError(
            f"{where}{BY_LANGUAGE}: {shown(languages)} is not allowed; expected settings by language code"
        )
    merged = merge(config.by_language, languages)
    for code, differing in merged.items():
        _of_language(default, code, differing, where)
    return PerLanguage(default, merged)


def _of_language(default: T, code: Any, changes: Any, where: str = "") -> T:
    path = f"{where}{BY_LANGUAGE}.{code if isinstance(code, str) and code.isprintable() else repr(code)}"
    if not isinstance(code, str) or not _LANGUAGE.fullmatch(code):
        hint = "put 'no' in quotes, YAML reads it as false" if code is False else "expected en, de, zh, ..."
        raise ConfigError(f"{path}: not a language code; {hint}")
    if not isinstance(changes, Mapping):
        raise ConfigError(f"{path}: {shown(changes)} is not allowed; expected a group of settings")
    return overlay(default, changes, f"{path}.")


def _plain_changes(config: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of `config` that `changes` names, as plain data."""
    plain = to_plain(config)
    nested = {key for key in changes if dataclasses.is_dataclass(getattr(config, key))}
    return {
        key: _plain_changes(getattr(config, key), changes[key])
        if key in nested and isinstance(changes[key], Mapping)
        else plain[key]
        for key in changes
    }


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested mappings of settings as one; where both name a value, that of `above` counts.

    A section that `below` configures and `above` merely switches on keeps its settings.
    """
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(under, value)
        elif not isinstance(under, Mapping) or (bare(value) is not True and value != "on"):
            merged[key] = value
    return merged


def to_plain(config: Any) -> Any:
    """Return `config` as plain dicts, lists and scalars, ready for JSON or YAML. A section that is off is False."""
    if isinstance(config, PerLanguage):
        languages = {BY_LANGUAGE: to_plain(config.by_language)} if config.by_language else {}
        return {**to_plain(config.default), **languages}
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return {field.name: _plain_field(field, getattr(config, field.name)) for field in dataclasses.fields(config)}
    if isinstance(config, Mapping):
        return {key: to_plain(value) for key, value in config.items()}
    if isinstance(config, (tuple, list)):
        return [to_plain(value) for value in config]
    return config


def _plain_field(field: dataclasses.Field[Any], value: Any) -> Any:
    return False if value is None and field.metadata.get("optional", False) else to_plain(value)


def limits_text(metadata: Mapping[str, Any]) -> str:
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


def _given(value: Any, hint: Any, path: str) -> Any:
    """Return what a person gave as the type `hint` asks for, where one value is a list of one. Raises ConfigError."""
    origin, arms = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        rest = [arm for arm in arms if arm is not type(None)]
        if len(rest) == 1 and len(rest) < len(arms):
            return None if bare(value) is None else _given(value, rest[0], path)
    if origin is tuple and bare(value) is not None and not isinstance(value, (list, tuple, Mapping)):
        return (_given(value, arms[0], path),)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_given(item, arms[0], f"{path}[{n}]") for n, item in enumerate(value))
    if origin is dict and isinstance(value, Mapping):
        return {_given(k, str, path): _given(item, arms[1], f"{path}.{k}") for k, item in value.items()}
    return _coerce(as_asked(value, hint), hint, path)


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
    raise ConfigError(f"{path}: {shown(value)} is not allowed; expected {_type_text(hint)}{hint_for(value, hint)}")


def _validate(config: Any, where: str) -> None:
    if isinstance(config, PerLanguage):  # its languages were checked when it was made
        _validate(config.default, where)
        return
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
        raise ConfigError(f"{path}: {value!r} is not allowed; must be {limits_text(metadata)}")
