"""A web server on this machine that answers as its script says: refuses, delays, hangs up, knows no ranges."""

from __future__ import annotations

import contextlib
import http.server
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """One request as the server got it."""

    method: str
    path: str  # as it was on the line, query included
    range: str
    coding: str  # Accept-Encoding
    secret: str = ""  # Authorization


@dataclass
class Page:
    """How the server answers for one path."""

    data: bytes = b""
    has_ranges: bool = True
    has_length: bool = True  # without: the body ends with the connection
    chunked: bool = False
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)  # statuses of the first answers
    drops: list[int] = field(default_factory=list)  # bytes of the body after which each of the first answers breaks off
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    get_alone: bool = False  # HEAD is refused, as by an address that is signed for GET


class WebServer(http.server.ThreadingHTTPServer):
    """`pages` by path; what was asked is in `asked`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, path: str, page: Page) -> str:
        """Serve a page, and return its address."""
        self.pages[path] = page
        return self.url + path

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error here."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: WebServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's acknowledgement

    def log_message(self, *_: object) -> None: ...

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        wanted = self.headers.get("Range", "")
        coding, secret = self.headers.get("Accept-Encoding", ""), self.headers.get("Authorization", "")
        self.server.asked.append(Asked(self.command, self.path, wanted, coding, secret))
        page = self.server.pages.get(self.path)
        if page is None or (page.get_alone and self.command == "HEAD"):
            self._refuse(404 if page is None else 403, {})
            return
        time.sleep(page.delay_s)
        if page.refusals:
            self._refuse(*page.refusals.pop(0))
            return
        self._serve(page, wanted)

    def _refuse(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _serve(self, page: Page, wanted: str) -> None:
        data = page.data
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted) if page.has_ranges else None
        if found and int(found[1]) >= len(data):
            self._refuse(416, {"Content-Range": f"bytes */{len(data)}"})
            return
        self.send_response(206 if found else 200)
        if found:
            start, stop = int(found[1]), min(int(found[2]) + 1, len(data))
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
            data = data[start:stop]
        for name, value in page.headers.items():
            self.send_header(name, value)
        if page.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            data = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in _parts(data)) + b"0\r\n\r\n"
        elif page.has_length:
            self.send_header("Content-Length", str(len(data)))
        else:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        # One byte is what a probe asks for: a body of one byte cannot break off in its middle.
        if page.drops and len(data) > 1:
            self.wfile.write(data[: page.drops.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(data)


def _parts(data: bytes) -> list[bytes]:
    return [data[first : first + 50_000] for first in range(0, len(data), 50_000)]


@contextlib.contextmanager
def serving() -> Iterator[WebServer]:
    """Run a server for the length of the block."""
    server = WebServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refused_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
