"""The source archive and the wheel, built from a copy of the checkout as an index would get them."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What git ignores lies in a working copy all the same; none of it may travel.
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info")
NOT_OURS = ("build", "dist", "demo", "runs", "lists")  # at the top
_SDIST = "from setuptools import build_meta; build_meta.build_sdist('dist')"
_WHEEL = "from setuptools import build_meta; build_meta.build_wheel('..')"


@dataclasses.dataclass(frozen=True)
class Built:
    """What was built, and the names in it (those of the source archive without its top folder)."""

    wheel: Path
    sdist: Path

    @property
    def in_wheel(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    @property
    def in_sdist(self) -> set[str]:
        with tarfile.open(self.sdist) as archive:
            return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}

    def text(self, name: str) -> str:
        """Return a file of the wheel's metadata."""
        with zipfile.ZipFile(self.wheel) as archive:
            (path,) = (each for each in archive.namelist() if each.endswith(f".dist-info/{name}"))
            return archive.read(path).decode()


def _copy(target: Path) -> None:
    for path in ROOT.iterdir():
        if path.name.startswith(".") or path.name in NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name, ignore=LEFT_OUT)
        else:
            shutil.copy(path, target)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The source archive of the checkout, and the wheel made of that archive alone."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    source.mkdir()
    _copy(source)
    compiled = source / "transforms" / "extraction" / "_compiled" / "0123"
    compiled.mkdir(parents=True, exist_ok=True)
    (compiled / "page.so").write_bytes(b"of this machine")
    _build(_SDIST, source)
    (sdist,) = (source / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    _build(_WHEEL, unpacked)
    (wheel,) = unpacked.parent.glob("*.whl")
    return Built(wheel, sdist)


def _build(code: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
