"""Files of a repository in the order of their dependencies: what a file imports comes before it.

Source: DeepSeek-Coder (arXiv:2401.14196, section 2.2, algorithm 1), which parses imports by regular expressions and
sorts files topologically, in a circle the file with the fewest open imports first. Imports are looked up among the
files of the repository by the end of their paths; what is not found there is a library. Ties go to the path that sorts
first.
"""

from __future__ import annotations

import heapq
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

_SCRIPT: Final = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".vue", "/index.ts", "/index.js")
_IMPORTS: Final = {
    "Python": re.compile(
        r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+\(?([\w, \t]*)|import[ \t]+([\w., \t]+))", re.MULTILINE
    ),
    "JavaScript": re.compile(r"(?:\bfrom\s+|\brequire\s*\(\s*|\bimport\s*\(?\s*)[\"'](\.{1,2}/[^\"'\n]+)[\"']"),
    "C": re.compile(r"^[ \t]*#[ \t]*include[ \t]+\"([^\"\n]+)\"", re.MULTILINE),
    "Java": re.compile(r"^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]+)", re.MULTILINE),
    "Ruby": re.compile(r"^[ \t]*require_relative[ \t]+[\"']([^\"'\n]+)[\"']", re.MULTILINE),
    "Rust": re.compile(r"^[ \t]*(?:pub(?:\([a-z]+\))?[ \t]+)?mod[ \t]+(\w+)[ \t]*;", re.MULTILINE),
}
_LIKE: Final = {
    "TypeScript": "JavaScript", "Vue": "JavaScript", "C++": "C", "Objective-C": "C", "Cuda": "C", "Kotlin": "Java",
    "Scala": "Java", "Groovy": "Java",
}  # fmt: skip


def dependency_order(files: Sequence[tuple[str, str, str]]) -> list[int]:
    """Return the places of (path, language, text) of a repository, each behind what it imports."""
    index = _Index([path for path, _, _ in files])
    needs = [index.imported(path, language, text) - {n} for n, (path, language, text) in enumerate(files)]
    needed_by: defaultdict[int, list[int]] = defaultdict(list)
    for n, wanted in enumerate(needs):
        for other in wanted:
            needed_by[other].append(n)
    left = [len(wanted) for wanted in needs]
    waiting = [(left[n], files[n][0], n) for n in range(len(files))]
    heapq.heapify(waiting)
    done = [False] * len(files)
    order: list[int] = []
    while waiting:  # entries of a file whose count has fallen since are passed over
        count, _, n = heapq.heappop(waiting)
        if done[n] or count != left[n]:
            continue
        done[n] = True
        order.append(n)
        for other in needed_by[n]:
            left[other] -= 1
            if not done[other]:
                heapq.heappush(waiting, (left[other], files[other][0], other))
    return order


class _Index:
    """The files of a repository by the ends of their paths."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._exact = {path: n for n, path in reversed(list(enumerate(paths)))}
        self._by_name: defaultdict[str, list[int]] = defaultdict(list)
        for n, path in enumerate(paths):
            self._by_name[posixpath.basename(path)].append(n)

    def imported(self, path: str, language: str, text: str) -> set[int]:
        """Return the files that a file imports."""
        family = _LIKE.get(language, language)
        pattern = _IMPORTS.get(family)
        if pattern is None:
            return set()
        found = (
            self._find(path, names) for match in pattern.finditer(text) for names in _candidates(path, family, match)
        )
        return {n for n in found if n is not None}

    def _find(self, path: str, names: Sequence[str]) -> int | None:
        """Return the first of some paths that there is: as it stands, else the one that ends with it and is nearest."""
        for name in names:
            if name in self._exact:
                return self._exact[name]
        for name in names:
            ends = [n for n in self._by_name.get(posixpath.basename(name), ()) if self._paths[n].endswith(f"/{name}")]
            if ends:
                return max(ends, key=lambda n: (len(posixpath.commonprefix([self._paths[n], path])), -n))
        return None


def _candidates(path: str, family: str, match: re.Match[str]) -> Iterator[list[str]]:
    """Yield, for each import of a match, the paths that it may mean."""
    folder = posixpath.dirname(path)
    if family == "Python":
        yield from _python(folder, *match.groups())
    elif family == "JavaScript":
        target = posixpath.normpath(posixpath.join(folder, match.group(1)))
        yield [target + ending for ending in _SCRIPT] + [re.sub(r"\.js$", ".ts", target)]
    elif family == "C":
        yield [posixpath.normpath(posixpath.join(folder, match.group(1))), match.group(1)]
    elif family == "Java":
        inner = match.group(1).replace(".", "/")
        yield [f"{inner}{ending}" for ending in (".java", ".kt", ".scala", ".groovy")]
    elif family == "Ruby":
        yield [posixpath.normpath(posixpath.join(folder, match.group(1))) + ".rb"]
    else:
        stem = posixpath.splitext(path)[0]
        yield [f"{base}/{match.group(1)}{ending}" for base in (folder, stem) for ending in (".rs", "/mod.rs")]


def _python(folder: str, module: str | None, names: str | None, modules: str | None) -> Iterator[list[str]]:
    if module is None:
        for name in re.findall(r"[\w.]+", re.sub(r"\bas\s+\w+", "", modules or "")):
            yield _module_files(name.replace(".", "/"))
        return
    dots = len(module) - len(module.lstrip("."))
    base = folder
    for _ in range(dots - 1):
        base = posixpath.dirname(base)
    inner = module.lstrip(".").replace(".", "/")
    target = posixpath.join(base, inner).rstrip("/") if dots else inner
    submodules = [posixpath.join(target, name) for name in re.findall(r"\w+", names or "")]
    for each in submodules:
        yield [f"{each}.py", *_module_files(target)]
    if not submodules:
        yield _module_files(target)


def _module_files(stem: str) -> list[str]:
    return [f"{stem}.py", f"{stem}/__init__.py"]
