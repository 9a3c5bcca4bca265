"""The name on package indexes, and the lines that tell a person what to install."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from schemas import distribution
from schemas.distribution import EXTRA_OF, NAME, install_line, missing_module, requirements, version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What says `pip install` with our name, and every extra that is named without it.
INSTALLS = re.compile(r"pip install[^\n`;&|#)]*?['\" ](winnow[\w-]*)(?:\[([\w, -]*)\])?")
EXTRAS = re.compile(r"\b(winnow[\w-]*)\[([a-z0-9, -]+)\]")
READ = (".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".sh", ".json", ".cfg", "Makefile", "Dockerfile", "crontab")
HISTORY = ("LOG.md", "CHANGELOG.md")


def texts() -> dict[str, str]:
    """The files of the checkout that a person or a shell reads, by path."""
    found = {}
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if any(part.startswith(".") or part in ("build", "dist", "demo", "runs", "lists") for part in parts[:-1]):
            continue
        if path.name.endswith(READ) and path.name not in HISTORY and path.is_file() and path != Path(__file__):
            found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8", errors="replace")
    return found


def wrong_lines(text: str) -> list[str]:
    """What a text tells to install that is not this distribution, or has no such extra."""
    named = [(found[0], found[1], found[2] or "") for found in INSTALLS.finditer(text)]
    named += [(found[0], found[1], found[2]) for found in EXTRAS.finditer(text)]
    known = set(PROJECT["optional-dependencies"])
    return [
        whole
        for whole, name, extras in named
        if name != NAME or not {word.strip() for word in extras.split(",") if word.strip()} <= known
    ]


def test_every_install_line_of_the_checkout_is_right() -> None:
    read = texts()
    assert {"README.md", "storage/network/remote.py", "deploy/image/Dockerfile", "docs/storage.md", "Makefile"} <= set(
        read
    )
    assert {path: wrong for path, text in read.items() if (wrong := wrong_lines(text))} == {}
    assert sum(NAME in text for text in read.values()) > 5


@pytest.mark.parametrize(
    "text",
    [
        "pip install winnow",
        "pip install 'winnow[s3]'",
        'pip install "winnow"',
        "run `pip install --upgrade winnow` first",
        "needs `winnow[gcp]`",
        "pip install 'winnow-corpus[s4]'",
        "pip install winnow-core",
    ],
)
def test_a_wrong_line_is_found(text: str) -> None:
    assert wrong_lines(text)


@pytest.mark.parametrize(
    ("extras", "line"),
    [
        ((), "pip install winnow-corpus"),
        (("s3",), "pip install 'winnow-corpus[s3]'"),
        (("gcp", "s3"), "pip install 'winnow-corpus[gcp,s3]'"),
    ],
)
def test_a_line_is_one_that_a_shell_takes(extras: tuple[str, ...], line: str) -> None:
    assert install_line(*extras) == line
    assert wrong_lines(line) == []
    word = subprocess.run(["sh", "-c", line.replace("pip install", "printf %s")], capture_output=True, text=True)
    assert word.stdout == NAME + (f"[{','.join(extras)}]" if extras else "")


def test_every_extra_that_a_message_can_name_is_there() -> None:
    assert set(EXTRA_OF.values()) <= set(PROJECT["optional-dependencies"])
    core = {re.split(r"[^\w.-]", line, maxsplit=1)[0].replace("-", "_") for line in PROJECT["dependencies"]}
    assert core & set(EXTRA_OF) == set()


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("torch", "no module torch: pip install 'winnow-corpus[train]'"),
        ("google.cloud.storage", "no module google: pip install 'winnow-corpus[gcp]'"),
        ("lightgbm", "no module lightgbm: pip install 'winnow-corpus[train-extractor]'"),
        ("pyarrow", ""),
        ("forum_recipe", ""),
        (None, ""),
    ],
)
def test_a_missing_module_names_its_extra(module: str | None, line: str) -> None:
    assert missing_module(ModuleNotFoundError(f"No module named {module!r}", name=module)) == line


def test_a_checkout_that_is_not_installed_knows_its_version_and_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(distribution.metadata, "version", absent)
    monkeypatch.setattr(distribution.metadata, "requires", absent)
    assert version.__wrapped__() == PROJECT["version"]
    needed = requirements.__wrapped__()
    assert set(PROJECT["dependencies"]) <= set(needed)
    assert set(PROJECT["optional-dependencies"]["s3"]) <= set(needed)
    monkeypatch.setattr(distribution, "_CHECKOUT", ROOT / "nowhere" / "pyproject.toml")
    with pytest.raises(metadata.PackageNotFoundError):
        version.__wrapped__()
