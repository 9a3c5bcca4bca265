"""Crawls of Common Crawl by name, from a real server on this machine."""

from __future__ import annotations

import gzip
import http.server
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.errors import InputError
from storage.listing import crawl_lists as common_crawl_lists
from storage.listing.crawl_lists import COMMON_CRAWL, INDEX, list_crawl, newest_crawl
from storage.listing.inputs import expand
from storage.network import remote

CRAWL = "CC-MAIN-2026-43"
WARC = [f"crawl-data/{CRAWL}/segments/1.{n}/warc/CC-MAIN-0000{n}.warc.gz" for n in (2, 1, 3)]
WET = [entry.replace("/warc/", "/wet/").replace(".warc.gz", ".warc.wet.gz") for entry in WARC]
CRAWLS = [{"id": name} for name in ("CC-MAIN-2026-05", CRAWL, "CC-MAIN-2025-51", "CC-MAIN-2012", "CC-MAIN-2009-2010")]


class Server(http.server.ThreadingHTTPServer):
    """Serves what `files` holds; an address in `broken` answers so many times with 503 first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.broken: dict[str, int] = {}
        self.silent: set[str] = set()
        self.asked: Counter[str] = Counter()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        server = self.server
        server.asked[self.path] += 1
        if self.path in server.silent:
            time.sleep(2)
            return
        ok = self.path in server.files and server.asked[self.path] > server.broken.get(self.path, 0)
        data = server.files[self.path] if ok else b""
        self.send_response(200 if ok else 503 if self.path in server.broken else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Stand in for Common Crawl's servers."""
    server = Server()
    server.files = {
        "/collinfo.json": json.dumps(CRAWLS).encode(),
        f"/crawl-data/{CRAWL}/warc.paths.gz": gzip.compress("\n".join(WARC).encode() + b"\n"),
        f"/crawl-data/{CRAWL}/wet.paths.gz": gzip.compress("\n".join(WET).encode() + b"\n"),
    }
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv(common_crawl_lists.MIRROR, server.address.rstrip("/"))
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("spec", "entries"),
    [
        ("cc:latest", WARC),
        ("cc:latest/warc", WARC),
        ("cc:latest/wet", WET),
        (f"cc:{CRAWL}", WARC),
        (f"cc:{CRAWL}/wet", WET),
    ],
)
def test_a_crawl_is_its_list(server: Server, spec: str, entries: list[str]) -> None:
    assert list_crawl(spec) == [server.address + entry for entry in entries]
    assert expand([spec]) == sorted(server.address + entry for entry in entries)
    assert not [path for path in server.asked if "/segments/" in path]


def test_a_crawl_by_name_needs_no_list_of_crawls(server: Server) -> None:
    list_crawl(f"cc:{CRAWL}")
    assert dict(server.asked) == {f"/crawl-data/{CRAWL}/warc.paths.gz": 1}


def test_the_newest_is_that_of_the_latest_week(server: Server) -> None:
    assert newest_crawl(server.address) == CRAWL
    server.files["/collinfo.json"] = json.dumps([{"id": "CC-MAIN-2027-04"}, *CRAWLS]).encode()
    assert newest_crawl(server.address) == "CC-MAIN-2027-04"


def test_without_a_mirror_it_is_common_crawls_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        return json.dumps(CRAWLS).encode() if address.endswith(".json") else "\n".join(WARC).encode()

    monkeypatch.delenv(common_crawl_lists.MIRROR, raising=False)
    monkeypatch.setattr(common_crawl_lists, "_fetch", fetch)
    assert list_crawl("cc:latest")[0] == COMMON_CRAWL + WARC[0]
    assert asked == [f"{INDEX}collinfo.json", f"{COMMON_CRAWL}crawl-data/{CRAWL}/warc.paths.gz"]


