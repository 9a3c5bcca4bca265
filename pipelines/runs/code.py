"""A digest of the source that a stage runs: what it is made of, and every module of ours that these import.

A change of `transforms/mixing/mix.py` is no reason to extract a crawl again. The digest holds

* what the recipe made: the stage's class and fields, its steps in their order with their functions and settings;
* the source of the modules that those classes and functions are in, and the models beside it, of all modules of ours
  that these import, at whatever place, and of those that they name in a string, as
  `transforms.extraction.extract:page_text` is for a child process.

So it does not hold what only calls stages: the recipe's file, the runner, the engines, the command line. None of them
makes a row; how the files of a run lie in its folder has a version of its own (`folder.FORMAT`).
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import json
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "storage", "transforms", "classifiers", "pipelines")
MODELS = "*.npz"  # that a package carries: what they say is as much a rule as its source
_NAMED = re.compile(rf"((?:{'|'.join(PACKAGES)})(?:\.\w+)+)(?::\w+)?")


def source_digest(stage: Any, root: Path = ROOT) -> str:
    """Return the digest for a stage, a dataclass; `root` is where our packages are.

    Its `settings` stand in its key by themselves; their class may be the recipe's, which imports everything.
    """
    modules: set[str] = set()
    fields = [field.name for field in dataclasses.fields(stage) if field.compare and field.name != "settings"]
    made = describe([type(stage), *(getattr(stage, name) for name in fields)], modules)
    digest = hashlib.blake2b(json.dumps(made, sort_keys=True).encode(), digest_size=8)
    for path in sorted(closure(modules, root)):
        digest.update(b"\0" + path.encode() + b"\0" + (root / path).read_bytes())
    return digest.hexdigest()


def describe(value: Any, modules: set[str]) -> Any:
    """Return what a value is made of as plain data, and add the modules of its classes and functions."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): describe(item, modules) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [describe(item, modules) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(describe(item, modules), sort_keys=True) for item in value)
    if isinstance(value, types.MethodType):
        return [describe(value.__self__, modules), value.__name__]
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        modules.add(value.__module__ or "")
        return f"{value.__module__}.{value.__qualname__}"
    if dataclasses.is_dataclass(value) and type(value).__reduce__ is object.__reduce__:
        fields = [field.name for field in dataclasses.fields(value) if field.compare]
        return [describe(type(value), modules), {name: describe(getattr(value, name), modules) for name in fields}]
    return [describe(part, modules) for part in value.__reduce_ex__(4)[:3]]  # as it travels to a worker


def closure(modules: set[str], root: Path = ROOT) -> set[str]:
    """Return the files, beneath `root`, of the given modules and of all modules of ours that they lead to."""
    found: set[str] = set()
    waiting = [path for module in modules for path in _files(module, root)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += imports(root, path) if path.endswith(".py") else ()
    return found


@functools.cache
def imports(root: Path, path: str) -> frozenset[str]:
    """Return the files of the modules of ours that the module at `path` imports, or names in a string."""
    names: set[str] = set()
    package = path.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(ast.parse((root / path).read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := _NAMED.fullmatch(node.value)):
            names.add(found[1])
    return frozenset(file for name in names for file in _files(name, root))


def _files(module: str, root: Path) -> Iterator[str]:
    """Yield the files that an import of `module` runs: its own, and the `__init__` of each package around it."""
    parts = module.split(".")
    if parts[0] not in PACKAGES:
        return
    for depth in range(1, len(parts) + 1):
        place = "/".join(parts[:depth])
        models = sorted(str(path.relative_to(root)) for path in (root / place).glob(MODELS))
        for path in (f"{place}.py", f"{place}/__init__.py", *models):
            if (root / path).is_file():
                yield path


@dataclasses.dataclass(frozen=True)
class CodeIdentity:
    digest: str
    versions: Mapping[str, str]
    user_modules: Mapping[str, str]


def code_identity(parts: Any) -> CodeIdentity:
    modules: set[str] = set()
    describe([part if isinstance(part, type) else type(part) for part in parts], modules)
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(closure(modules, ROOT)):
        digest.update(path.encode() + (ROOT / path).read_bytes())
    return CodeIdentity(digest.hexdigest(), {}, {})
