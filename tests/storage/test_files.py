"""storage.files against local files, memory:// and a web server on this machine."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import socketserver
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from schemas.errors import InputError, WinnowError
from storage.files import (
    exists,
    files_below,
    fingerprint,
    is_local,
    join,
    list_files,
    open_atomic,
    open_read,
    open_write,
    read_bytes,
    remove_tree,
    size,
    write_atomic,
)
from storage.listing.inputs import expand
from storage.network import remote

DATA = bytes(range(256)) * 4096  # 1 MiB


class _Web(BaseHTTPRequestHandler):
    """Serves bytes from a dict, with Range requests or without; the first `failures` requests of a path fail."""

    def __init__(self, *args: object, files: dict[str, bytes], ranges: bool, failures: dict[str, int]) -> None:
        self.files, self.ranges, self.failures = files, ranges, failures
        super().__init__(*args)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *args: object) -> None:
        """Silent."""

    def _answer(self, *, body: bool) -> None:
        data = self.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        if body and self.failures.get(self.path, 0) > 0:
            self.failures[self.path] -= 1
            self.send_error(503)
            return
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) if self.ranges else None
        if found:
            start, end = int(found[1]), min(int(found[2] or len(data)), len(data) - 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
            data = data[start : end + 1]
        else:
            self.send_response(200)
        if self.ranges:
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha256(self.files[self.path]).hexdigest()[:8]}"')
        self.end_headers()
        if body:
            self.wfile.write(data)


class _Server:
    def __init__(self, *, ranges: bool = True) -> None:
        self.files: dict[str, bytes] = {}
        self.failures: dict[str, int] = {}
        handler = partial(_Web, files=self.files, ranges=ranges, failures=self.failures)
        socketserver.TCPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def web() -> Iterator[_Server]:
    server = _Server()
    yield server
    server.close()


@pytest.fixture
def plain_web() -> Iterator[_Server]:
    server = _Server(ranges=False)
    yield server
    server.close()


@pytest.fixture
def memory() -> Iterator[str]:
    yield "memory://box"
    fsspec.filesystem("memory").store.clear()


def _touch(root: Path, *names: str) -> list[str]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return sorted(str(root / name) for name in names)


def test_expand_takes_paths_globs_and_directories_sorted_and_once(tmp_path: Path) -> None:
    both = _touch(tmp_path, "b.warc.gz", "a.warc.gz")
    _touch(tmp_path, "sub/c.txt", ".hidden", "_part/d.txt")
    assert expand([str(tmp_path / "b.warc.gz"), str(tmp_path / "*.warc.gz")]) == both
    assert expand([str(tmp_path)]) == [*both, str(tmp_path / "sub/c.txt")]
    assert expand([f"file://{tmp_path}/a.warc.gz"]) == [both[0]]
    assert expand([str(tmp_path / "**/*.txt")]) == [str(tmp_path / "_part/d.txt"), str(tmp_path / "sub/c.txt")]


def test_expand_makes_local_paths_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    both = _touch(tmp_path, "a", "b")
    assert expand(["./a", "b", "a"]) == both


def test_expand_takes_a_name_with_glob_signs_as_it_is(tmp_path: Path) -> None:
    names = _touch(tmp_path, "a[1].warc", "a1.warc")
    assert expand([names[1]]) == [names[1]]


@pytest.mark.parametrize("packed", [False, True])
def test_expand_reads_lists(tmp_path: Path, packed: bool) -> None:
    both = _touch(tmp_path, "in/a", "in/b")
    text = f"# a comment\nin/b\n\n{tmp_path}/in/a\nhttps://x.org/c?d=1\n".encode()
    listing = tmp_path / "list"
    listing.write_bytes(gzip.compress(text) if packed else text)
    assert expand([f"@{listing}"]) == [*both, "https://x.org/c?d=1"]


def test_entries_of_common_crawl_lists(tmp_path: Path) -> None:
    listing = tmp_path / "warc.paths.gz"
    listing.write_bytes(gzip.compress(b"crawl-data/CC/a.warc.gz\n"))
    assert expand([f"@{listing}"]) == ["https://data.commoncrawl.org/crawl-data/CC/a.warc.gz"]
    assert expand([f"@{listing}"], "s3://commoncrawl/") == ["s3://commoncrawl/crawl-data/CC/a.warc.gz"]
    (mirrored,) = _touch(tmp_path, "crawl-data/CC/a.warc.gz")
    beside = tmp_path / "crawl-data/CC/warc.paths"
    beside.write_text("crawl-data/CC/a.warc.gz\n")
    assert expand([f"@{beside}"]) == [mirrored]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "no input was given"),
        (["{}/none.warc"], "no such file, or nothing in it"),
        (["{}/*.warc"], "no such file, or nothing in it"),
        (["{}/empty"], "no such file, or nothing in it"),
        (["@{}/none.txt"], "cannot be read: No such file or directory"),
        (["@{}/blank.txt"], "the list is empty"),
        (["@{}/bad.gz"], "is not a list of paths"),
        (["@{}/lost.txt"], "no such file, or nothing in it"),
        (["nowhere://x/y"], "is no known kind of storage"),
    ],
)
def test_expand_says_in_one_line_what_is_wrong(tmp_path: Path, inputs: list[str], message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.txt").write_text("\n# nothing\n")
    (tmp_path / "lost.txt").write_text("gone.warc\n")
    (tmp_path / "bad.gz").write_bytes(gzip.compress(b"a\n")[:-6])
    with pytest.raises(WinnowError, match=re.escape(message)) as raised:
        expand([item.format(tmp_path) for item in inputs])
    assert "\n" not in str(raised.value)


def test_missing_backends_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(protocol: str, **_: object) -> None:
        raise ImportError(f"Please install the package for {protocol}")

    monkeypatch.setattr(remote.fsspec, "filesystem", missing)
    lines = {"gs://b/a": "pip install 'winnow-corpus[gcp]'", "s3://b/a": "pip install 'winnow-corpus[s3]'"}
    for path, extra in lines.items():
        with pytest.raises(InputError, match=re.escape(extra)):
            open_read(path)


def test_is_local_and_join() -> None:
    assert is_local("a/b")
    assert is_local("/a")
    assert is_local("file:///a")
    assert not is_local("gs://a/b")
    assert not is_local("memory://a")
    assert join("gs://a/b", "c", "d") == "gs://a/b/c/d"
    assert join("/a/", "b") == "/a/b"


def test_local_fingerprint_changes_with_bytes_and_time(tmp_path: Path) -> None:
    (path,) = _touch(tmp_path, "a")
    first = fingerprint(path)
    os.utime(path, ns=(1, 1))
    assert fingerprint(path) == "1:1" != first
    Path(path).write_bytes(b"ab")
    os.utime(path, ns=(1, 1))
    assert fingerprint(path) == "2:1"
    assert size(path) == 2
    for ask in (size, fingerprint, open_read):
        with pytest.raises(InputError, match="No such file"):
            ask(str(tmp_path / "none"))


def test_write_atomic_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = str(tmp_path / "x/y/file")
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert read_bytes(path) == b"two"
    assert list_files(str(tmp_path)) == [path]


@pytest.mark.parametrize("root", ["local", "memory"])
def test_open_atomic_leaves_the_old_bytes_when_the_block_raises(tmp_path: Path, memory: str, root: str) -> None:
    path = f"{tmp_path}/f" if root == "local" else f"{memory}/f"
    write_atomic(path, b"old")
    with contextlib.suppress(KeyError), open_atomic(path) as stream:
        stream.write(b"half")
        raise KeyError
    assert read_bytes(path) == b"old"
    with open_atomic(path) as stream:
        stream.write(b"new")
    assert read_bytes(path) == b"new"
    assert [name.rsplit("/", 1)[1] for name in list_files(path.rsplit("/", 1)[0])] == ["f"]


@pytest.mark.parametrize("root", ["local", "memory"])
def test_write_list_read_remove(tmp_path: Path, memory: str, root: str) -> None:
    base = str(tmp_path / "d") if root == "local" else f"{memory}/d"
    assert list_files(base) == []
    assert not exists(base)
    with open_write(f"{base}/2/b") as stream:
        stream.write(DATA)
    write_atomic(f"{base}/1", b"one")
    prefix = "" if root == "local" else "memory://"
    names = [name.removeprefix(prefix).lstrip("/") for name in list_files(base)]
    assert names == [f"{base}/1".removeprefix(prefix).lstrip("/"), f"{base}/2/b".removeprefix(prefix).lstrip("/")]
    assert size(f"{base}/2/b") == len(DATA)
    assert len(expand([base])) == 2
    with open_read(f"{base}/2/b") as stream:
        assert stream.seekable()
        stream.seek(300)
        assert stream.read(3) == bytes([44, 45, 46])
    remove_tree(base)
    remove_tree(base)
    assert not exists(base)


def test_web_file_is_read_by_ranges(web: _Server) -> None:
    web.files["/a/b.warc.gz"] = DATA
    url = f"{web.url}/a/b.warc.gz"
    assert expand([url]) == [url]
    assert size(url) == len(DATA)
    assert fingerprint(url).startswith(f"{len(DATA)}:ETag=")
    before = fingerprint(url)
    with open_read(url) as stream:
        stream.seek(len(DATA) - 3)
        assert stream.read() == b"\xfd\xfe\xff"
        stream.seek(1)
        assert stream.read(2) == b"\x01\x02"
    assert read_bytes(url) == DATA
    web.files["/a/b.warc.gz"] = DATA[::-1]
    assert fingerprint(url) != before


def test_web_server_without_ranges_is_read_whole(plain_web: _Server) -> None:
    plain_web.files["/f"] = DATA
    with open_read(f"{plain_web.url}/f") as stream:
        stream.seek(255)
        assert stream.read(2) == b"\xff\x00"


def test_list_on_the_web(web: _Server) -> None:
    web.files["/crawl-data/CC/warc.paths.gz"] = gzip.compress(b"crawl-data/CC/a.warc.gz\n")
    assert expand([f"@{web.url}/crawl-data/CC/warc.paths.gz"]) == [f"{web.url}/crawl-data/CC/a.warc.gz"]


def test_web_reads_are_tried_again(web: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", waits.append)
    web.files["/f"] = b"text"
    web.failures["/f"] = 2
    assert read_bytes(f"{web.url}/f") == b"text"
    assert waits == [1, 2]
    web.failures["/f"] = 100
    with pytest.raises(InputError, match="after 4 attempts"):
        read_bytes(f"{web.url}/f")


def test_missing_web_file(web: _Server) -> None:
    for call in (size, fingerprint, read_bytes):
        with pytest.raises(InputError, match="cannot be read"):
            call(f"{web.url}/none")
    with pytest.raises(InputError, match="HTTP 404 Not Found"):
        expand([f"{web.url}/none"])


def test_files_below_is_a_folder_or_one_file(tmp_path: Path, web: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_atomic(str(tmp_path / "lists" / "b" / "en"), b"1")
    write_atomic(str(tmp_path / "lists" / "de"), b"2")
    both = [str(tmp_path / "lists" / "b" / "en"), str(tmp_path / "lists" / "de")]
    assert files_below(str(tmp_path / "lists")) == files_below("~/lists") == both
    assert files_below("~/lists/de") == both[1:]
    assert files_below("~nobody-has-this-name/x") == ["~nobody-has-this-name/x"]
    assert files_below("") == []
    web.files["/list.txt"] = b'<a href="/other">a page with links</a>'
    assert files_below(f"{web.url}/list.txt") == [f"{web.url}/list.txt"]
