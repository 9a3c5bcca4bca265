"""Tells where a module lies and to whom it belongs, without running it: Python, an installed distribution, or the user.

The user's are all files that belong to no installed wheel, or to one that is installed for editing (`direct_url.json`
with `dir_info.editable`, PEP 610): they change without a change of version. Of a wheel, name and version are enough if
Winnow itself asks for it; any other may have been built twice under one version, so the hashes of its files, which its
RECORD holds, are taken too.

Finders of the import system are asked (`sys.meta_path`, as `importlib.util.find_spec` does), so `.pth` files, editable
installs, `src` folders and namespace packages need no care here. A submodule is looked for in its package's folders,
where `importlib.util.find_spec` would import the package.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import pkgutil
import re
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from schemas.distribution import NAME, requirements

MODELS = "*.npz"  # that a package carries: what they say is as much a rule as its source
DISTRIBUTION = "distribution "  # before a distribution's name among a stage's `user_modules`
_STANDARD = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_SITE = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class ModuleFile:
    """The file of a module: its name in an import, and where it is."""

    name: str
    path: Path

    @property
    def package(self) -> str:
        """The package that its relative imports start from."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]

    @property
    def digest(self) -> str:
        """A digest of its bytes and, of a package, of the models next to it."""
        digest = hashlib.blake2b(self.path.read_bytes(), digest_size=8)
        for model in sorted(self.path.parent.glob(MODELS)) if self.path.stem == "__init__" else ():
            digest.update(b"\0" + model.name.encode() + b"\0" + model.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Place:
    """Where the module of a dotted name is: files of the user's, or distributions, or in Python itself.

    Importing `a.b` runs `a` as well, so there may be several files. `found` is False when nobody knows the name.
    """

    found: bool = False
    modules: tuple[ModuleFile, ...] = ()
    distributions: tuple[str, ...] = ()


PYTHON = Place(found=True)


def place_of(name: str) -> Place:
    """Return where the module `name` is, or the module that holds it when its last words name something in there."""
    top = name.partition(".")[0]
    if _is_standard(top):
        return PYTHON
    modules: list[ModuleFile] = []
    found = False
    for here, path in _files(name):
        found = True
        if path is None:
            continue
        if not modules and (owners := _owners(top, path)):
            return Place(True, distributions=owners)
        modules.append(ModuleFile(here, path))
    return Place(found, tuple(modules)) if found else _loaded(name)


def state_of(name: str) -> str | None:
    """Return what represents `name` among a stage's `user_modules`: a digest, or a version; None if it is not here.

    A module counts wherever it is: what the user edits in a folder may be installed as a wheel where workers run.
    """
    if name.startswith(DISTRIBUTION):
        return installed_version(name.removeprefix(DISTRIBUTION))
    path = dict(_files(name)).get(name)
    return None if path is None else ModuleFile(name, path).digest


def installed_version(name: str) -> str | None:
    """Return the version of a distribution, with a digest of its files if Winnow does not ask for it; None without."""
    return _version(name, tuple(sys.path))


@functools.lru_cache(maxsize=1024)
def _version(name: str, _path: tuple[str, ...]) -> str | None:
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    if is_required(name):
        return found.version
    return f"{found.version} ({_files_digest(found.read_text('RECORD') or '')})"


@functools.cache
def is_required(name: str) -> bool:
    """Whether Winnow itself, or an extra of it, asks for the distribution `name`."""
    needed = {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in requirements()}
    return name in {canonical(word) for word in needed} | {NAME}


def canonical(name: str) -> str:
    """Return a distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(name: str) -> Iterator[tuple[str, Path | None]]:
    """Yield each package around `name`, then itself, as far as there are modules; a namespace package has no file."""
    folders = None
    words = name.split(".")
    for depth in range(1, len(words) + 1):
        here = ".".join(words[:depth])
        spec = _find(here, folders)
        if spec is None:
            return
        yield here, Path(spec.origin) if spec.has_location and spec.origin else None
        if spec.submodule_search_locations is None:
            return
        folders = list(spec.submodule_search_locations)


def _find(name: str, folders: Sequence[str] | None) -> ModuleSpec | None:
    """Return what the import system finds, without importing anything. `folders` are those of the package around."""
    if name == "__main__":
        return None
    loaded = getattr(sys.modules.get(name), "__spec__", None)
    if isinstance(loaded, ModuleSpec):
        return loaded
    for finder in sys.meta_path:
        here = folders is not None and finder is PathFinder
        spec = _find_below(name, folders or ()) if here else finder.find_spec(name, folders)
        if spec is not None:
            return spec
    return None


def _find_below(name: str, folders: Sequence[str]) -> ModuleSpec | None:
    """Do as PathFinder, which of a namespace package inside another finds only what is imported (KeyError else)."""
    portions: list[str] = []
    for folder in folders:
        importer = pkgutil.get_importer(folder)
        spec = importer.find_spec(name) if importer is not None else None
        if spec is not None and spec.loader is not None:
            return spec
        portions += (spec.submodule_search_locations or ()) if spec is not None else ()
    if not portions:
        return None
    namespace = ModuleSpec(name, None, is_package=True)
    namespace.submodule_search_locations = portions
    return namespace


def _loaded(name: str) -> Place:
    """Return the place of a module that no finder knows but that is there: pytest loads its files so."""
    path = getattr(sys.modules.get(name), "__file__", None)
    if name == "__main__" or path is None:
        return Place()
    return Place(True, (ModuleFile(name, Path(path)),))


def _is_standard(top: str) -> bool:
    """Whether a top-level name is of the standard library, and no file of the user's hides it."""
    if top not in sys.stdlib_module_names:
        return False
    spec = getattr(sys.modules.get(top), "__spec__", None) or PathFinder.find_spec(top)
    if spec is None or not spec.has_location or not spec.origin:  # built in, frozen, or not for this system
        return True
    path = Path(spec.origin)
    return any(path.is_relative_to(folder) for folder in _STANDARD) and not set(_SITE) & set(path.parts)


@dataclass(frozen=True)
class _Installed:
    """A distribution that has a RECORD of its files, or lies where only installed ones do."""

    distribution: metadata.Distribution
    folder: Path

    @functools.cached_property
    def name(self) -> str:
        return canonical(self.distribution.metadata["Name"])


def _owners(top: str, path: Path) -> tuple[str, ...]:
    """Return the names of the installed distributions that a file below the top-level name `top` belongs to."""
    near = [entry for entry in _installed(tuple(sys.path)).get(top, ()) if path.is_relative_to(entry.folder)]
    if len(near) > 1:  # as 30 share `google`; a file belongs to whoever has it in its RECORD
        having = [entry for entry in near if _records(entry, path)]
        near = having or near
    return tuple(sorted({entry.name for entry in near}))


def _records(entry: _Installed, path: Path) -> bool:
    line = f"{path.relative_to(entry.folder).as_posix()},"
    return any(row.startswith(line) for row in (entry.distribution.read_text("RECORD") or "").splitlines())


@functools.lru_cache(maxsize=8)
def _installed(_path: tuple[str, ...]) -> dict[str, list[_Installed]]:
    """Return the distributions on `sys.path`, which is the argument, by the top-level names they hold.

    As `importlib.metadata.packages_distributions`, which takes 0.2 s for 270 of them (this: 0.06 s), leaves out what
    is not Python source, and does not tell an editable one from others.
    """
    found: dict[str, list[_Installed]] = {}
    for distribution in metadata.distributions():
        folder = Path(str(distribution.locate_file("")))
        record = distribution.read_text("RECORD")
        if _is_editable(distribution) or (record is None and folder.name not in _SITE):
            continue
        listed = distribution.read_text("top_level.txt")
        tops = set(listed.split()) if listed else _top_names(record or "")
        for top in tops:
            found.setdefault(top, []).append(_Installed(distribution, folder))
    return found


def _is_editable(distribution: metadata.Distribution) -> bool:
    text = distribution.read_text("direct_url.json")
    return text is not None and bool(json.loads(text).get("dir_info", {}).get("editable"))


def _top_names(record: str) -> set[str]:
    """Return the names that the files of a RECORD can be imported by."""
    firsts = {line.split(",", 1)[0].partition("/")[::2] for line in record.splitlines()}
    return {first if rest else inspect.getmodulename(first) or "" for first, rest in firsts} - {"", ".."}


def _files_digest(record: str) -> str:
    """Return a digest of what a RECORD lists of the package's files, without what an installer adds."""
    rows = [line for line in record.splitlines() if not re.match(r"\.\.|/|[^,]*\.(dist-info/|pyc,)", line)]
    return hashlib.blake2b("\n".join(sorted(rows)).encode(), digest_size=4).hexdigest()
