"""Repositories made by hand, and their files through scan and read."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from schemas.records import Header
from transforms.sources.github.licences.texts import TEXTS
from transforms.sources.github.settings import FilesConfig
from transforms.sources.github.source import GitHub
from transforms.sources.source import Text

CODE = "def first(rows):\n    return rows[0]\n"
MIT = "MIT License\n\nCopyright (c) 2020 Jane Roe\n" + TEXTS["MIT"]
Files = Mapping[str, str | bytes]


def data(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def tar(files: Files, mode: str = "w", **headers: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=tarfile.PAX_FORMAT, pax_headers=headers) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data(content))
            info.mtime = 1_600_000_000
            archive.addfile(info, io.BytesIO(data(content)))
    return buffer.getvalue()


def zipped(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6)), data(content))
    return buffer.getvalue()


def tree(folder: Path, files: Files) -> list[Path]:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data(content))
    return [folder / name for name in files]


class Read:
    """What became of some files."""

    def __init__(self, paths: list[Path], **settings: Any) -> None:
        source = GitHub("github", FilesConfig(**settings))
        self.items: list[Any] = []
        self.texts: dict[str, Text] = {}
        parts = source.parts([(str(path), path.stat().st_size) for path in paths])
        for part in parts:
            items = list(source.scan(part))
            assert [item.row for item in items] == list(range(len(items)))
            headers = {item.row: item for item in items if isinstance(item, Header)}
            for text in source.reader.read(part, headers):
                self.texts[headers.pop(text.row).record_id] = text
            assert not headers  # every header has a text
            self.items += items
        self.n_parts = len(parts)

    @property
    def fates(self) -> dict[str, str]:
        """Reason or cause by id; '' of what is read."""
        return {item.record_id: getattr(item, "reason", getattr(item, "cause", "")) for item in self.items}

    def licence(self, name: str) -> tuple[str, str]:
        facts = self.texts[name].facts
        return facts.licence, facts.licence_evidence


@pytest.fixture
def read() -> Callable[..., Read]:
    return Read
