"""The whole run with input and output in a `gs://` bucket, which fake-gcs-server stands in for.

It needs gcsfs (the extra `gcp`) and fake-gcs-server on the path
(`go install github.com/fsouza/fake-gcs-server@v1.56.1`); without them it is skipped, and counted.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage
from tests.chaos.harness import Web, assert_one_line, make_web, shards
from tests.object_store import assert_one_writer_wins, wait_until

SERVER = "fake-gcs-server"
RUN = "gs://box/run"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """An empty bucket of a server that this process and its children speak with."""
    if importlib.util.find_spec("gcsfs") is None:
        pytest.skip("gs:// was not run: gcsfs is not installed")
    if shutil.which(SERVER) is None:
        pytest.skip(f"gs:// was not run: there is no {SERVER} on the path")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    words = ["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", place.rpartition(":")[2]]
    words += ["-public-host", place, "-external-url", f"http://{place}", "-log-level", "error"]
    with subprocess.Popen([SERVER, *words]) as server, pytest.MonkeyPatch.context() as patch:
        try:
            patch.setenv("STORAGE_EMULATOR_HOST", f"http://{place}")
            patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # asks Google's own servers for a bucket's kind
            wait_until(lambda: _make_bucket(place), 30)
            yield "box"
        finally:
            server.kill()


def _make_bucket(place: str) -> bool:
    wanted = urllib.request.Request(
        f"http://{place}/storage/v1/b?project=p", b'{"name": "box"}', {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(wanted, timeout=5) as answer:  # noqa: S310  our own server
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, bucket: str) -> Web:
    """A web of one archive, in the bucket too."""
    web = make_web(tmp_path_factory.mktemp("google_store"))
    for path in web.crawl.iterdir():
        if path.name == "crawl-00003.warc":
            storage.write_atomic(f"gs://{bucket}/crawl/{path.name}", path.read_bytes())
        else:
            path.unlink()
    return web


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # gcsfs sends blocks as bytes
def test_the_seam(bucket: str) -> None:
    base = f"gs://{bucket}/seam"
    assert storage.list_names(base) == []
    assert not storage.exists(f"{base}/a")
    big = bytes(range(256)) * (24 << 10)  # 6 MiB: more than one block
    storage.write_atomic(f"{base}/a", b"one")
    with storage.open_atomic(f"{base}/d/b") as stream:
        stream.write(big)
    assert storage.list_names(base) == ["a", "d"]
    assert storage.list_sizes(base) == {f"{base}/a": 3, f"{base}/d/b": len(big)}
    assert storage.read_bytes(f"{base}/d/b") == big
    with storage.open_read(f"{base}/d/b") as found:
        found.seek(-3, 2)
        assert found.read() == big[-3:]
    storage.remove_tree(base)
    storage.remove_tree(base)
    assert storage.list_sizes(base) == {}


def test_a_conditional_write_wins_once(bucket: str) -> None:
    assert_one_writer_wins(f"gs://{bucket}/c", wrong="1")


def test_the_same_bytes_as_on_a_disk(web: Web, bucket: str) -> None:
    on_disk = web.root / "on_disk"
    assert web.run(on_disk).code == 0
    running = web.start(RUN, crawl=f"gs://{bucket}/crawl")
    assert running.until(lambda: storage.exists(f"{RUN}/web/clean/manifest.json"))
    second = web.run(RUN, crawl=f"gs://{bucket}/crawl")
    assert second.code == 3, second.err
    assert f"another run is going on here (process {running.process.pid} on " in second.err
    running.signal_group(signal.SIGKILL)
    running.wait()
    ended = web.run(RUN, crawl=f"gs://{bucket}/crawl")
    assert ended.code == 0, ended.err
    assert ended.out.count("committed and unchanged") >= 3
    manifest = json.loads(storage.read_bytes(f"{RUN}/shards/manifest.json"))
    folder = f"{RUN}/shards/{manifest['key']}"
    paths = [shard["path"] for shard in manifest["facts"]["shards"]]
    found = {path: hashlib.sha256(storage.read_bytes(f"{folder}/{path}")).hexdigest() for path in paths}
    assert found == shards(on_disk)
    assert storage.read_bytes(f"{RUN}/.lock") == b"{}"


def test_what_is_not_there_is_one_line(web: Web, tmp_path: Path) -> None:
    assert_one_line(web.run(tmp_path / "run", crawl="gs://box/none"), "gs://box/none: no such file, or nothing in it")
    assert_one_line(web.run("gs://nobox/run"), "gs://nobox/run", "cannot be")
