"""Small public lists as archives, and a server of them."""

from __future__ import annotations

import functools
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from storage.network import remote

WORDS = {"package/package.json": "{}", "package/en.json": json.dumps(["zorbleflux", "grim zorble"])}
DOMAINS = {"blacklists/adult/domains": "evil.example\n", "blacklists/gambling/domains": "bet.example\n",
           "blacklists/porn": "adult"}  # fmt: skip


def write_tar(path: Path, files: Mapping[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    return tmp_path / "cache" / "winnow"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return write_tar(tmp_path / "words.tgz", WORDS)


@pytest.fixture
def domains(tmp_path: Path) -> Path:
    return write_tar(tmp_path / "domains.tar.gz", DOMAINS)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A server of `tmp_path`; what is asked with ?half breaks off, with ?stuck it never ends."""
    ended = threading.Event()

    class Server(http.server.SimpleHTTPRequestHandler):
        def copyfile(self, source, outputfile) -> None:  # type: ignore[no-untyped-def]
            data = source.read()
            outputfile.write(data if "?" not in self.path else data[: len(data) // 2])
            outputfile.flush()
            if "?stuck" in self.path:
                ended.wait(30)

        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Server, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        ended.set()
        server.shutdown()
        thread.join()
