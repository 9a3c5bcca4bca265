"""The demo from the wheel alone, in a new environment outside the checkout, on every Python that is to be had.

Run by `make wheel`, not by `make test`: on two cores that have other work, an environment takes four minutes to install
and the demo two, for each Python.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 1200
VERSIONS = ("3.11", "3.12", "3.13")
Words = tuple[str, ...]
Shell = Callable[..., str]

pytestmark = pytest.mark.slow


def interpreter(version: str) -> str:
    """Return a working interpreter of a version, from the PATH or pyenv; '' for none."""
    found = [shutil.which(f"python{version}") or "", sys.executable]
    found += sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))
    ask = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for path in filter(None, found):
        done = subprocess.run([path, "-c", ask], capture_output=True, text=True, timeout=60)
        if done.returncode == 0 and done.stdout.strip() == version:
            return path
    return ""


def call(words: Words, cwd: Path, code: int = 0) -> str:
    """Run a program away from the checkout; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WINNOW"))}
    environment |= {"COLUMNS": "200", "PYTHONNOUSERSITE": "1", "XDG_STATE_HOME": str(cwd)}
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == code, f"{words}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def seen() -> dict[str, dict[str, str]]:
    """The shards' SHA-256 of each version so far, by path."""
    return {}


@pytest.fixture(scope="module", params=VERSIONS)
def installed(request: pytest.FixtureRequest, built: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A version, and a new environment of it with the wheel and what it asks for."""
    python = interpreter(request.param)
    if not python:
        pytest.skip(f"no Python {request.param} on this machine")
    folder = tmp_path_factory.mktemp("environment")
    call((python, "-m", "venv", str(folder / "venv")), folder)
    pip = (str(folder / "venv" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
    call((*pip, "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), str(built.wheel)), folder)
    call((*pip, "check"), folder)
    return request.param, folder


@pytest.fixture
def shell(installed: tuple[str, Path]) -> Shell:
    """Run a line in the environment's folder, its programs first on the PATH."""
    _, folder = installed

    def run(line: str, code: int = 0) -> str:
        name, *words = line.split()
        return call((str(folder / "venv" / "bin" / name), *words), folder, code)

    return run


def demo_lines() -> list[str]:
    """The lines of `make demo` as the Makefile has them."""
    rule = re.search(r"^demo: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert rule is not None
    lines = [line.strip() for line in rule[1].splitlines() if "$(BIN)/winnow" in line]
    return [line.replace("$(BIN)/", "").replace("$(DEMO)", "demo") for line in lines]


def test_the_demo_gives_the_figures_of_the_readme(
    installed: tuple[str, Path], shell: Shell, seen: dict[str, dict[str, str]]
) -> None:
    version, folder = installed
    lines = demo_lines()
    assert [line.split()[1] for line in lines] == ["demo-web", "train-classifier", "run", "show", "show", "show"]
    printed = [shell(line) for line in lines]
    tokens = re.search(r"5 shards, [\d,]+ tokens", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert tokens is not None
    assert tokens[0] in printed[2]
    assert "near_copy" in printed[4]
    manifest = json.loads((folder / "demo" / "run" / "shards" / "manifest.json").read_text())
    assert manifest["versions"]["python"].startswith(f"{version}.")
    assert manifest["versions"]["unicode"]
    seen[version] = {shard["path"]: shard["sha256"] for shard in manifest["facts"]["shards"]}
    assert len({tuple(sorted(shards.items())) for shards in seen.values()}) == 1, seen


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("winnow-train plan cpu", "winnow-train: no module torch: pip install 'winnow-corpus[train]'"),
        ("winnow run --input s3://b/a --output o", "is not installed: pip install 'winnow-corpus[s3]'"),
        ("winnow run --input gs://b/a --output o", "is not installed: pip install 'winnow-corpus[gcp]'"),
        ("python -m deploy.compiled", "no module mypyc: pip install 'winnow-corpus[compiled]'"),
        ("python -m deploy.flink args", "there is no cluster; start one with `make flink-up`"),
    ],
)
def test_what_an_extra_brings_is_one_line(shell: Shell, line: str, said: str) -> None:
    printed = shell(line, code=1)
    assert said in printed
    assert printed.count("\n") == 1


def test_the_library_is_typed_and_imports_from_the_environment(shell: Shell, installed: tuple[str, Path]) -> None:
    printed = shell("python -c __import__('sys').stdout.write(__import__('transforms').__file__)")
    assert printed.startswith(str(installed[1]))
    assert Path(printed).with_name("py.typed").is_file()
