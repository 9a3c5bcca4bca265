"""Which settings a function reads, told by its source.

A rule's measures are stored, its limits are not in them: a limit can be tried again on what is stored, a setting that
the measure itself reads cannot. `measure(view, config)` says which is which: `config.by_blocks` is an attribute of its
parameter, and where it hands `config` on to another plain function, that one is looked at, too.

Whatever cannot be followed (a method, `getattr`, `config` kept in a variable or in a container, no source) counts as
reading every setting: the answer may name too many settings, never too few.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.settings import PerLanguage

CONFIG = "config"  # the parameter of a measure that takes settings (transforms/step.py)


def settings_worked_by(function: Callable[..., Any], settings: Any, limits: Sequence[str]) -> frozenset[str] | None:
    """Return the settings that a measure or an edit works by; None: perhaps every one.

    `limits` are those that it does not read by the word of who wrote it; they count where its source does not tell.
    """
    found = settings_read_by(function)
    return names_of(settings) - frozenset(limits) if found is None and limits else found


def fields_but(config: type, *limits: str) -> frozenset[str]:
    """Return the names of the settings of a class, new ones too, but for those that a decision alone reads."""
    return frozenset(one.name for one in dataclasses.fields(config)) - frozenset(limits)


def names_of(settings: Any) -> frozenset[str]:
    """Return the names of the settings of a step; none of what are no settings by name."""
    config = settings.default if isinstance(settings, PerLanguage) else settings
    if dataclasses.is_dataclass(config):
        return frozenset(one.name for one in dataclasses.fields(config))
    return frozenset(config) if isinstance(config, Mapping) else frozenset()


@functools.cache
def settings_read_by(function: Callable[..., Any], parameter: str = CONFIG) -> frozenset[str] | None:
    """Return the names of the settings that `function` reads of its `parameter`; None: perhaps every one.

    Empty for a function that has no such parameter.
    """
    return _Reader({}).read(inspect.unwrap(function), parameter)


class _Reader:
    """Follows a parameter through plain functions; each is looked at once for each parameter."""

    def __init__(self, seen: dict[tuple[Any, str], frozenset[str] | None]) -> None:
        self._seen = seen

    def read(self, function: Callable[..., Any], parameter: str) -> frozenset[str] | None:
        key = (function, parameter)
        if key not in self._seen:
            self._seen[key] = frozenset()  # of a function that calls itself: what it reads is found in its body
            self._seen[key] = self._read(function, parameter)
        return self._seen[key]

    def _read(self, function: Callable[..., Any], parameter: str) -> frozenset[str] | None:
        if not isinstance(function, types.FunctionType):
            return None
        if parameter not in inspect.signature(function).parameters:
            return frozenset()
        tree = _tree_of(function)
        if tree is None or _is_bound_again(tree, parameter):
            return None
        found: set[str] = set()
        followed: set[int] = set()  # places of `parameter` that are accounted for
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and _is_name(node.value, parameter):
                found.add(node.attr)
                followed.add(id(node.value))
            elif isinstance(node, ast.Call) and (handed := _handed_on(node, parameter)):
                for place, argument in handed:
                    further = self._of_call(function, node, place)
                    if further is None:
                        return None
                    found |= further
                    followed.add(id(argument))
        uses = [node for node in ast.walk(tree) if _is_name(node, parameter)]
        return frozenset(found) if all(id(node) in followed for node in uses) else None

    def _of_call(self, caller: types.FunctionType, call: ast.Call, place: int | str) -> frozenset[str] | None:
        """Return what a called function reads of the argument at a place, or by a name."""
        called = _called(caller, call.func)
        if not isinstance(called, types.FunctionType):
            return None
        if isinstance(place, str):
            return self.read(called, place) if place in inspect.signature(called).parameters else None
        names = [
            name for name, one in inspect.signature(called).parameters.items()
            if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        ]  # fmt: skip
        return self.read(called, names[place]) if place < len(names) else None


def _tree_of(function: types.FunctionType) -> ast.FunctionDef | None:
    """Return the function's source as a tree; None where there is none to be had."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    found = tree.body[0] if tree.body else None
    return found if isinstance(found, ast.FunctionDef) else None


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_bound_again(tree: ast.FunctionDef, name: str) -> bool:
    """Say whether the name may mean something else somewhere in the function."""
    stored = any(_is_name(node, name) and not isinstance(node.ctx, ast.Load) for node in ast.walk(tree))  # type: ignore[attr-defined]
    inner = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda) and node is not tree]
    return stored or any(arg.arg == name for one in inner for arg in ast.walk(one.args) if isinstance(arg, ast.arg))


def _handed_on(call: ast.Call, name: str) -> list[tuple[int | str, ast.AST]]:
    """Return where a call is given the parameter whole: by number or by name."""
    if any(isinstance(arg, ast.Starred) for arg in call.args):
        return []
    places: list[tuple[int | str, ast.AST]] = [(n, arg) for n, arg in enumerate(call.args) if _is_name(arg, name)]
    return places + [(word.arg, word.value) for word in call.keywords if word.arg and _is_name(word.value, name)]


def _called(caller: types.FunctionType, place: ast.expr) -> Any:
    """Return the object that a name, or a name in a module, means where `caller` was written; None for all else."""
    if isinstance(place, ast.Name):
        return caller.__globals__.get(place.id)
    if isinstance(place, ast.Attribute) and isinstance(place.value, ast.Name):
        module = caller.__globals__.get(place.value.id)
        return getattr(module, place.attr, None) if isinstance(module, types.ModuleType) else None
    return None
