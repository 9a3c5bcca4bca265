"""The pinned parts of Flink and of Beam's job server."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deploy.flink import packages
from deploy.flink.packages import HERE, PACKAGES, check_jars, fetch, merge_jars
from schemas.errors import ConfigError


def jar(path: Path, entries: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return path


def pinned(folder: Path, *paths: Path) -> Path:
    pins = folder / "pins"
    pins.write_text("".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths))
    return pins


def test_one_jar_of_many(tmp_path: Path) -> None:
    first = jar(tmp_path / "a.jar", {
        "x/A.class": "first", "META-INF/services/s": "one\n", "META-INF/A.SF": "", "META-INF/MANIFEST.MF": "mine",
        "META-INF/versions/9/module-info.class": "", "x/": "",
    })  # fmt: skip
    second = jar(tmp_path / "b.jar", {"x/A.class": "second", "x/B.class": "b", "META-INF/services/s": "two"})
    merge_jars([first, second], tmp_path / "all.jar", "x.Main")
    with zipfile.ZipFile(tmp_path / "all.jar") as made:
        assert sorted(made.namelist()) == ["META-INF/MANIFEST.MF", "META-INF/services/s", "x/A.class", "x/B.class"]
        assert made.read("x/A.class") == b"first"
        assert made.read("META-INF/services/s").split() == [b"one", b"two"]
        assert b"\nMain-Class: x.Main\n" in made.read("META-INF/MANIFEST.MF")


def test_jars_must_be_exactly_those_that_are_pinned(tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    folder.mkdir()
    first, second = jar(folder / "a.jar", {"a": "1"}), jar(folder / "b.jar", {"b": "1"})
    pins = pinned(tmp_path, first, second)
    check_jars(folder, pins)
    jar(second, {"b": "2"})
    with pytest.raises(ConfigError, match=r"Maven: b\.jar: SHA-256 [0-9a-f]{64}, pinned [0-9a-f]{64}$"):
        check_jars(folder, pins)
    second.unlink()
    with pytest.raises(ConfigError, match=r"b\.jar: SHA-256 \(not there\), pinned"):
        check_jars(folder, pins)
    with pytest.raises(ConfigError, match=r"a\.jar: SHA-256 [0-9a-f]{64}, pinned \(nothing\)"):
        check_jars(folder, pinned(tmp_path))


def test_every_download_is_pinned_to_a_version_and_its_bytes() -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", package.sha256) for package in PACKAGES)
    lines = (HERE / "jars.sha256").read_text().splitlines()
    assert len(lines) == 162
    assert all(re.fullmatch(r"[0-9a-f]{64} [ *]\S+\.jar", line) for line in lines)
    versions = ElementTree.parse(HERE / "pom.xml").findall(".//{*}version")
    assert all(re.fullmatch(r"[0-9.]+", version.text or "") for version in versions)


def test_what_is_in_the_cache_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / f"flink-{packages.FLINK}-{packages._pins()[:12]}"
    (made / "home").mkdir(parents=True)
    (made / "job-server.jar").touch()
    monkeypatch.setenv("PATH", "")
    assert fetch(tmp_path).home == made / "home"


def test_without_maven_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"flink-{packages.FLINK}-{packages._pins()[:12]}" / "home").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no `mvn` on the PATH"):
        fetch(tmp_path)


def test_a_download_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], folder: Path, what: str) -> None:
        (folder / "half").touch()
        raise ConfigError(f"{what}: no index")

    monkeypatch.setattr(packages, "_run", fail)
    with pytest.raises(ConfigError, match=r"pip: apache-flink 1\.19\.3: no index"):
        fetch(tmp_path)
    (root,) = tmp_path.iterdir()
    assert [path.name for path in root.iterdir()] == [".lock"]


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file.*: Not a directory"):
        fetch(tmp_path / "file")
