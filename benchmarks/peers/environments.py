"""Peers of a benchmark: an environment of its own for each, and packages that are read and not installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, say

HERE = Path(__file__).resolve().parent
CACHE = ROOT / ".cache"


def python_of(name: str, what: str = "some minutes") -> Path:
    """Return the Python of a peer's environment, made of requirements-NAME.txt whenever that file changed."""
    folder, requirements = CACHE / f"{name}-venv", HERE / f"requirements-{name}.txt"
    python, stamp = folder / "bin" / "python", folder / "requirements.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    say(f"making {folder} ({what})")
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, symlinks=True, with_pip=True)
    _pip(python, "install", "--requirement", requirements)
    stamp.write_text(wanted)
    return python


def fetched(package: str, ending: str) -> Path:
    """Return the file of a package, NAME==VERSION: `.whl` for its wheel, `.tar.gz` for its source archive."""
    folder = CACHE / package.partition("=")[0]
    if not list(folder.glob(f"*{ending}")):
        only = "--only-binary" if ending == ".whl" else "--no-binary"
        _pip(Path(sys.executable), "download", "--no-deps", only, ":all:", "--dest", folder, package)
    return min(folder.glob(f"*{ending}"))


def _pip(python: Path, *words: Any) -> None:
    run_quietly([python, "-m", "pip", "--quiet", "--disable-pip-version-check", *words], foreign_environment())


def foreign_environment() -> dict[str, str]:
    """Return the environment without what would show this checkout to another Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run_quietly(command: list[Any], environment: dict[str, str]) -> str:
    """Run a command and return what it printed; when it fails, show that and stop."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout
