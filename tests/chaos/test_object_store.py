"""A run in an object store that is killed at every stage, with worker processes, and on a store that fails often."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.harness import STAGES, Running, Web, assert_one_line, shards
from tests.object_store import ObjectStore, Request, final_shards, object_store, wait_until

RUN = "s3://box/run"
TWO_WORKERS = ("--", "--direct_num_workers=2", "--direct_running_mode=multi_processing")


@pytest.fixture
def store(web: Web) -> Iterator[ObjectStore]:
    """A store with the crawl in it."""
    with object_store(web.crawl) as store:
        yield store


def start(web: Web, *more: str) -> Running:
    return web.start(RUN, *more, crawl="s3://box/crawl")


def test_worker_processes_write_the_same_bytes(web: Web, store: ObjectStore, undisturbed: Path) -> None:
    ended = start(web, *TWO_WORKERS).wait()
    assert ended.code == 0, ended.err
    assert final_shards(store) == shards(undisturbed)


@pytest.mark.parametrize("more", [(), TWO_WORKERS], ids=["one worker", "two workers"])
def test_killed_at_every_stage(web: Web, store: ObjectStore, undisturbed: Path, more: tuple[str, ...]) -> None:
    for stage in STAGES:
        store.requests.clear()
        running = start(web, *more)

        def is_at_work(stage: str = stage) -> bool:
            return any(request.method == "PUT" and f"/run/{stage}/" in request.path for request in store.requests)

        wait_until(is_at_work, 240)
        running.signal_group(signal.SIGKILL)
        running.wait()
        assert running.orphans() == []
    ended = start(web, *more).wait()
    assert ended.code == 0, ended.err
    assert final_shards(store) == shards(undisturbed)


@pytest.mark.parametrize("fault", ["refuse", "busy", "hang up", "lose", "cut", "slow"])
def test_a_store_that_fails_often(web: Web, store: ObjectStore, undisturbed: Path, fault: str) -> None:
    def every_seventeenth(_: Request) -> str:
        return "" if len(store.requests) % (100 if fault == "slow" else 17) else fault

    store.fault = every_seventeenth
    ended = start(web).wait()
    store.fault = lambda _: ""
    assert ended.code == 0, ended.err
    assert final_shards(store) == shards(undisturbed)


RENEW_OFTEN = (
    "import sys; from pipelines.locks import lease; lease.RENEW_S = 0.2; sys.argv = sys.argv[1:]; "
    "from pipelines.command import main; main()"
)


@pytest.mark.parametrize("more", [(), TWO_WORKERS], ids=["one worker", "two workers"])
@pytest.mark.parametrize("stage", ["web/extract", "dedup"])
def test_a_lost_lock_stops_the_run_in_one_line(
    web: Web, store: ObjectStore, undisturbed: Path, stage: str, more: tuple[str, ...]
) -> None:
    running = web.start(RUN, *more, crawl="s3://box/crawl", prefix=[sys.executable, "-c", RENEW_OFTEN])
    wait_until(lambda: any(request.method == "PUT" and f"/{stage}/" in request.path for request in store.requests), 240)
    store.client.delete_object(Bucket="box", Key="run/.lock")
    ended = running.wait(60)
    assert_one_line(ended, "s3://box/run: the lock was lost: its object was removed or overwritten")
    assert running.orphans() == []
    again = start(web).wait()
    assert again.code == 0, again.err
    assert final_shards(store) == shards(undisturbed)
