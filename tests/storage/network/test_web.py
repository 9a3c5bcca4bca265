"""storage.network.web against a real server on this machine: what it is asked, what is tried again, what is left."""

from __future__ import annotations

import email.utils
import io
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

import storage
from schemas.errors import InputError
from storage.network import remote, web, web_client
from storage.network.web_client import as_given
from tests.storage.conftest import open_files, read_all
from tests.storage.web_server import Page, WebServer, refused_port

ROOT = Path(__file__).resolve().parents[3]
BIG = random.Random(7).randbytes(9_000_000)  # three blocks
TEXT = b'{"text": "one"}\n' * 1000


def read_range(address: str) -> bytes:
    with storage.open_read(address) as stream:
        stream.seek(3)
        return stream.read(5)


CALLS: dict[str, Callable[[str], object]] = {
    "existence": storage.exists,
    "size": storage.size,
    "fingerprint": storage.fingerprint,
    "range": read_range,
    "whole": storage.read_bytes,
    "stream": read_all,
}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which are not waited for."""
    found: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(remote.time, "sleep", lambda s: found.append(s) if s >= 1 else sleep(s))
    return found


@pytest.mark.parametrize("status", [429, 408, 500, 502, 503, 504])
@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_that_passes_is_not_seen(server: WebServer, pauses: list[float], call: str, status: int) -> None:
    address = server.put("/f.jsonl", Page(TEXT))
    expected = CALLS[call](address)
    server.pages["/f.jsonl"].refusals = [(status, {})] * 3
    assert CALLS[call](address) == expected
    assert pauses == [1, 2, 4]
    assert server.pages["/f.jsonl"].refusals == []


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_that_stays_is_named(server: WebServer, pauses: list[float], call: str, status: int) -> None:
    address = server.put("/f.jsonl", Page(TEXT, refusals=[(status, {})] * 9))
    with pytest.raises(InputError, match=f"/f.jsonl: cannot be read after 4 attempts: HTTP {status} [A-Z]") as caught:
        CALLS[call](address)
    assert "no such file" not in str(caught.value)
    assert pauses == [1, 2, 4]


@pytest.mark.parametrize("status", [202, 204, 304, 400, 401, 403, 404, 410, 451])
@pytest.mark.parametrize("call", CALLS)
def test_what_is_final_is_named_and_not_tried_again(
    server: WebServer, pauses: list[float], call: str, status: int
) -> None:
    address = server.put("/f.jsonl", Page(TEXT, refusals=[(status, {})] * 9))
    if call == "existence" and status in (404, 410):
        assert storage.exists(address) is False
    else:
        with pytest.raises(InputError, match=f"/f.jsonl: cannot be read: HTTP {status} [A-Z]"):
            CALLS[call](address)
    assert pauses == []
    assert len(server.asked) == 1


@pytest.mark.parametrize("call", CALLS)
def test_no_server_is_not_no_file(pauses: list[float], call: str) -> None:
    port = refused_port()
    with pytest.raises(
        InputError, match=rf"after 4 attempts: no connection to 127\.0\.0\.1:{port}: Connection refused$"
    ):
        CALLS[call](f"http://127.0.0.1:{port}/f")
    assert pauses == [1, 2, 4]


def test_a_server_without_a_name_is_not_no_file(pauses: list[float]) -> None:
    with pytest.raises(InputError, match=r"after 4 attempts: no connection to no\.such\.invalid:443: [A-Z]"):
        storage.size("https://no.such.invalid/f")


def test_no_tls_is_named(server: WebServer, pauses: list[float]) -> None:
    with pytest.raises(InputError, match=r"no connection to 127\.0\.0\.1:\d+: .*SSL"):
        storage.size(server.url.replace("http", "https") + "/f")


@pytest.mark.parametrize("address", ["http:///f", "http://[::1/f", "http://host:port/f"])
def test_what_is_no_address_is_one_line(address: str) -> None:
    with pytest.raises(InputError, match="is not a web address") as caught:
        storage.size(address)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("asked", "pause"), [("7", 7.0), ("0", 1.0), ("5000", 60.0), ("soon", 1.0), ("-3", 1.0)])
def test_retry_after_is_honoured_within_bounds(
    server: WebServer, pauses: list[float], asked: str, pause: float
) -> None:
    address = server.put("/f", Page(TEXT, refusals=[(429, {"Retry-After": asked}), (503, {})]))
    assert storage.read_bytes(address) == TEXT
    assert pauses == [pause, 2.0]


@pytest.mark.parametrize(("ahead_s", "pause"), [(30, 30.0), (86_400, 60.0), (-30, 1.0)])
def test_retry_after_may_be_a_date_by_the_servers_clock(
    server: WebServer, pauses: list[float], ahead_s: int, pause: float
) -> None:
    then = time.time() + ahead_s  # the server sends its Date, which is ours
    address = server.put("/f", Page(TEXT, refusals=[(503, {"Retry-After": email.utils.formatdate(then, usegmt=True)})]))
    assert storage.size(address) == len(TEXT)
    assert pauses == [pytest.approx(pause, abs=2)]


def test_clocks_that_differ_do_not_matter() -> None:
    headers = {"Date": "Mon, 30 Nov 2020 12:00:00 GMT", "Retry-After": "Mon, 30 Nov 2020 12:00:09 GMT"}
    assert remote.retry_after_s(headers) == 9
    assert remote.retry_after_s({"Retry-After": "Mon, 30 Nov 2020 12:00:09 GMT"}) == 0
    assert remote.retry_after_s({"Retry-After": "Mon, 99 Nov"}) == 0


LAYOUTS = {
    "ranges": Page(BIG),
    "no ranges": Page(BIG, has_ranges=False),
    "no length": Page(BIG, has_ranges=False, has_length=False),
    "chunks": Page(BIG, has_ranges=False, chunked=True),
    "chunks of ranges": Page(BIG, chunked=True),
    "get alone": Page(BIG, get_alone=True),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_is_the_same_however_it_is_served(server: WebServer, layout: str) -> None:
    address = server.put("/f.bin", LAYOUTS[layout])
    assert storage.size(address) == len(BIG)
    assert storage.exists(address)
    with storage.open_read(address) as stream:
        assert stream.seekable()
        stream.seek(-10, os.SEEK_END)
        assert stream.read() == BIG[-10:]
        stream.seek(5_000_000)
        assert stream.read(4_000_000) == BIG[5_000_000:9_000_000]
        stream.seek(0)
        assert stream.read() == BIG
        stream.seek(len(BIG) + 5)
        assert stream.read() == b""
    assert storage.read_bytes(address) == BIG
    assert {request.method for request in server.asked} == {"GET"}
    assert {request.coding for request in server.asked} == {"identity"}


@pytest.mark.parametrize("layout", ["no ranges", "no length", "chunks"])
def test_without_ranges_a_file_is_asked_for_once_and_its_copy_is_gone(
    server: WebServer, temporary: Path, layout: str
) -> None:
    address = server.put("/f.bin", LAYOUTS[layout])
    with storage.open_read(address) as stream:
        for place in (8_000_000, 0, 4_000_000):
            stream.seek(place)
            assert stream.read(10) == BIG[place : place + 10]
        assert len(open_files(temporary)) == 1
    assert len(server.asked) == 1
    assert open_files(temporary) == list(temporary.iterdir()) == []


@pytest.mark.parametrize("layout", ["ranges", "no ranges", "chunks"])
def test_an_empty_file_is_empty(server: WebServer, layout: str) -> None:
    page = LAYOUTS[layout]
    address = server.put("/f", Page(b"", has_ranges=page.has_ranges, chunked=page.chunked))
    assert storage.size(address) == 0
    assert read_all(address) == storage.read_bytes(address) == b""


def test_a_part_of_a_file_is_all_that_is_asked_for(server: WebServer) -> None:
    address = server.put("/f.bin", Page(BIG))
    with storage.open_read(address) as stream:
        stream.seek(5_000_000)
        stream.read(10)
    assert [request.range for request in server.asked] == ["bytes=0-0", "bytes=5000000-8999999"]


@pytest.mark.parametrize("layout", ["ranges", "no ranges", "chunks", "chunks of ranges"])
@pytest.mark.parametrize("after", [0, 1, 100_000])
def test_a_body_that_breaks_off_is_asked_for_again(
    server: WebServer, pauses: list[float], layout: str, after: int
) -> None:
    page = LAYOUTS[layout]
    address = server.put("/f.bin", Page(BIG, has_ranges=page.has_ranges, chunked=page.chunked, drops=[after] * 2))
    assert read_all(address) == BIG
    server.pages["/f.bin"].drops = [after] * 3
    assert storage.read_bytes(address) == BIG
    assert server.pages["/f.bin"].drops == []


@pytest.mark.parametrize("has_ranges", [True, False])
def test_a_body_that_always_breaks_off_says_where_and_leaves_nothing(
    server: WebServer, pauses: list[float], temporary: Path, has_ranges: bool
) -> None:
    address = server.put("/f.bin", Page(BIG, has_ranges=has_ranges, drops=[5_000] * 9))
    whole = "4,194,304" if has_ranges else "9,000,000"
    with pytest.raises(InputError, match=f"after 4 attempts: broke off after 5,000 of {whole} bytes$"):
        read_all(address)
    assert open_files(temporary) == list(temporary.iterdir()) == []


def test_a_server_that_loses_its_ranges_is_read_whole(server: WebServer, temporary: Path) -> None:
    address = server.put("/f.bin", Page(BIG))
    with storage.open_read(address) as stream:
        assert stream.read(10) == BIG[:10]
        server.pages["/f.bin"].has_ranges = False
        stream.seek(6_000_000)
        assert stream.read(10) == BIG[6_000_000:6_000_010]
        assert len(open_files(temporary)) == 1
    assert open_files(temporary) == []


@pytest.mark.parametrize("has_ranges", [True, False])
def test_a_file_that_changes_under_the_reader_is_named(server: WebServer, has_ranges: bool) -> None:
    address = server.put("/f.bin", Page(BIG))
    with storage.open_read(address) as stream:
        stream.read(10)
        server.pages["/f.bin"] = Page(BIG[:8_000_000], has_ranges=has_ranges)
        stream.seek(6_000_000)
        with pytest.raises(InputError, match="has changed while it was read: 9,000,000 bytes, now 8,000,000"):
            stream.read(10)


def test_a_slow_answer_is_waited_for_and_silence_is_not(
    server: WebServer, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = server.put("/f", Page(TEXT, delay_s=0.3))
    assert storage.read_bytes(address) == TEXT
    monkeypatch.setattr(web_client, "SILENCE_S", 0.05)
    for call in CALLS.values():
        with pytest.raises(InputError, match=r"after 4 attempts: no answer in time$"):
            call(address)


@pytest.mark.parametrize(
    "path",
    [
        "/k/a%2Fb?sig=x%2Fy%3D%3D&t=%7E%28%27%29*",
        "/~a/%7Eb/%28c%29?Signature=a+b%2Bc/d=&Expires=1",
        "/a//b/../c/./d?x=%41%e9&y='(!)",
        "/100%?x=[1]&y={2}|3^`",
    ],
)
def test_a_signed_address_is_asked_for_as_it_was_given(server: WebServer, path: str) -> None:
    address = server.put(path, Page(TEXT))
    for call in CALLS.values():
        call(address)
    assert {request.path for request in server.asked} == {path}
    server.put("/old", Page(refusals=[(302, {"Location": address}), (307, {"Location": address})]))
    assert storage.read_bytes(f"{server.url}/old") == storage.read_bytes(f"{server.url}/old") == TEXT
    assert {request.path for request in server.asked} == {path, "/old"}


def test_what_a_request_cannot_hold_is_escaped() -> None:
    assert str(as_given("http://host/a b/é?q=ü&r=%2F#x")) == "http://host/a%20b/%C3%A9?q=%C3%BC&r=%2F#x"
    assert as_given("https://bücher.example/é").raw_host == "xn--bcher-kva.example"


def test_any_order_of_reads_is_as_of_the_bytes(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BLOCK_BYTES", 1000)
    data = BIG[:20_000]
    dice = random.Random(3)
    for name, page in {"/ranges": Page(data), "/whole": Page(data, has_ranges=False)}.items():
        with storage.open_read(server.put(name, page)) as found, io.BytesIO(data) as expected:
            for _ in range(150):
                whence = dice.choice((os.SEEK_SET, os.SEEK_CUR, os.SEEK_END))
                place = dice.randrange(21_000) - (20_000 if whence == os.SEEK_END else 0)
                if whence == os.SEEK_CUR:
                    place = dice.randrange(-min(500, expected.tell()), 500)
                length = dice.choice((-1, 0, 1, 10, 999, 1000, 1001, 3000))
                assert found.seek(place, whence) == expected.seek(place, whence)
                assert found.read(length) == expected.read(length)
                assert found.tell() == expected.tell()


def test_headers_and_proxies_of_the_environment_are_used(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fsspec.config.conf, "http", {"headers": {"Authorization": "Bearer of-tests"}})
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.put("http://no.such.invalid/f", Page(TEXT))
    direct = server.put("/f", Page(TEXT))
    for address in ("http://no.such.invalid/f", direct):
        for call in CALLS.values():
            call(address)
    assert {request.path for request in server.asked} == {"http://no.such.invalid/f", "/f"}
    assert {request.secret for request in server.asked} == {"Bearer of-tests"}
    assert {request.coding for request in server.asked} == {"identity"}


def test_a_full_disk_is_named_and_not_tried_again(server: WebServer, tmp_path: Path) -> None:
    address = server.put("/f.bin", Page(BIG, has_ranges=False))
    program = (
        "import storage\n"
        "from schemas.errors import InputError\n"
        "try:\n"
        f"    storage.open_read('{address}')\n"
        "except InputError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )  # fmt: skip
    assert done.stdout == (
        f"{address}: the server gives no parts of it, and {tmp_path} cannot hold the whole: File too large; make room"
        " there, or set TMPDIR\n"
    ), done.stderr
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == []
