"""Compiling the extraction: what it says where it cannot be done, and what it leaves when others do the same."""

from __future__ import annotations

import os
import sysconfig
import time
from pathlib import Path

import pytest

from deploy import compiled
from deploy.compiled import check_tools, compile_extraction
from schemas.errors import ConfigError
from transforms.extraction.compiled import place_of


def test_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    with pytest.raises(ConfigError, match=r"^no C compiler \(no-such-compiler\): the extraction runs from source"):
        check_tools()


def test_no_headers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", "sh")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(ConfigError, match=r"no .*/Python.h"):
        check_tools()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small package inside another."""
    made = tmp_path / "outer" / "inner"
    made.mkdir(parents=True)
    for name in ("outer/__init__.py", "outer/inner/__init__.py"):
        (tmp_path / name).touch()
    (made / "module.py").write_text("def double(x: int) -> int:\n    return 2 * x\n")
    return made


def stub(monkeypatch: pytest.MonkeyPatch, package: Path, meanwhile: str = "") -> list[Path]:
    """Let building cost nothing; `meanwhile` is what happens to the package: "edited", "published"."""
    built: list[Path] = []

    def build(_package: Path, _names: list[Path], made: Path) -> Path:
        folder = made / "lib"
        folder.mkdir()
        (folder / "module.so").write_text("ours")
        if meanwhile == "edited":
            (package / "module.py").write_text("x = 1\n")
        elif meanwhile == "published":
            place_of(package).mkdir()
            (place_of(package) / "module.so").write_text("theirs")
        built.append(made)
        return folder

    monkeypatch.setattr(compiled, "check_tools", lambda: None)
    monkeypatch.setattr(compiled, "build", build)
    return built


def test_what_was_compiled_of_older_sources_goes(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    built = stub(monkeypatch, package)
    first = compile_extraction(package)
    assert compile_extraction(package) == first
    (package / "module.py").write_text("x = 1\n")
    killed, others = first.parent / "unfinished-a", first.parent / "unfinished-b"
    killed.mkdir()
    others.mkdir()
    os.utime(killed, (time.time() - 7200,) * 2)
    second = compile_extraction(package)
    assert sorted(first.parent.iterdir()) == sorted([second, others])
    assert len(built) == 2


def test_sources_that_change_meanwhile_are_not_published(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    before = place_of(package)
    stub(monkeypatch, package, "edited")
    with pytest.raises(ConfigError, match="changed while they were compiled"):
        compile_extraction(package)
    assert list(before.parent.iterdir()) == []


def test_another_process_was_first(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    stub(monkeypatch, package, "published")
    place = compile_extraction(package)
    assert ((place / "module.so").read_text(), list(place.parent.iterdir())) == ("theirs", [place])


def test_a_compiler_that_fails(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    pytest.importorskip("mypyc")
    monkeypatch.setenv("CC", "false")
    with pytest.raises(ConfigError, match=r"^compiling failed \(.*false.*\): the extraction runs from source$"):
        compile_extraction(package)
    assert list(place_of(package).parent.iterdir()) == []


def test_a_package_that_cannot_be_written_to(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    stub(monkeypatch, package)
    place_of(package).parent.write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match=r"_compiled: .*; the extraction runs from source"):
        compile_extraction(package)
