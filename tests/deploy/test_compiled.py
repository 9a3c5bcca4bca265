"""What compiling the extraction says where it cannot be done."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from deploy.compiled import check_tools
from schemas.errors import ConfigError


def test_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    with pytest.raises(ConfigError, match=r"^no C compiler \(no-such-compiler\): the extraction runs from source"):
        check_tools()


def test_no_headers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", "sh")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(ConfigError, match=r"no .*/Python.h"):
        check_tools()
