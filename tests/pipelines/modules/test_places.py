"""Where modules lie and whose they are: folders, packages, editable installs, wheels, Python."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.modules import places
from pipelines.modules.places import PYTHON, Place, installed_version, is_required, place_of, state_of

EDITABLE = json.dumps({"url": "file:///work", "dir_info": {"editable": True}})


def forget() -> None:
    importlib.invalidate_caches()
    places._installed.cache_clear()
    places._version.cache_clear()


@pytest.fixture(autouse=True)
def caches() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages on sys.path."""
    folder = tmp_path / "lib" / "site-packages"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's on sys.path."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    forget()


def install(site: Path, name: str, files: dict[str, str], more: dict[str, str] | None = None) -> None:
    """Install files as a wheel would be."""
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    rows = [f"{path},sha256={text},{len(text)}" for path, text in files.items()]
    notes = [f"{info}/{note},sha256={text},1" for note, text in (more or {}).items()]
    record = "\n".join([*rows, *notes, f"{info}/RECORD,,", f"../../bin/{name},sha256={sys.prefix},1"])
    write(site, files)
    write(site / info, {"METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", **(more or {})})
    write(site / info, {"RECORD": record})


def names(place: Place) -> list[str]:
    return [module.name for module in place.modules]


def test_python_itself() -> None:
    for name in ("os.path", "sys", "functools", "xml.etree.ElementTree", "_thread", "builtins", "__future__"):
        assert place_of(name) == PYTHON


def test_a_file_and_a_package_of_the_user(source: Path) -> None:
    write(source, {"mine_a.py": "", "mine_b/__init__.py": "", "mine_b/deep/__init__.py": "", "mine_b/deep/x.py": ""})
    assert names(place_of("mine_a")) == names(place_of("mine_a.function")) == ["mine_a"]
    assert names(place_of("mine_b.deep.x.Class")) == ["mine_b", "mine_b.deep", "mine_b.deep.x"]
    assert [module.package for module in place_of("mine_b.deep.x").modules] == ["mine_b", "mine_b.deep", "mine_b.deep"]
    assert place_of("mine_a").modules[0].package == ""
    assert place_of("mine_c") == Place()
    assert not {"mine_a", "mine_b"} & set(sys.modules)


def test_a_namespace_package_in_two_folders(source: Path, site: Path) -> None:
    write(source, {"spread/a.py": "", "spread/inner/c.py": ""})
    install(site, "spread-b", {"spread/b.py": ""})
    assert names(place_of("spread.a")) == ["spread.a"]
    assert names(place_of("spread.inner.c")) == ["spread.inner.c"]
    assert place_of("spread.b.f").distributions == ("spread-b",)
    assert place_of("spread") == Place(found=True)


def test_a_file_of_the_user_before_pythons_own(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(source, {"sndhdr.py": ""})
    monkeypatch.delitem(sys.modules, "sndhdr", raising=False)
    assert names(place_of("sndhdr")) == ["sndhdr"]


def test_a_wheel_is_its_distribution(site: Path) -> None:
    install(site, "Wheel_One", {"wheel_one/__init__.py": "", "wheel_one/a.py": "", "wheel_one_extra.py": ""})
    assert place_of("wheel_one.a.f") == Place(True, distributions=("wheel-one",))
    assert place_of("wheel_one_extra") == Place(True, distributions=("wheel-one",))
    assert place_of("numpy.random").distributions == ("numpy",)
    assert place_of("yaml").distributions == ("pyyaml",)
    assert place_of("google.protobuf.message").distributions == ("protobuf",)  # one of many that share a name


def test_what_only_looks_like_a_wheel_is_the_users(source: Path, site: Path) -> None:
    told = {"PKG-INFO": "Name: developed\nVersion: 1\n", "top_level.txt": "developed\n"}  # by `setup.py develop`
    write(source, {"developed/__init__.py": "", **{f"developed.egg-info/{name}": text for name, text in told.items()}})
    assert names(place_of("developed")) == ["developed"]


def test_a_file_of_the_user_before_a_wheel(site: Path, source: Path) -> None:
    install(site, "shadowed", {"shadowed.py": ""})
    assert place_of("shadowed").distributions == ("shadowed",)
    write(source, {"shadowed.py": ""})
    assert names(place_of("shadowed")) == ["shadowed"]


def test_an_editable_install_is_the_users(source: Path, site: Path) -> None:
    write(source, {"edited/__init__.py": "", "edited/a.py": ""})
    install(site, "edited", {"edited.pth": str(source)}, {"direct_url.json": EDITABLE, "top_level.txt": "edited\n"})
    assert names(place_of("edited.a")) == ["edited", "edited.a"]
    install(site, "linked", {"linked.py": ""}, {"direct_url.json": EDITABLE})  # as `flit install --symlink` does
    assert names(place_of("linked")) == ["linked"]
    install(site, "local", {"local_wheel.py": ""}, {"direct_url.json": '{"url": "file:///work", "dir_info": {}}'})
    assert place_of("local_wheel").distributions == ("local",)


def test_a_finder_of_an_editable_install_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As setuptools' `__editable___*_finder` does for a `src` layout."""
    write(tmp_path / "src", {"mapped/__init__.py": "", "mapped/a.py": ""})

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> object:
            if name != "mapped":
                return None
            return importlib.util.spec_from_file_location(name, tmp_path / "src" / "mapped" / "__init__.py")

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert names(place_of("mapped.a")) == ["mapped", "mapped.a"]


def test_a_loaded_module_that_no_finder_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("by_pytest")
    monkeypatch.setitem(sys.modules, "by_pytest", module)
    assert place_of("by_pytest") == Place()
    module.__file__ = str(tmp_path / "x.py")
    assert names(place_of("by_pytest")) == ["by_pytest"]
    assert place_of("__main__") == Place()


def test_the_version_of_a_wheel_that_winnow_does_not_ask_for_has_a_digest_of_its_files(site: Path) -> None:
    assert installed_version("numpy") == importlib.import_module("numpy").__version__
    asked_for = [is_required(name) for name in ("apache-beam", "fsspec", "winnow-corpus", "urllib3")]
    assert asked_for == [True, True, True, False]
    assert installed_version("no-such") is None
    found = []
    for text, installer in (("1", "pip"), ("2", "pip"), ("2", "uv")):
        install(site, "built", {"built.py": text}, {"INSTALLER": installer})
        found.append(installed_version("built") or "")
    assert found[0].startswith("1.0 (")
    assert found[0] != found[1] == found[2]


def test_the_state_of_a_module_changes_with_its_bytes_and_models(source: Path) -> None:
    write(source, {"pack/__init__.py": "", "pack/a.py": ""})
    before = state_of("pack"), state_of("pack.a")
    assert None not in before
    assert state_of("pack.b") is None
    write(source, {"pack/m.npz": "x"})
    assert state_of("pack") != before[0]
    assert state_of("pack.a") == before[1]
    write(source, {"pack/a.py": "# edited"})
    assert state_of("pack.a") != before[1]


def test_a_module_has_the_same_state_where_it_is_installed_as_a_wheel(source: Path, site: Path) -> None:
    write(source, {"both.py": "x = 1\n"})
    state = state_of("both")
    (source / "both.py").unlink()
    install(site, "both", {"both.py": "x = 1\n"})
    assert place_of("both").distributions == ("both",)
    assert state_of("both") == state
