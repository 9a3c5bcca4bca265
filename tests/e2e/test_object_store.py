"""The whole run with input and output in an object store, S3's protocol spoken by moto: no rename, no lock of a kernel.

More of it, stage by stage: tests/chaos/test_object_store.py.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.harness import Running, Web, assert_one_line, make_web, shards
from tests.object_store import ObjectStore, Request, final_shards, object_store, wait_until

RUN = "s3://box/run"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Web:
    """A web of one archive: the faults are the same, the runs are short."""
    web = make_web(tmp_path_factory.mktemp("object_store"))
    for path in web.crawl.iterdir():
        if path.name != "crawl-00003.warc":
            path.unlink()
    return web


@pytest.fixture(scope="module")
def on_disk(web: Web) -> dict[str, str]:
    """SHA-256 by path of the shards of an undisturbed run on a disk."""
    ended = web.run(web.root / "on_disk")
    assert ended.code == 0, ended.err
    return shards(web.root / "on_disk")


@pytest.fixture
def store(web: Web) -> Iterator[ObjectStore]:
    """A store with the crawl in it."""
    with object_store(web.crawl) as store:
        yield store


def start(web: Web) -> Running:
    return web.start(RUN, crawl="s3://box/crawl")


def committed(store: ObjectStore) -> dict[str, bytes]:
    """The manifests that can be seen, by stage."""
    objects = store.objects("box", "run/")
    ends = ("run/", "/manifest.json")
    return {key[len(ends[0]) : -len(ends[1])]: data for key, data in objects.items() if key.endswith(ends[1])}


def finish(web: Web, store: ObjectStore, on_disk: dict[str, str], done: dict[str, bytes]) -> None:
    """Start again what was struck; what it had finished is not done again, and the end is the same."""
    ended = start(web).wait()
    store.fault = lambda _: ""
    assert ended.code == 0, ended.err
    assert {stage: committed(store)[stage] for stage in done} == done
    assert final_shards(store) == on_disk
    assert store.client.list_multipart_uploads(Bucket="box").get("Uploads", []) == []


def test_the_same_bytes_as_on_a_disk(web: Web, store: ObjectStore, on_disk: dict[str, str]) -> None:
    store.requests.clear()
    ended = start(web).wait()
    assert ended.code == 0, ended.err
    asked = store.counts()
    assert final_shards(store) == on_disk
    objects = store.objects("box", "run/")
    assert objects["run/.lock"] == b"{}"
    assert [key for key in objects if "/chunks/" in key] == []
    # What the watching costs depends on how long it takes: 8 requests each half second.
    assert asked["PUT"] < 120, asked
    assert asked["GET"] < 600, asked
    assert asked["DELETE"] < 10, asked

    store.requests.clear()
    again = start(web).wait()
    assert again.code == 0, again.err
    assert again.out.count("committed and unchanged") == 7
    assert sum(store.counts().values()) < 160, store.counts()


def test_killed_twice_once_while_it_sends_a_shard(web: Web, store: ObjectStore, on_disk: dict[str, str]) -> None:
    running = start(web)
    wait_until(lambda: any("/run/dedup/" in request.path for request in store.requests))
    second = start(web).wait()
    assert second.code == 3, second.err
    assert f"another run is going on here (process {running.process.pid} on " in second.err
    wait_until(lambda: "web/clean" in committed(store))
    running.signal_group(signal.SIGKILL)
    running.wait()
    done = committed(store)
    assert {"web/index", "web/extract", "web/clean"} <= done.keys()

    running = start(web)

    def strike(request: Request) -> str:
        if request.method == "PUT" and "/source=" in request.path:
            running.signal_group(signal.SIGKILL)
            return "hang up"
        return ""

    store.fault = strike
    assert running.wait().code == -signal.SIGKILL
    store.fault = lambda _: ""
    now = committed(store)
    assert {stage: now[stage] for stage in done} == done
    assert sorted(now) == ["dedup", "mix", "tokenize", "web/clean", "web/extract", "web/index"]
    assert [key for key in store.objects("box", "run/shards/") if "/source=" in key] == []
    finish(web, store, on_disk, now)


def test_a_store_that_fails_for_good_is_one_line_and_one_that_fails_now_and_then_is_none(
    web: Web, store: ObjectStore, on_disk: dict[str, str]
) -> None:
    def no_texts(request: Request) -> str:
        return "refuse" if request.method == "PUT" and "/web/clean/" in request.path else ""

    store.fault = no_texts
    assert_one_line(start(web).wait(), "s3://box/run/web/clean/", "cannot be written after 4 attempts", "on purpose")
    done = committed(store)
    assert sorted(done) == ["web/extract", "web/index"]

    faults = ("refuse", "hang up", "slow", "lose", "busy", "cut")
    struck: list[str] = []

    def every_fortieth(_: Request) -> str:
        if len(store.requests) % 40:
            return ""
        struck.append(faults[len(struck) % len(faults)])
        return struck[-1]

    store.fault = every_fortieth
    finish(web, store, on_disk, done)
    assert set(struck) == set(faults)


def test_what_is_not_there_or_not_allowed_is_one_line(web: Web, store: ObjectStore, tmp_path: Path) -> None:
    assert_one_line(web.run("s3://nobox/run", crawl="s3://box/crawl"), "s3://nobox/run", "bucket does not exist")
    assert_one_line(web.run(RUN, crawl="s3://box/none"), "s3://box/none: no such file, or nothing in it")
    assert_one_line(web.run(RUN, crawl="s3://nobox/none"), "s3://nobox/none: no such file, or nothing in it")
    assert store.objects("box", "run") == {}