def test_a_server_that_fails_for_a_while_is_asked_again(server: Server) -> None:
    server.broken["/collinfo.json"] = remote.ATTEMPTS - 1
    assert len(list_crawl("cc:latest")) == 3
    assert server.asked["/collinfo.json"] == remote.ATTEMPTS


@pytest.mark.parametrize(
    "spec", ["cc:", "cc:newest", "cc:latest/wat", "cc:CC-MAIN-2026", "cc:latest/", "cc:latest/wet/x"]
)
def test_what_is_no_crawl_is_one_line(server: Server, spec: str) -> None:
    with pytest.raises(InputError, match=f"^{spec}: is no crawl; expected cc:latest or .*$"):
        expand([spec])
    assert not server.asked


LIST = f"/crawl-data/{CRAWL}/warc.paths.gz"


@pytest.mark.parametrize(
    ("path", "data", "message"),
    [
        ("/collinfo.json", b"<html>", "collinfo.json: is not a list of crawls"),
        ("/collinfo.json", b"[3]", "collinfo.json: is not a list of crawls"),
        ("/collinfo.json", b"{}", "collinfo.json: no crawl is in the list"),
        ("/collinfo.json", b'[{"id": "CC-MAIN-2012"}, {"id": 7}]', "collinfo.json: no crawl is in the list"),
        ("/collinfo.json", None, "collinfo.json: cannot be read"),
        (LIST, None, "warc.paths.gz: cannot be read"),
        (LIST, b"", "warc.paths.gz: the list is empty"),
        (
            LIST,
            gzip.compress(b"<html>\n<p>Please log in</p>", mtime=0),
            "has a line that is no path of an archive: '<html>'",
        ),
        (LIST, gzip.compress(b"crawl-data/x.warc.gz", mtime=0)[:-3], "warc.paths.gz: is not a list of paths"),
        (LIST, b"\xff\xfe", "warc.paths.gz: is not a list of paths"),
    ],
)
def test_a_list_that_is_none_is_one_line(server: Server, path: str, data: bytes | None, message: str) -> None:
    if data is None:
        del server.files[path]
    else:
        server.files[path] = data
    with pytest.raises(InputError, match=message.replace(".", r"\.")) as caught:
        list_crawl("cc:latest")
    assert "\n" not in str(caught.value)
    assert server.asked[path] == 1


def test_a_server_that_does_not_answer_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.silent.add("/collinfo.json")
    monkeypatch.setattr(common_crawl_lists, "TIMEOUT_S", 0.05)
    started = time.monotonic()
    with pytest.raises(InputError, match="cannot be read after 4 attempts"):
        list_crawl("cc:latest")
    assert time.monotonic() - started < 5
    assert server.asked["/collinfo.json"] >= remote.ATTEMPTS  # the library may itself ask once more


@pytest.mark.parametrize("mirror", ["ftp://example.org", "example.org"])
def test_a_mirror_that_is_no_web_server_is_one_line(monkeypatch: pytest.MonkeyPatch, mirror: str) -> None:
    monkeypatch.setenv(common_crawl_lists.MIRROR, mirror)
    with pytest.raises(InputError, match=f"^WINNOW_COMMON_CRAWL={mirror}: is not the address of a web server$"):
        list_crawl("cc:latest")


def test_a_server_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setenv(common_crawl_lists.MIRROR, "http://127.0.0.1:1")
    with pytest.raises(InputError, match=r"collinfo\.json: cannot be read after 4 attempts: .*127\.0\.0\.1"):
        list_crawl("cc:latest")


def test_90000_lines_are_quick(server: Server) -> None:
    entries = [f"crawl-data/{CRAWL}/segments/{n % 100}/warc/CC-MAIN-{n:05d}.warc.gz" for n in range(90_000)]
    server.files[LIST] = gzip.compress("\n".join(entries).encode())
    started = time.monotonic()
    found: Any = expand(["cc:latest"])
    assert len(found) == 90_000
    assert time.monotonic() - started < 3
