"""Describes what the parts of a stage are made of as plain data, and names the modules of their classes and functions.

A part is a step, a survey, a source or the class of a stage. Its `settings` (or `reading`, of a source) are named by
their class alone, wherever the same object occurs: they are in the stage's key by themselves. So is what `resources`
lists, by checksum. An object *inside* a part is described in full, its settings too: nobody else puts them in the key.

What workers could not import is refused here, before a run begins, and not by a pickler in the middle of it.
"""

from __future__ import annotations

import copyreg
import dataclasses
import hashlib
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import ConfigError

KEYED = ("settings", "reading")  # a part's attributes that the key holds by themselves
LEFT_OUT = "resources"  # another one, by checksum
_PLAIN = (type(None), bool, int, float, str, bytes, tuple, frozenset)  # equal ones may be one object by chance
_WALKED = "\0"  # placeholder for an object inside itself


@dataclass
class Description:
    """What parts are made of."""

    parts: list[Any] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)  # and what of which part is defined there, for messages


def describe_parts(parts: Sequence[Any], settings: Sequence[Any] = (), called: Sequence[str] = ()) -> Description:
    """Return what `parts` are made of. Raises ConfigError, naming the part, for what workers cannot import.

    `settings` are further objects that the key holds by themselves; modules below `called` are not gone into for the
    sake of a class of settings: a recipe's are in the recipe's module, which makes no row.
    """
    made = [part for part in parts if not isinstance(part, type)]
    held = [*settings, *(getattr(part, name) for part in made for name in (*KEYED, LEFT_OUT) if hasattr(part, name))]
    walk = _Walk({id(value): value for value in held if not isinstance(value, _PLAIN)}, tuple(called))
    walk.made.parts += [walk.part(part) for part in parts]
    return walk.made


@dataclass
class _Walk:
    """One way through all that some parts hold."""

    keyed: Mapping[int, Any]  # by identity; it also keeps them alive, lest another object gets the id of one
    called: tuple[str, ...] = ()
    made: Description = field(default_factory=Description)
    where: list[str] = field(default_factory=lambda: [""])  # the named objects around
    around: list[int] = field(default_factory=list)  # all objects around

    def part(self, part: Any) -> Any:
        """Describe a part: what the key holds already is left out by name."""
        if isinstance(part, (type, types.FunctionType, types.MethodType)):
            return self.value(part)
        return self._object(part, is_part=True)

    def value(self, value: Any) -> Any:
        """Describe anything that a part holds."""
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, (bytes, bytearray)):
            return hashlib.blake2b(value, digest_size=16).hexdigest()
        if isinstance(value, (type, types.FunctionType)):
            return self._named(value, value.__module__, value.__qualname__)
        if id(value) in self.keyed:
            return self._settings(value)
        if isinstance(value, types.MethodType):
            return [self.value(value.__self__), value.__name__]
        if isinstance(value, types.BuiltinFunctionType):
            bound = value.__self__
            if bound is None or isinstance(bound, types.ModuleType):
                return self._named(value, value.__module__ or "builtins", value.__qualname__)
            return [self.value(bound), value.__name__]
        if isinstance(value, types.ModuleType):
            return self._named(value, value.__name__, "")
        return self._held(value)

    def _held(self, value: Any) -> Any:
        """Describe what holds other values; one that holds itself ends where it comes round."""
        if id(value) in self.around:
            return f"{_WALKED}{len(self.around) - self.around.index(id(value))}"
        self.around.append(id(value))
        try:
            if isinstance(value, Mapping):
                return self._mapping(value)
            if type(value) in (tuple, list):
                return [self.value(item) for item in value]
            if isinstance(value, (set, frozenset)):
                return sorted(json.dumps(self.value(item), sort_keys=True) for item in value)
            return self._object(value)
        finally:
            self.around.pop()

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        if all(isinstance(key, str) for key in value):
            return {key: self.value(item) for key, item in value.items()}
        return [[self.value(key), self.value(item)] for key, item in value.items()]

    def _settings(self, value: Any) -> Any:
        """Name the class of settings; its methods may be a stage's rules."""
        kind = type(value)
        within = any(f"{kind.__module__}.".startswith(f"{name}.") for name in self.called)
        return f"{kind.__module__}.{kind.__qualname__}" if within else self.value(kind)

    def _object(self, value: Any, is_part: bool = False) -> Any:
        """Describe an instance: a dataclass by its fields, any other as it would travel to a worker."""
        name = getattr(value, "name", None)
        if isinstance(name, str) or not self.where[-1]:
            self.where.append(" ".join(filter(None, [type(value).__name__, name if isinstance(name, str) else ""])))
            try:
                return self._state(value, is_part)
            finally:
                self.where.pop()
        return self._state(value, is_part)

    def _state(self, value: Any, is_part: bool) -> Any:
        kind: Any = type(value)
        if dataclasses.is_dataclass(value) and kind.__reduce__ is object.__reduce__:
            names = [each.name for each in dataclasses.fields(value) if each.compare]
            return [self.value(kind), self._attributes({name: getattr(value, name) for name in names}, is_part)]
        reduced = self._reduced(value)
        if isinstance(reduced, str):  # a name in the module of the value
            return self._named(value, getattr(value, "__module__", None) or kind.__module__, reduced)
        make, arguments, *rest = reduced
        state = rest[0] if rest else None
        states = state if type(state) is tuple and len(state) == 2 else (state,)  # (of __dict__, of __slots__)
        kept = [self._attributes(each, is_part) if isinstance(each, dict) else self.value(each) for each in states]
        items = [self.value(list(each)) for each in rest[1:3] if each is not None]  # of a kind of list, of dict
        return [self.value(make), self.value(arguments), *kept, *items]

    def _attributes(self, values: Mapping[Any, Any], is_part: bool) -> Any:
        """Describe an object's attributes; of a part's settings, only their class."""
        if not is_part:
            return self.value(values)
        kept = {name: value for name, value in values.items() if name != LEFT_OUT}
        return {
            str(name): self._settings(value) if name in KEYED and value is not None else self.value(value)
            for name, value in kept.items()
        }

    def _reduced(self, value: Any) -> Any:
        try:
            special = copyreg.dispatch_table.get(type(value))
            return special(value) if special else value.__reduce_ex__(4)
        except TypeError as error:
            raise ConfigError(f"{self.where[-1]}: holds what cannot be sent to a worker: {error}") from None

    def _named(self, value: Any, module: str, name: str) -> str:
        """Name a class or function, note its module, and refuse what has no name to import it by."""
        label = f"{self.where[-1]}: " if self.where[-1] else ""
        if "<lambda>" in name:
            raise ConfigError(
                f"{label}a lambda (in {module}) cannot be imported by workers: define a function at the top of a module"
            )
        if "<locals>" in name:
            raise ConfigError(
                f"{label}{name.replace('.<locals>', '')} is defined inside a function (in {module}), so workers cannot"
                " import it: define it at the top of a module"
            )
        if module in ("__main__", "__mp_main__"):
            raise ConfigError(f"{label}{name} is defined in __main__: put it in a module that workers can import")
        self.made.modules.setdefault(module, f"{label}{name or module}")
        defined = getattr(value, "__globals__", {}).get("__name__")  # a decorator's own, of a decorated function
        if isinstance(defined, str):
            self.made.modules.setdefault(defined, f"{label}{name}")
        return f"{module}.{name}"
