"""The lock of a folder in an object store, against moto's S3 server: takers, renewals, crashes, losses."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import fsspec
import pytest

from pipelines.locks import lease
from pipelines.locks.holder import Holder
from pipelines.locks.lease import Lease
from pipelines.locks.lock import locked
from schemas.errors import LockHeldError, RunError
from storage.network import remote
from tests.object_store import ObjectStore, Request, object_store, wait_until

ROOT = Path(__file__).resolve().parents[3]
FOLDER = "s3://box/run"
HOLD = """
import sys, time
from pipelines.locks import lease
lease.RENEW_S, lease.LEASE_S = 0.2, float(sys.argv[1])
from pipelines.locks.lock import locked
from schemas.errors import LockHeldError
try:
    with locked("s3://box/run"):
        print("held", flush=True)
        time.sleep(float(sys.argv[2]))
except LockHeldError as error:
    print(f"refused {error}", flush=True)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store


@pytest.fixture
def store(server: ObjectStore) -> ObjectStore:
    server.clear()
    return server


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of two seconds, and no patience with a store that fails."""
    monkeypatch.setattr(lease, "RENEW_S", 0.1)
    monkeypatch.setattr(lease, "LEASE_S", 2.0)
    monkeypatch.setattr(lease, "SETTLE_S", 0.05)
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)


def written(store: ObjectStore) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(store.objects("box")["run/.lock"])
    return plain


def leave(store: ObjectStore, **changes: Any) -> None:
    """Leave a lease of another holder, just renewed."""
    other = dataclasses.replace(Holder.us(), pid=7, host="node-7", machine="another", since="2026-01-02T03:04:05Z")
    body = {**other.to_plain(), "token": "0", "renewals": 3, "lease_s": 600.0, **changes}
    store.client.put_object(Bucket="box", Key="run/.lock", Body=json.dumps(body).encode())


def hold(happens: Callable[[], object]) -> None:
    """Hold the folder until what happens ends it."""
    with locked(FOLDER):
        happens()
        time.sleep(60)


def start(lease_s: float, hold_s: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lease_s), str(hold_s)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_a_held_folder_is_refused_and_free_afterwards(store: ObjectStore) -> None:
    with locked(FOLDER):
        us = written(store)
        assert (us["pid"], us["host"]) == (os.getpid(), os.uname().nodename)
        with pytest.raises(LockHeldError) as refused, locked(FOLDER):
            pass
    since = re.escape(us["since"])
    assert re.fullmatch(
        rf"{FOLDER}: another run is going on here \(process {os.getpid()} on {re.escape(us['host'])} since {since}, "
        r"heard of \d s ago; without renewal free in (600|59\d) s\)",
        str(refused.value),
    )
    with locked(FOLDER):
        pass
    assert store.objects("box") == {}  # a folder of somebody else's is left as it was found


def test_the_object_stays_where_a_run_is(store: ObjectStore) -> None:
    with locked(FOLDER):
        store.client.put_object(Bucket="box", Key="run/winnow.json", Body=b"{}")
    assert store.objects("box")["run/.lock"] == b"{}"
    with locked(FOLDER):
        assert written(store)["pid"] == os.getpid()
    assert store.objects("box")["run/.lock"] == b"{}"


def test_a_lease_costs_few_requests(store: ObjectStore) -> None:
    store.requests.clear()
    with locked(FOLDER):
        assert store.counts() == {"GET": 2, "PUT": 2}  # one PUT to see that the store refuses one


def test_of_two_processes_one_wins(store: ObjectStore) -> None:
    racers = [start(600, 20) for _ in range(2)]
    lines = [racer.stdout.readline() for racer in racers if racer.stdout]
    for racer in racers:
        racer.kill()
        racer.communicate()
    assert sorted(line.split()[0] for line in lines) == ["held", "refused"], lines
    refused = next(line for line in lines if line.startswith("refused"))
    assert any(f"process {racer.pid} on " in refused for racer in racers)


@pytest.mark.parametrize("before", ["nothing", "an expired lease"])
def test_of_many_takers_one_wins(store: ObjectStore, before: str) -> None:
    if before != "nothing":
        leave(store, lease_s=0.0)
    takers, told = [Lease(f"{FOLDER}/.lock", FOLDER) for _ in range(8)], []

    def take(taker: Lease) -> None:
        try:
            taker.take()
            told.append("held")
        except LockHeldError:
            told.append("refused")

    threads = [threading.Thread(target=take, args=(taker,)) for taker in takers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["held", *["refused"] * 7]


def test_a_killed_holder_of_this_machine_is_followed_at_once(store: ObjectStore) -> None:
    holder = start(600, 60)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LockHeldError, match=f"process {holder.pid} on "), locked(FOLDER):
        pass
    holder.kill()
    holder.communicate()
    with locked(FOLDER):
        assert written(store)["pid"] == os.getpid()


def test_a_killed_holder_of_another_machine_is_followed_when_its_lease_runs_out(store: ObjectStore) -> None:
    leave(store, lease_s=2.0)
    with pytest.raises(LockHeldError, match=r"process 7 on node-7 since .* free in [12] s"), locked(FOLDER):
        pass
    time.sleep(3.1)  # the store's clock counts whole seconds
    with locked(FOLDER):
        assert written(store)["pid"] == os.getpid()


def test_only_the_stores_own_clock_matters(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(store)
    real, age = store._app, 599

    def late(environ: dict[str, Any], start_response: Any) -> Any:
        """Answer as a store whose clock is years behind, and where the object is `age` old."""

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = [header for header in headers if header[0].lower() not in ("date", "last-modified")]
            now = [("Date", formatdate(1e9, usegmt=True)), ("Last-Modified", formatdate(1e9 - age, usegmt=True))]
            return start_response(status, kept + now, *more)

        return real(environ, start)

    monkeypatch.setattr(store, "_app", late)
    with pytest.raises(LockHeldError, match="heard of 599 s ago; without renewal free in 1 s"), locked(FOLDER):
        pass
    age = 600
    with locked(FOLDER):
        assert written(store)["pid"] == os.getpid()


@pytest.mark.usefixtures("quick")
def test_a_living_holder_keeps_its_lease(store: ObjectStore) -> None:
    with locked(FOLDER):
        wait_until(lambda: written(store)["renewals"] > 5)
        time.sleep(2.5)  # longer than the lease
        with pytest.raises(LockHeldError), locked(FOLDER):
            pass


@pytest.mark.usefixtures("quick")
def test_a_lease_taken_by_another_stops_the_run(store: ObjectStore) -> None:
    with pytest.raises(RunError) as lost:
        hold(lambda: leave(store))
    assert str(lost.value) == (
        f"{FOLDER}: the lock was lost: taken over by process 7 on node-7 since 2026-01-02T03:04:05Z;"
        " run the same command again to go on"
    )
    assert written(store)["pid"] == 7  # and is not touched any more


@pytest.mark.usefixtures("quick")
def test_a_lease_that_was_removed_stops_the_run(store: ObjectStore) -> None:
    with pytest.raises(RunError, match="lock was lost: its object was removed or overwritten"):
        hold(lambda: store.client.delete_object(Bucket="box", Key="run/.lock"))


@pytest.mark.usefixtures("quick")
def test_a_lease_that_cannot_be_renewed_stops_the_run(store: ObjectStore) -> None:
    with pytest.raises(RunError, match=r"lock was lost: not renewed for \d+ s: s3://box/run/.lock: cannot be written"):
        hold(lambda: setattr(store, "fault", lambda _: "hang up"))


@pytest.mark.usefixtures("quick")
def test_a_short_failure_of_the_store_is_survived(store: ObjectStore) -> None:
    refused: list[Request] = []

    def refuse_six(request: Request) -> str:
        if request.method != "PUT" or len(refused) == 6:
            return ""
        refused.append(request)
        return "refuse"

    with locked(FOLDER):
        store.fault = refuse_six
        wait_until(lambda: len(refused) == 6)
        before = written(store)["renewals"]
        wait_until(lambda: written(store)["renewals"] > before + 2)


@pytest.mark.usefixtures("quick")
def test_elsewhere_than_in_the_main_thread_the_end_tells_of_the_loss(store: ObjectStore) -> None:
    told: list[str] = []

    def run() -> None:
        try:
            with locked(FOLDER):
                leave(store)
                time.sleep(1)
                told.append("went on")
        except RunError as error:
            told.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert told[0] == "went on"
    assert "the lock was lost: taken over by process 7" in told[1]


def test_an_error_of_the_run_is_told_and_the_folder_free(store: ObjectStore) -> None:
    handler = signal.getsignal(signal.SIGUSR2)
    with pytest.raises(KeyError), locked(FOLDER):
        raise KeyError
    assert signal.getsignal(signal.SIGUSR2) is handler
    with locked(FOLDER):
        pass


@pytest.mark.usefixtures("quick")
def test_a_lock_that_cannot_be_read_is_held_until_it_is_old(store: ObjectStore) -> None:
    store.client.put_object(Bucket="box", Key="run/.lock", Body=b"\xff")
    with pytest.raises(LockHeldError, match=r"\(unknown process, heard of"), locked(FOLDER):
        pass
    time.sleep(3.1)
    with locked(FOLDER):
        pass


@pytest.mark.usefixtures("quick")
def test_where_a_store_knows_no_conditions_the_last_writer_holds() -> None:
    first, second = Lease("memory://box/run/.lock", "f"), Lease("memory://box/run/.lock", "f")
    try:
        with (
            locked("memory://box/run"),
            pytest.raises(LockHeldError, match=f"process {os.getpid()} on "),
            locked("memory://box/run"),
        ):
            pass
        seen = []

        def settle() -> None:
            second._object.put(second._body(), first._object.read().version)  # type: ignore[union-attr]
            seen.append("rival")

        first._is_exclusive = lambda: settle() or False  # type: ignore[method-assign, func-returns-value]
        with pytest.raises(LockHeldError):
            first.take()
        assert seen == ["rival"]
    finally:
        fsspec.filesystem("memory").store.clear()


@pytest.mark.usefixtures("quick")
def test_a_store_that_passes_over_conditions_is_noticed(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = store._app

    def deaf(environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("HTTP_IF_NONE_MATCH", None)
        return real(environ, start_response)

    monkeypatch.setattr(store, "_app", deaf)
    taken = Lease(f"{FOLDER}/.lock", FOLDER)
    taken.take()
    assert written(store)["token"] == taken._token
    monkeypatch.setattr(lease, "SETTLE_S", 1.0)
    store.client.delete_object(Bucket="box", Key="run/.lock")
    rival = threading.Timer(0.5, leave, [store])
    rival.start()
    with pytest.raises(LockHeldError, match="process 7 on node-7"):
        Lease(f"{FOLDER}/.lock", FOLDER).take()
    rival.join()
