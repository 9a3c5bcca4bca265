"""Where a repository says its licence, and which evidence counts for a file.

The first that is there:

    the file itself          an SPDX tag, else a notice in the comment at its head
    the nearest folder       its licence files and the licence that its manifest declares
    the next folder above    ... up to the root

Licence files and manifests of one folder bind together (`AND`): a GPL text beside `"license": "ISC"` that npm wrote by
default is no ISC. A licence file whose text is not known makes the licence unknown, whatever manifests say.
"""

from __future__ import annotations

import configparser
import json
import posixpath
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from transforms.sources.github.licences.match import MAX_TEXT, SPDX_TAG, licence_of, notice_in
from transforms.sources.github.licences.spdx import normal_expression
from transforms.sources.github.names import extension

MAX_EVIDENCE_BYTES: Final = 1 << 20
NOT_KNOWN: Final = "not recognised"

_LICENCE: Final = re.compile(r"(?:(?:un)?licen[cs]e|copying)(?:[._-].*)?$", re.IGNORECASE)
_CODE_ENDINGS: Final = frozenset(
    ["py", "js", "ts", "go", "rs", "java", "c", "h", "cpp", "rb", "php", "cs", "sh", "html", "json", "yml", "yaml"]
)
_CLASSIFIER: Final = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence and what says it; both '' when nothing does."""

    expression: str = ""  # SPDX
    evidence: str = ""


def is_evidence(path: str) -> bool:
    """Return whether a file of a repository may say a licence for its folder."""
    name = posixpath.basename(path).lower()
    return name in _MANIFESTS or (bool(_LICENCE.match(name)) and extension(path) not in _CODE_ENDINGS)


@dataclass
class RepositoryLicences:
    """What the licence files and manifests of a repository say, by folder ('' is the root)."""

    _texts: dict[str, dict[str, str]] = field(default_factory=dict)
    _manifests: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, path: str, data: bytes) -> None:
        """Take note of a file that `is_evidence` chose, by its path in the repository."""
        folder, name = posixpath.split(path)
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        reader = _MANIFESTS.get(name.lower())
        if reader is None:
            self._texts.setdefault(folder, {})[name] = licence_of(text)
        elif declared := _declared(reader, text):
            self._manifests.setdefault(folder, {})[name] = declared

    def of_folder(self, folder: str) -> Licence:
        """Return the licence of the files in a folder that say none themselves."""
        while True:
            texts, manifests = self._texts.get(folder, {}), self._manifests.get(folder, {})
            unknown = sorted(name for name, licence in texts.items() if not licence)
            if unknown:
                return Licence("", f"{posixpath.join(folder, unknown[0])}: {NOT_KNOWN}")
            if texts or manifests:
                names = [*sorted(texts), *sorted(manifests)]
                found = dict.fromkeys(
                    [*(texts[name] for name in sorted(texts)), *(manifests[n] for n in sorted(manifests))]
                )
                where = ", ".join(posixpath.join(folder, name) for name in names)
                return Licence(all_of(list(found)), where)
            if not folder:
                return Licence()
            folder = posixpath.dirname(folder)


def licence_of_file(head: str, folder: Licence) -> Licence:
    """Return the licence of a file whose first comment is `head`, in a folder of a licence."""
    tag = SPDX_TAG.search(head)
    if tag and (expression := normal_expression(tag.group(1))):
        return Licence(expression, "SPDX tag")
    notice = notice_in(head[:MAX_TEXT])
    return Licence(notice, "notice in the file") if notice else folder


def all_of(expressions: list[str]) -> str:
    """Return the expression of several that all hold."""
    if len(expressions) == 1:
        return expressions[0]
    return " AND ".join(f"({each})" if " OR " in each else each for each in expressions)


# ---- manifests ------------------------------------------------------------------------------------------------------


def _declared(reader: Callable[[str], Any], text: str) -> str:
    """Return the licence that a manifest declares, '' when it declares none or is damaged."""
    try:
        found = reader(text)
    except (ValueError, RecursionError, AttributeError, TypeError, configparser.Error):  # anybody's file
        return ""
    return normal_expression(found) if isinstance(found, str) and not found.lower().startswith("see licen") else ""


def _of_json(text: str) -> str:
    data = json.loads(text)
    declared = data.get("license", data.get("licenses", ""))
    if isinstance(declared, list):
        names = [item if isinstance(item, str) else item.get("type", "") for item in declared]
        return f"({' OR '.join(map(normal_expression, names))})" if names else ""
    return str(declared.get("type", "")) if isinstance(declared, Mapping) else str(declared)


def _of_pyproject(text: str) -> str:
    data = tomllib.loads(text)
    project = data.get("project", {})
    declared = project.get("license", data.get("tool", {}).get("poetry", {}).get("license", ""))
    if isinstance(declared, Mapping):
        declared = declared.get("text", "")
        declared = "" if len(declared) > 100 else declared
    return str(declared) or _of_classifiers(project.get("classifiers", []))


def _of_cargo(text: str) -> str:
    return str(tomllib.loads(text).get("package", {}).get("license", ""))


def _of_setup_cfg(text: str) -> str:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    metadata = parser["metadata"] if parser.has_section("metadata") else {}
    return str(metadata.get("license", "")) or _of_classifiers(str(metadata.get("classifiers", "")).splitlines())


def _of_setup_py(text: str) -> str:
    found = re.search(r"\blicense\s*=\s*[\"']([^\"'\n]{2,80})[\"']", text)
    return found.group(1) if found else _of_classifiers(re.findall(r"[\"'](License :: [^\"'\n]+)[\"']", text))


def _of_classifiers(classifiers: list[str]) -> str:
    names = [line.strip().removeprefix(_CLASSIFIER) for line in classifiers if line.strip().startswith(_CLASSIFIER)]
    known = [expression for name in names if (expression := normal_expression(name)) != name or " " not in name]
    return all_of(list(dict.fromkeys(known))) if known and len(known) == len(names) else ""


_MANIFESTS: Final[Mapping[str, Callable[[str], str]]] = {
    "package.json": _of_json,
    "composer.json": _of_json,
    "pyproject.toml": _of_pyproject,
    "cargo.toml": _of_cargo,
    "setup.cfg": _of_setup_cfg,
    "setup.py": _of_setup_py,
}
