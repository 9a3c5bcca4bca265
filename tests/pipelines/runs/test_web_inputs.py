"""Inputs read over HTTP give what the same files give from the disk."""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.storage.web_server import Page, serving

Call = Any


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        """Serve the range that is asked for, as every object store does; the library's server knows none."""
        wanted = self.headers.get("Range")
        path = Path(self.translate_path(self.path))
        if not wanted or not path.is_file():
            super().do_GET()
            return
        data = path.read_bytes()
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data)), len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.send_header("Content-Length", str(end + 1 - start))
        self.end_headers()
        self.wfile.write(data[start : end + 1])


@pytest.fixture
def address(jsonl: Path) -> Iterator[str]:
    """The address of a web server over the folder of the input."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(jsonl.parent)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_input_over_http_gives_the_same_documents(
    command: Call, jsonl: Path, config: Path, small_run: Path, tmp_path: Path
) -> None:
    """From a server that refuses, breaks off and knows no ranges, by a list of which another entry cannot be read."""
    page = Page(jsonl.read_bytes(), has_ranges=False)
    with serving() as server:
        address = server.url
        server.put(f"/{jsonl.name}", page)
        server.put("/all.paths", Page(f"{jsonl.name}\nnone.jsonl\n".encode()))
        given = ("--input", f"@{address}/all.paths", "--output", tmp_path / "run", "--config", config)
        assert "/none.jsonl: cannot be read: HTTP 404 Not Found; --skip-unreadable" in command("run", *given).err
        assert not (tmp_path / "run" / "inputs.json").exists()
        page.refusals, page.drops = [(503, {}), (429, {"Retry-After": "1"})], [100]
        said = command("run", *given, "--skip-unreadable")
        assert said.code == 0, said.err
        assert (page.refusals, page.drops) == ([], [])
        plan = command("plan", *given, "--skip-unreadable", "--json").json
    assert "inputs left out, which could not be read: 1" in said.out
    assert "; inputs left out: 1" in said.out
    shards = [
        [shard["sha256"] for shard in command("ledger", folder, "--json").json["shards"]]
        for folder in (tmp_path / "run", small_run)
    ]
    assert shards[0] == shards[1]
    assert [entry["path"] for entry in plan["skipped_inputs"]] == [f"{address}/none.jsonl"]
    assert [stage["name"] for stage in plan["stages"] if stage["run"]] == []
    assert plan["inputs"] == [{"path": f"{address}/{jsonl.name}", "size": jsonl.stat().st_size}]


def test_a_list_over_http_names_files_beside_it(command: Call, address: str, jsonl: Path, tmp_path: Path) -> None:
    (jsonl.parent / "all.paths").write_text(f"{jsonl.name}\n")
    plan = command("plan", "--input", f"@{address}/all.paths", "--output", tmp_path / "run", "--json").json
    assert plan["inputs"] == [{"path": f"{address}/{jsonl.name}", "size": jsonl.stat().st_size}]


def test_an_address_that_is_not_there_is_one_line(command: Call, address: str, tmp_path: Path) -> None:
    said = command("run", "--input", f"{address}/nothere.warc.gz", "--output", tmp_path / "run")
    assert said.code == 1
    assert said.err.startswith("winnow: ")
    assert said.err.count("\n") == 1
    assert "nothere.warc.gz" in said.err
    assert not (tmp_path / "run").exists()


def test_a_storage_without_its_package_or_without_a_name_is_one_line(command: Call, tmp_path: Path) -> None:
    said = command("plan", "--input", "nosuch://bucket/x.warc.gz", "--output", tmp_path / "run")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "nosuch" in said.err


def _publish(root: Path, crawl: str, texts: dict[str, str]) -> None:
    """Put a crawl where Common Crawl's server would have it, and name it in the list of crawls."""
    names = [f"crawl-data/{crawl}/segments/1/warc/{name}" for name in texts]
    for name, text in zip(names, texts.values(), strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / f"crawl-data/{crawl}/warc.paths.gz").write_bytes(gzip.compress("\n".join(names).encode()))
    ids = sorted((path.name for path in (root / "crawl-data").iterdir()), reverse=True)
    (root / "collinfo.json").write_text(json.dumps([{"id": name} for name in ids]))


def test_the_newest_crawl_is_eaten_bit_by_bit(
    command: Call, call: Call, address: str, jsonl: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = jsonl.read_text(encoding="utf-8").splitlines(keepends=True)
    _publish(jsonl.parent, "CC-MAIN-2026-38", {"a.jsonl": "".join(lines[:6]), "b.jsonl": "".join(lines[6:])})
    monkeypatch.setenv("WINNOW_COMMON_CRAWL", address)
    given = ("--new", "--input", "cc:latest", "--output", tmp_path / "run", "--config", config, "--max-inputs", 1)
    said = [command("run", *given) for _ in range(2)]
    assert [one.code for one in said] == [0, 0], [one.err for one in said]
    assert call("run", *given).out == "nothing new: 2 inputs are all in committed runs\n"
    _publish(jsonl.parent, "CC-MAIN-2026-43", {"c.jsonl": lines[0]})
    plan = call("plan", *given, "--json").json
    assert [entry["path"].removeprefix(address) for entry in plan["inputs"]] == [
        "/crawl-data/CC-MAIN-2026-43/segments/1/warc/c.jsonl"
    ]
    runs = call("ledger", tmp_path / "run", "--json").json["runs"]
    assert [run["stages"][0]["read"] for run in runs] == [6, 10]


def test_a_crawl_that_is_not_there_is_one_line(
    command: Call, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINNOW_COMMON_CRAWL", address)
    said = command("run", "--new", "--input", "cc:CC-MAIN-1999-01", "--output", tmp_path / "run")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "/crawl-data/CC-MAIN-1999-01/warc.paths.gz: cannot be read" in said.err
    assert not (tmp_path / "run").exists()


def test_json_is_all_that_is_printed(command: Call, small_run: Path) -> None:
    said = command("ledger", small_run, "--json")
    assert said.err == ""
    json.loads(said.out)
