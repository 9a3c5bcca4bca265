"""Answers of web servers that are no file, redirects to nowhere and what is no HTTP: one short line each."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

import storage
from schemas.errors import InputError
from storage.network import remote
from tests.storage.web_server import Page, WebServer, serving

FOR_EVER = 1_000


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    with serving() as server:
        yield server


def refusal(path: str) -> str:
    with pytest.raises(InputError) as refused:
        storage.read_bytes(path)
    said = str(refused.value)
    assert said.startswith(f"{path}: cannot be read")
    assert "\n" not in said
    assert len(said) < len(path) + 400
    return said


def test_a_loop_of_redirects_is_asked_for_once(server: WebServer) -> None:
    path = server.put("/loop", Page(refusals=[(302, {"Location": "/loop"})] * FOR_EVER))
    assert "cannot be read: redirected in a loop (" in refusal(path)
    assert len(server.asked) < 15


def test_a_loop_of_changing_addresses_too(server: WebServer) -> None:
    for n in range(30):
        server.put(f"/{n}", Page(refusals=[(307, {"Location": f"/{n + 1}"})] * FOR_EVER))
    assert "cannot be read: redirected in a loop (" in refusal(f"{server.url}/0")
    assert len(server.asked) < 15


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://a.example/x", "javascript:void(0)", "gs://bucket/x"])
def test_a_redirect_to_what_is_not_the_web_is_named(server: WebServer, target: str) -> None:
    path = server.put("/x", Page(refusals=[(302, {"Location": target})] * FOR_EVER))
    assert f"cannot be read: redirected to {target}, which is not followed" in refusal(path)
    assert len(server.asked) == 1


def test_a_redirect_without_an_address_is_named(server: WebServer) -> None:
    path = server.put("/x", Page(refusals=[(302, {})] * FOR_EVER))
    assert "HTTP 302 Found, a redirect without an address" in refusal(path)


@contextlib.contextmanager
def answering(data: bytes) -> Iterator[str]:
    """Serve these bytes, whatever is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(1 << 16)
                    connection.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x.jsonl.gz"


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"\x1f\x8b\x08\x00" * 5_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: lots\r\n\r\nabc",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
)
def test_what_is_no_http_is_said_in_few_words(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    with answering(data) as path:
        said = refusal(path)
    assert "the answer is not HTTP" in said
    assert "400" not in said
    assert "x1f" not in said
