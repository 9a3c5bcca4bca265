"""Worker processes of the local runner end with what waits for them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

import pytest
from apache_beam.runners.portability import local_job_service

from pipelines.engines.workers import local_workers
from pipelines.engines.workers.local_workers import recorded

SLEEPER = [
    sys.executable,
    "-c",
    "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])",
]


class AskedError(BaseException):
    """What the handler before ours raises."""


@pytest.fixture(autouse=True)
def handlers() -> Any:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def start() -> Any:
    return local_job_service.subprocess.Popen(SLEEPER)


def test_workers_have_sessions_of_their_own_and_are_left_alone_when_all_is_well() -> None:
    before = local_job_service.subprocess
    with recorded() as workers:
        process = start()
        assert os.getsid(process.pid) != os.getsid(0)
        assert local_job_service.subprocess.PIPE == before.PIPE
    assert local_job_service.subprocess is before
    assert process.poll() is None
    workers.kill()
    assert process.wait(5) == -signal.SIGKILL


def test_an_error_ends_them() -> None:
    processes = []

    def fail() -> None:
        with recorded():
            processes.append(start())
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert processes[0].wait(5) == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_them_first(number: signal.Signals) -> None:
    def heard(_number: int, _frame: FrameType | None) -> None:
        raise AskedError

    signal.signal(number, heard)
    processes = []

    def wait() -> None:
        with recorded() as workers:
            processes.append(start())
            signal.raise_signal(number)
            pytest.fail(f"nothing was raised: {workers}")

    with pytest.raises(AskedError):
        wait()
    assert processes[0].wait(5) == -signal.SIGKILL
    assert signal.getsignal(number) is heard


def test_what_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with recorded() as workers:
        signal.raise_signal(signal.SIGINT)
        assert not workers.stopped


def test_tidying_that_waits_for_ever_is_interrupted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_workers, "INSIST_S", 0.2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupted = []

    def wait() -> None:
        with recorded():
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                for _ in range(2):
                    try:
                        threading.Event().wait(30)
                    except KeyboardInterrupt:
                        interrupted.append(time.monotonic())

    with pytest.raises(KeyboardInterrupt):
        wait()
    assert len(interrupted) == 2
    assert interrupted[1] - interrupted[0] < 10
