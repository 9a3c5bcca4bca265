"""A small Hugging Face Hub in this process: the endpoints that huggingface_hub asks to read, list and commit files."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = 3  # entries of a listing that come at once

Commit = dict[str, bytes]


@dataclasses.dataclass
class Hub:
    """The repositories by id, each its files by path; what was asked; and what is refused."""

    repositories: dict[str, Commit]
    requests: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    fault: Callable[[str, str], int] = lambda method, path: 0  # a status, for the request to fail with
    commits: list[list[str]] = dataclasses.field(default_factory=list)  # paths of each
    token: str = ""  # where one is needed
    large: dict[str, bytes] = dataclasses.field(default_factory=dict)  # LFS objects by SHA-256
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Silent."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        self.hub.requests.append((self.command, self.path))
        status = self.hub.fault(self.command, self.path)
        if status:
            return self._answer(b'{"error": "on purpose"}', status)
        if self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self._answer(b'{"error": "Invalid credentials"}', 401)
        path, _, query = self.path.partition("?")
        for pattern, answer in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found:
                groups = [urllib.parse.unquote(group or "") for group in found.groups()]
                return answer(self, body, dict(urllib.parse.parse_qsl(query)), *groups)
        return self._answer(b'{"error": "no such endpoint"}', 404)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, data: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _json(self, plain: Any, **headers: str) -> None:
        self._answer(json.dumps(plain).encode(), Content_Type="application/json", **headers)

    def _missing(self, what: str) -> None:
        self._answer(b'{"error": "not found"}', 404, X_Error_Code=what)

    def info(self, body: bytes, query: dict[str, str], name: str, *_: str) -> None:
        if name not in self.hub.repositories:
            return self._missing("RepoNotFound")
        return self._json({"id": name, "sha": "0" * 40, "siblings": [], "private": True, "tags": []})

    def model(self, body: bytes, query: dict[str, str], name: str, revision: str) -> None:
        if name not in self.hub.repositories:
            return self._missing("RepoNotFound")
        siblings = [{"rfilename": path} for path in sorted(self.hub.repositories[name])]
        return self._json({"id": name, "sha": revision, "siblings": siblings, "private": True, "tags": []})

    def bucket(self, body: bytes, query: dict[str, str], name: str) -> None:
        day = "2026-01-01T00:00:00.000Z"
        self._json({"id": name, "private": True, "createdAt": day, "size": 0, "totalFiles": 0})

    def tree(self, body: bytes, query: dict[str, str], name: str, revision: str, folder: str) -> None:
        if name not in self.hub.repositories:
            return self._missing("RepoNotFound")
        entries = _entries(self.hub.repositories[name], folder.strip("/"), query.get("recursive") in ("True", "true"))
        if not entries and folder.strip("/"):
            return self._missing("EntryNotFound")
        first = int(query.get("cursor", "0"))
        more: dict[str, str] = {}
        if first + PAGE < len(entries):
            rest = urllib.parse.urlencode({**query, "cursor": str(first + PAGE)})
            more["Link"] = f'<{self.hub.url}{self.path.partition("?")[0]}?{rest}>; rel="next"'
        return self._json(entries[first : first + PAGE], **more)

    def paths_info(self, body: bytes, query: dict[str, str], name: str, revision: str) -> None:
        sent = json.loads(body) if body[:1] == b"{" else urllib.parse.parse_qs(body.decode())
        paths = sent["paths"]
        entries = _entries(self.hub.repositories[name], "", recursive=True)
        self._json([entry for entry in entries if entry["path"] in paths])

    def resolve(self, body: bytes, query: dict[str, str], name: str, revision: str, path: str) -> None:
        data = self.hub.repositories.get(name, {}).get(path)
        if data is None:
            return self._missing("EntryNotFound")
        etag = f'"{hashlib.sha1(data).hexdigest()}"'  # noqa: S324  git's
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted:
            return self._answer(data, ETag=etag, X_Repo_Commit="0" * 40, Accept_Ranges="bytes")
        start, end = int(wanted[1]), int(wanted[2] or len(data) - 1)
        return self._answer(data[start : end + 1], 206, ETag=etag, Content_Range=f"bytes {start}-{end}/{len(data)}")

    def preupload(self, body: bytes, query: dict[str, str], name: str, revision: str) -> None:
        files = [
            {"path": entry["path"], "uploadMode": _mode(entry["path"]), "shouldIgnore": False}
            for entry in json.loads(body)["files"]
        ]
        self._json({"files": files})

    def batch(self, body: bytes, query: dict[str, str], name: str) -> None:
        objects = [
            {"oid": entry["oid"], "size": entry["size"],
             "actions": {"upload": {"href": f"{self.hub.url}/large/{entry['oid']}", "header": {}}}}
            for entry in json.loads(body)["objects"]
        ]  # fmt: skip
        self._json({"transfer": "basic", "objects": objects})

    def put(self, body: bytes, query: dict[str, str], oid: str) -> None:
        assert hashlib.sha256(body).hexdigest() == oid
        self.hub.large[oid] = body
        self._answer(b"")

    def validate(self, body: bytes, query: dict[str, str]) -> None:
        self._json({"errors": [], "warnings": []})

    def commit(self, body: bytes, query: dict[str, str], name: str, revision: str) -> None:
        files = dict(self.hub.repositories[name])
        operations = [json.loads(line) for line in body.splitlines()]
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif operation["key"] == "deletedFile":
                del files[value["path"]]
        self.hub.repositories[name] = files
        self.hub.commits.append([op["value"]["path"] for op in operations if op["key"] != "header"])
        self._json({"commitUrl": f"{self.hub.url}/datasets/{name}/commit/{'1' * 40}", "commitOid": "1" * 40,
                    "pullRequestUrl": None, "success": True})  # fmt: skip


_NAME = r"([^/]+/[^/]+)"
_ROUTES: list[tuple[str, Callable[..., None]]] = [
    (rf"/api/datasets/{_NAME}", _Handler.info),
    (rf"/api/buckets/{_NAME}", _Handler.bucket),
    (rf"/api/datasets/{_NAME}/revision/([^/]+)", _Handler.info),
    (rf"/api/datasets/{_NAME}/tree/([^/]+)(/.*)?", _Handler.tree),
    (rf"/api/datasets/{_NAME}/paths-info/([^/]+)", _Handler.paths_info),
    (rf"/datasets/{_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
    (rf"/api/models/{_NAME}/revision/([^/]+)", _Handler.model),
    (rf"/api/models/{_NAME}/tree/([^/]+)(/.*)?", _Handler.tree),
    (rf"/(?!api/|datasets/){_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
    (rf"/api/datasets/{_NAME}/preupload/([^/]+)", _Handler.preupload),
    (rf"/datasets/{_NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    (r"/large/([0-9a-f]+)", _Handler.put),
    (r"/api/validate-yaml", _Handler.validate),
    (rf"/api/datasets/{_NAME}/commit/([^/]+)", _Handler.commit),
]


def _mode(path: str) -> str:
    return "lfs" if path.endswith((".parquet", ".gz", ".bin", ".ds")) else "regular"


def _entries(files: Commit, folder: str, recursive: bool) -> list[dict[str, Any]]:
    below = f"{folder}/" if folder else ""
    entries, folders = [], set()
    for path, data in sorted(files.items()):
        if not path.startswith(below):
            continue
        parts = path[len(below) :].split("/")
        names = [below + "/".join(parts[:n]) for n in range(1, len(parts))]
        folders.update(names if recursive else names[:1])
        if recursive or len(parts) == 1:
            oid = hashlib.sha1(data).hexdigest()  # noqa: S324  git's
            entries.append({"type": "file", "path": path, "size": len(data), "oid": oid})
    return [*entries, *({"type": "directory", "path": name, "size": 0, "oid": "0" * 40} for name in sorted(folders))]


@contextlib.contextmanager
def hub(**repositories: Commit) -> Iterator[Hub]:
    """Serve repositories, named `owner__name` here and `owner/name` there."""
    served = Hub({name.replace("__", "/"): dict(files) for name, files in repositories.items()})
    handler = type("Handler", (_Handler,), {"hub": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
