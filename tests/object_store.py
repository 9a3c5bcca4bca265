"""An S3 server in this process, moto's, that counts what it is asked, refuses, dawdles and hangs up when told to.

Below it, what the tests of object stores check in common.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import boto3
import fsspec.config
from moto.moto_api._internal.models import moto_api_backend
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from storage.conditional import ABSENT, conditional

# botocore tries five times before we do: that is tested by others, and takes its time
KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
}


@dataclasses.dataclass(frozen=True)
class Request:
    """One request as the server got it."""

    method: str
    path: str
    query: str
    range: str = ""

    @property
    def kind(self) -> str:
        if self.method == "GET" and "list-type" in self.query:
            return "LIST"
        return "DELETE" if self.method == "POST" and "delete" in self.query else self.method


# What becomes of a request: '' (answered), 'slow', 'refuse' (500), 'busy' (503), 'hang up', 'cut' (half of the
# answer), 'lose' (the request is done, its answer lost)
Fault = Callable[[Request], str]
SLOW_S = 2.0


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  werkzeug's name
        """Silent."""


class ObjectStore:
    """The server, its address, and what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.fault: Fault = lambda _: ""
        self._app = DomainDispatcherApplication(create_backend_app)
        # moto looks at a condition and writes in two steps: without this two writers could both be the first.
        self._one_at_a_time = threading.Lock()
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to speak with it."""
        return {**KEYS, "FSSPEC_S3_ENDPOINT_URL": self.url}

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id="testing", aws_secret_access_key="testing",
            region_name="us-east-1",
        )  # fmt: skip

    def bucket(self, name: str) -> str:
        self.client.create_bucket(Bucket=name)
        return f"s3://{name}"

    def upload(self, folder: Path, bucket: str, prefix: str) -> str:
        """Put the files beneath `folder` under a prefix."""
        client = self.client
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                client.upload_file(str(path), bucket, f"{prefix}/{path.relative_to(folder)}")
        return f"s3://{bucket}/{prefix}"

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Return the bytes of each object that can be seen."""
        client = self.client
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def counts(self) -> collections.Counter[str]:
        return collections.Counter(request.kind for request in self.requests)

    def clear(self) -> None:
        """Empty `box`, and forget the fault and what was asked."""
        self.fault = lambda _: ""
        for key in self.objects("box"):
            self.client.delete_object(Bucket="box", Key=key)
        self.requests.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        query, range_ = environ.get("QUERY_STRING", ""), environ.get("HTTP_RANGE", "")
        request = Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, range_)
        self.requests.append(request)
        wanted = self.fault(request)
        if wanted == "hang up":
            _hang_up(environ)
        if wanted == "slow":
            time.sleep(SLOW_S)
        if wanted in ("refuse", "busy"):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status, code = ("500 Oops", "InternalError") if wanted == "refuse" else ("503 Busy", "SlowDown")
            data = f"<Error><Code>{code}</Code><Message>on purpose</Message></Error>".encode()
            start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(data)))])
            return [data]
        with self._one_at_a_time:
            answer = list(self._app(environ, start_response))
        if wanted == "lose":
            _hang_up(environ)
        return _half_of(answer, environ) if wanted == "cut" else answer


def _half_of(answer: list[bytes], environ: dict[str, Any]) -> Iterator[bytes]:
    data = b"".join(answer)
    yield data[: len(data) // 2]
    _hang_up(environ)


def _hang_up(environ: dict[str, Any]) -> NoReturn:
    with contextlib.suppress(OSError):
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


@contextlib.contextmanager
def object_store(crawl: Path | None = None) -> Iterator[ObjectStore]:
    """Serve a store of one bucket, `box`, empty or with a crawl in it; this process' own s3fs speaks with it too."""
    moto_api_backend.reset()  # what another server of this process held
    store = ObjectStore()
    before = {name: os.environ.get(name) for name in store.environment}
    os.environ.update(store.environment)
    fsspec.config.conf["s3"] = {"endpoint_url": store.url}  # it reads the environment once, when it is imported
    try:
        store.bucket("box")
        if crawl is not None:
            store.upload(crawl, "box", "crawl")
        yield store
    finally:
        del fsspec.config.conf["s3"]
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        store.close()


def final_shards(store: ObjectStore) -> dict[str, str]:
    """Return the SHA-256 of each shard of `s3://box/run`, computed from its bytes and equal to what is recorded."""
    objects = store.objects("box", "run/")
    manifest = json.loads(objects["run/shards/manifest.json"])
    found = {}
    for shard in manifest["facts"]["shards"]:
        data = objects[f"run/shards/{manifest['key']}/{shard['path']}"]
        found[shard["path"]] = hashlib.sha256(data).hexdigest()
        assert found[shard["path"]] == shard["sha256"]
    return found


def assert_one_writer_wins(path: str, wrong: str) -> None:
    """Check that of two writers of an object only one wins; `wrong` is a version that no object of the store has."""
    one, two = conditional(path), conditional(path)
    assert one.read() is None
    version = one.put(b"1", ABSENT)
    assert version is not None
    assert two.put(b"2", ABSENT) is None
    assert two.put(b"2", wrong) is None
    time.sleep(1.1)  # the store's clock counts whole seconds
    seen = two.read()
    assert seen is not None
    assert (seen.data, seen.version) == (b"1", version)
    assert 1 <= seen.age_s < 60
    assert two.put(b"2", version) is not None
    assert one.put(b"3", version) is None
    one.remove()
    one.remove()
    assert two.put(b"4", version) is None  # gone since


def wait_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "what was waited for never came"
        time.sleep(0.01)
