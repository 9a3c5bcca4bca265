"""Which modules a package is looked for in: the compiled ones where they are of these sources, else the sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from transforms.extraction.compiled import SWITCH, place_of, use_compiled


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with another in it."""
    monkeypatch.delenv(SWITCH, raising=False)
    made = tmp_path / "package"
    for name in ("__init__.py", "walk.py", "inner/__init__.py"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text("x = 1\n")
    return made


def searched(package: Path, name: str = ".") -> list[str]:
    search = [str(package / name)]
    use_compiled(search, package)
    return search


def test_compiled_modules_come_first(package: Path) -> None:
    place_of(package).mkdir(parents=True)
    assert searched(package) == [str(place_of(package)), str(package)]
    assert searched(package, "inner") == [str(place_of(package) / "inner"), str(package / "inner")]


def test_what_was_compiled_of_other_sources_is_not_used(package: Path) -> None:
    place = place_of(package)
    place.mkdir(parents=True)
    (place / "left.py").write_text("is no source of the package\n")
    assert place_of(package) == place
    (package / "inner/__init__.py").write_text("x = 2\n")
    assert searched(package) == [str(package)]


def test_nothing_compiled(package: Path) -> None:
    assert searched(package) == [str(package)]


def test_switched_off(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place_of(package).mkdir(parents=True)
    monkeypatch.setenv(SWITCH, "0")
    assert searched(package) == [str(package)]


def test_what_an_editor_leaves_is_no_source(package: Path) -> None:
    before = place_of(package)
    (package / ".#walk.py").symlink_to("somebody@somewhere:1")
    assert place_of(package) == before
