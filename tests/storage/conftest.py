"""A scripted web server, and what a test leaves in the folder of temporary files."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage
from tests.storage.web_server import WebServer, serving


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving() as server:
        yield server


def read_all(address: str) -> bytes:
    with storage.open_read(address) as stream:
        return stream.read()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def open_files(folder: Path) -> list[str]:
    """Return the files of a folder that this process holds open, those without a name as well."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists the folder
            found.append(str(handle.readlink()))
    return [path for path in found if path.startswith(str(folder))]
