"""What of a stage's code enters its key: what it is made of, the modules it runs, the versions of what these import.

A change of `transforms/mixing/mix.py` is no reason to extract a crawl again, and a new tiktoken none either. So a
stage's key holds

* what the recipe made: classes, functions and values of its parts (pipelines/modules/parts.py);
* the modules these are in and all that they import, wherever it lies (pipelines/modules/imports.py): of Winnow's own
  and the user's files the bytes, with the models (`*.npz`) next to them; of installed distributions the versions, of
  just those that these files import by name (pipelines/modules/places.py).

Not in it is what only calls stages: our recipes, the runner, the engines, the command line. None of them makes
a row; how the files of a run lie in its folder has a version of its own (`folder.FORMAT`). A user's one file may hold a
recipe and a rule: it counts, and what it imports, but not through it all that runs stages.

A data file that a user's rule reads is not found here: it belongs in the rule's `resources`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.modules.imports import PACKAGES, imported_names
from pipelines.modules.parts import describe_parts
from pipelines.modules.places import DISTRIBUTION, MODELS, ModuleFile, Place, installed_version, is_required, place_of
from schemas.distribution import version
from schemas.errors import ConfigError

ROOT = Path(__file__).parents[2]
CALLERS = (
    "pipelines.cli", "pipelines.command", "pipelines.commands", "pipelines.engines", "pipelines.locks",
    "pipelines.modules", "pipelines.recipes", "pipelines.reports", "pipelines.runs.code", "pipelines.runs.dataset",
    "pipelines.runs.graph", "pipelines.runs.plan", "pipelines.runs.runner",
)  # fmt: skip


@dataclass(frozen=True)
class CodeIdentity:
    """What the code of a stage is."""

    description: list[Any]  # what its parts are made of, as plain data
    digest: str  # of that, and of the bytes of all our modules and the user's
    versions: dict[str, str]  # of Python, Unicode, Winnow, the imported distributions; `source` is the digest
    user_modules: dict[str, str]  # digest by module, and version by `DISTRIBUTION` name of what Winnow does not ask for


def code_identity(parts: Sequence[Any], settings: Sequence[Any] = (), root: Path = ROOT) -> CodeIdentity:
    """Return what the code of a stage is that is made of `parts`: steps, surveys, sources, the class of its kind.

    The caller puts the `settings`, `reading` and `resources` of each part into the key, and all of `settings`. `root`
    is where our packages are. Raises ConfigError for what workers cannot import.
    """
    made = describe_parts(parts, settings, CALLERS)
    found = closure(made.modules, root)
    digest = hashlib.blake2b(json.dumps(made.parts, sort_keys=True).encode(), digest_size=8)
    for name, data in sorted({**found.ours, **found.user}.items()):
        digest.update(b"\0" + name.encode() + b"\0" + data.encode())
    installed = {name: installed_version(name) or "" for name in sorted(found.distributions)}
    own = {
        "python": platform.python_version(),
        "unicode": unicodedata.unidata_version,  # of what is a letter, a lower-case form, a normal form
        "winnow": version(),
        "source": digest.hexdigest(),
    }
    foreign = {f"{DISTRIBUTION}{name}": version for name, version in installed.items() if not is_required(name)}
    return CodeIdentity(made.parts, digest.hexdigest(), {**own, **installed}, {**found.user, **foreign})


@dataclass
class Closure:
    """All modules that some modules lead to."""

    ours: dict[str, str] = field(default_factory=dict)  # digest by path below the root
    user: dict[str, str] = field(default_factory=dict)  # digest by name
    distributions: set[str] = field(default_factory=set)


def closure(modules: Mapping[str, str], root: Path = ROOT) -> Closure:
    """Return what the given modules, and all that they import, consist of.

    `modules` says for each what needs it, as a message names that: ConfigError when one has no file. They are gone into
    even if they are among CALLERS: a rule may be defined there.
    """
    found = Closure()
    waiting, seen = list(modules), set(modules)
    while waiting:
        name = waiting.pop()
        if name.partition(".")[0] in PACKAGES:
            new = _add_ours(found, name, root)
        else:
            place = place_of(name)
            if not place.found and name in modules:
                raise ConfigError(f"{modules[name]} is defined in {name}, which has no file that workers can import")
            new = _add_other(found, place)
        fresh = {each for each in new if each not in seen and not is_caller(each)}
        seen |= fresh
        waiting += fresh
    return found


def is_caller(module: str) -> bool:
    """Whether one of our modules only calls stages."""
    return any(f"{module}.".startswith(f"{name}.") for name in CALLERS)


def _add_ours(found: Closure, name: str, root: Path) -> Iterator[str]:
    for path in _files(name, root):
        if path not in found.ours:
            data = (root / path).read_bytes()
            found.ours[path] = hashlib.blake2b(data, digest_size=16).hexdigest()
            if path.endswith(".py"):
                yield from imported_names(data.decode(), path.rpartition("/")[0].replace("/", "."))


def _add_other(found: Closure, place: Place) -> Iterator[str]:
    found.distributions.update(place.distributions)
    for module in place.modules:
        if module.name not in found.user:
            found.user[module.name] = module.digest
            yield from _imports(module)


def _imports(module: ModuleFile) -> frozenset[str]:
    if module.path.suffix != ".py":  # an extension module: its bytes are all there is
        return frozenset()
    return imported_names(module.path.read_text(encoding="utf-8", errors="replace"), module.package)


@functools.lru_cache(maxsize=4096)
def _files(module: str, root: Path) -> tuple[str, ...]:
    """Return those of our files that an import of `module` runs: its own, and that of each package around it."""
    found: list[str] = []
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        place = "/".join(parts[:depth])
        models = sorted(str(path.relative_to(root)) for path in (root / place).glob(MODELS))
        found += [path for path in (f"{place}.py", f"{place}/__init__.py", *models) if (root / path).is_file()]
    return tuple(found)
