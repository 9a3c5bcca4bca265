"""Every way a guarded function can go wrong, for real, with small limits: the right cause, and only that call lost."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.errors import BadRecord, ConfigError, RunError
from transforms.guard import Guard

TARGETS = """
import ctypes, os, pathlib, pickle, signal, sys, time

from schemas.errors import BadRecord

calls = 0


def act(payload, how, value=None):
    global calls
    calls += 1
    if how == "echo":
        return payload
    if how == "length":
        return len(payload)
    if how == "calls":
        return calls
    if how == "pid":
        return os.getpid()
    if how == "args":
        return value
    if how == "sleep":
        pathlib.Path(value).write_text(str(os.getpid())) if value else None
        time.sleep(60)
    if how == "spin_in_c":  # holds the interpreter lock: no Python thread or handler of the child could react
        ctypes.PyDLL(None).sleep(60)
    if how == "spin":
        while True:
            pass
    if how == "exit":
        os._exit(3)
    if how == "system_exit":
        sys.exit(0)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "segfault":
        ctypes.string_at(0)
    if how == "abort":
        os.abort()
    if how == "hog":
        hoard = []
        while True:
            hoard.append(bytearray(4 << 20))
    if how == "hog_at_once":
        bytearray(1 << 40)
    if how == "big":
        return len(bytearray(value))
    if how == "raise":
        raise ZeroDivisionError("a text of the page")
    if how == "recurse":  # all arguments given: Python 3.13.0 to 3.13.7 count no call that takes a default (gh-132744)
        return act(payload, how, value)
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "bad_record":
        raise BadRecord("html_unparsable", "why")
    if how == "unpicklable":
        return lambda: None
    if how == "noise":
        print("noise" * 1000, flush=True)
        print("noise", file=sys.stderr, flush=True)
        os.write(1, b"noise")
        os.write(2, b"noise")
        return sys.stdin.read()
    if how == "busy":
        start = time.process_time()
        while time.process_time() - start < value:
            pass
"""


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("targets")
    (folder / "guard_targets.py").write_text(TARGETS)
    sys.path.insert(0, str(folder))
    yield "guard_targets:act"
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def guard(targets: str) -> Iterator[Guard]:
    with Guard(targets, prefix="extraction", timeout_s=0.5, memory_mb=64) as made:
        yield made


def cause_of(call: Callable[[], object]) -> str:
    with pytest.raises(BadRecord) as caught:
        call()
    return caught.value.cause


def gone(pid: int, within_s: float = 5.0) -> bool:
    """Whether the process ends (or is a zombie that nobody has waited for) in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("payload", [b"", b"\x00", b"x", "שלום 你好".encode(), bytes(range(256)) * 40_000])
def test_a_payload_arrives_and_returns_whole(guard: Guard, payload: bytes) -> None:
    result, cpu_s = guard.call(payload, "echo")
    assert result == payload
    assert 0.0 <= cpu_s < 0.5


def test_arguments_travel(guard: Guard) -> None:
    assert guard.call(b"", "args", {"a": (1, None, "é\ud800")})[0] == {"a": (1, None, "é\ud800")}


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("sleep", "extraction_timeout"),
        ("spin", "extraction_timeout"),
        ("spin_in_c", "extraction_timeout"),
        ("exit", "extraction_crash"),
        ("system_exit", "extraction_crash"),
        ("kill", "extraction_crash"),
        ("segfault", "extraction_crash"),
        ("abort", "extraction_crash"),
        ("hog", "extraction_memory"),
        ("hog_at_once", "extraction_memory"),
        ("raise", "extraction_error"),
        ("recurse", "extraction_error"),
        ("interrupt", "extraction_error"),
        ("unpicklable", "extraction_error"),
        ("bad_record", "html_unparsable"),
    ],
)
def test_each_fault_has_its_cause_and_loses_one_call(guard: Guard, how: str, cause: str) -> None:
    assert guard.call(b"before", "length")[0] == 6
    assert cause_of(lambda: guard.call(b"page", how)) == cause
    assert guard.call(b"after", "length")[0] == 5


def test_details_say_what_happened_but_hold_no_text(guard: Guard) -> None:
    details = {}
    for how in ("exit", "kill", "raise", "sleep", "hog_at_once", "bad_record"):
        with pytest.raises(BadRecord) as caught:
            guard.call(b"", how)
        details[how] = caught.value.detail
    assert details == {
        "exit": "exited with status 3",
        "kill": "ended by signal 9",
        "raise": "unexpected ZeroDivisionError",
        "sleep": "no answer within 0.5 s",
        "hog_at_once": "needs more than 64 MiB",
        "bad_record": "why",
    }


def test_a_bad_record_keeps_the_child_and_a_fault_replaces_it(guard: Guard) -> None:
    first = guard.call(b"", "pid")[0]
    assert cause_of(lambda: guard.call(b"", "bad_record")) == "html_unparsable"
    assert guard.call(b"", "pid")[0] == first
    assert cause_of(lambda: guard.call(b"", "raise")) == "extraction_error"
    assert guard.call(b"", "pid")[0] != first
    assert gone(first)


def test_output_of_the_child_reaches_nobody(guard: Guard, capfd: pytest.CaptureFixture[str]) -> None:
    assert guard.call(b"", "noise")[0] == ""
    assert guard.call(b"abc", "length")[0] == 3
    assert capfd.readouterr() == ("", "")


def test_both_sides_of_the_memory_limit(guard: Guard) -> None:
    assert guard.call(b"", "big", 32 << 20)[0] == 32 << 20
    assert cause_of(lambda: guard.call(b"", "big", 65 << 20)) == "extraction_memory"


def test_a_payload_beyond_the_memory_limit_is_that_pages_fault(guard: Guard) -> None:
    assert cause_of(lambda: guard.call(bytes(80 << 20), "length")) == "extraction_memory"
    assert guard.call(b"abc", "length")[0] == 3


def test_cpu_time_is_the_childs_own(guard: Guard) -> None:
    _, cpu_s = guard.call(b"", "busy", 0.05)
    assert 0.05 <= cpu_s < 0.2


def test_a_child_killed_between_calls_is_replaced_unseen(guard: Guard) -> None:
    pid = guard.call(b"", "pid")[0]
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    assert guard.call(b"abc", "length")[0] == 3


def test_recycling(targets: str) -> None:
    with Guard(targets, prefix="x", timeout_s=5.0, memory_mb=64, recycle_calls=2) as guard:
        assert [guard.call(b"", "calls")[0] for _ in range(5)] == [1, 2, 1, 2, 1]


def test_never_recycled_by_default(targets: str) -> None:
    with Guard(targets, prefix="x", timeout_s=5.0, memory_mb=64) as guard:
        assert [guard.call(b"", "calls")[0] for _ in range(50)] == list(range(1, 51))


def test_the_child_starts_at_the_first_call_and_close_ends_it(targets: str) -> None:
    guard = Guard(targets, prefix="x", timeout_s=5.0, memory_mb=64)
    guard.close()
    pid = guard.call(b"", "pid")[0]
    guard.close()
    guard.close()
    assert gone(pid)
    again = guard.call(b"", "pid")[0]
    assert again != pid
    del guard
    gc.collect()
    assert gone(again)


def test_threads_take_turns_and_a_child_outlives_the_thread_that_started_it(targets: str) -> None:
    with Guard(targets, prefix="x", timeout_s=5.0, memory_mb=64) as guard:
        pids: list[int] = []
        starter = threading.Thread(target=lambda: pids.append(guard.call(b"", "pid")[0]))
        starter.start()
        starter.join()
        answers: list[tuple[int, int]] = []

        def ask(n: int) -> None:
            answers.extend((n, guard.call(bytes(n), "length")[0]) for _ in range(20))

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [(n, n) for n in range(4) for _ in range(20)]
        assert guard.call(b"", "pid")[0] == pids[0]


PARENT = """
import sys, threading
from transforms.guard import Guard
guard = Guard("guard_targets:act", prefix="x", timeout_s=100.0, memory_mb=64)
print(guard.call(b"", "pid")[0], flush=True)
if sys.argv[1] == "busy":
    threading.Thread(target=guard.call, args=(b"", "spin_in_c"), daemon=True).start()
if sys.argv[1] != "exits":
    sys.stdin.read()
"""


def start_parent(how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PARENT, how],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", ["idle", "busy"])
def test_no_orphan_when_the_parent_is_killed(targets: str, how: str) -> None:
    with start_parent(how) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.2)
        assert not gone(child, within_s=0.05)
        parent.kill()
        assert gone(child)


def test_the_interpreters_exit_ends_the_child_in_silence(targets: str) -> None:
    with start_parent("exits") as parent:
        out, err = parent.communicate(timeout=30)
        assert gone(int(out))
        assert (parent.returncode, err) == (0, "")


def test_a_fork_of_the_parent_leaves_the_child_alone_and_starts_its_own(targets: str) -> None:
    code = """
import os
from transforms.guard import Guard
guard = Guard("guard_targets:act", prefix="x", timeout_s=9.0, memory_mb=64)
first = guard.call(b"", "pid")[0]
if (fork := os.fork()) == 0:
    same = guard.call(b"", "pid")[0] == first
    guard.close()
    raise SystemExit(1 if same else 0)
assert os.waitpid(fork, 0)[1] == 0
assert guard.call(b"", "pid")[0] == first
"""
    path = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_childs_sets_have_one_order(targets: str, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = set()
    for seed in ("1", "2", "3"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        with Guard("builtins:hash", prefix="x", timeout_s=5.0, memory_mb=64) as guard:
            orders.add(guard.call(b"text")[0])
    assert len(orders) == 1


@pytest.mark.parametrize(
    ("target", "says"),
    [("no_such_module:f", "No module named 'no_such_module'"), ("json:no_such", "no_such"), ("os:abort", None)],
)
def test_a_target_that_cannot_be_loaded(target: str, says: str | None) -> None:
    with Guard(target, prefix="x", timeout_s=5.0, memory_mb=64) as guard:
        if says is None:
            assert cause_of(lambda: guard.call(b"")) == "x_error"  # loads, but takes no argument: TypeError
            return
        with pytest.raises(RunError, match=says):
            guard.call(b"")


def test_a_missing_preload_is_named() -> None:
    with (
        Guard("builtins:len", prefix="x", timeout_s=5.0, memory_mb=64, preload=["no_such"]) as guard,
        pytest.raises(RunError, match="cannot load builtins:len: ModuleNotFoundError: No module named 'no_such'"),
    ):
        guard.call(b"")


@pytest.mark.parametrize("target", ["", "module", "module:", ":f"])
def test_a_malformed_target_is_refused_at_once(target: str) -> None:
    with pytest.raises(ConfigError, match="guard target"):
        Guard(target, prefix="x", timeout_s=1.0, memory_mb=64)


def test_a_guard_is_not_pickled(guard: Guard) -> None:
    with pytest.raises(TypeError, match=r"DoFn\.setup"):
        pickle.dumps(guard)


@pytest.mark.parametrize(("name", "kills"), [("killed_twice", 2), ("killed_always", 99)])
def test_a_child_that_is_killed_while_it_starts_is_started_again(
    name: str, kills: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{name}.py").write_text(f"""
import os, pathlib, signal
starts = pathlib.Path({str(tmp_path / "starts")!r})
starts.write_text((starts.read_text() if starts.exists() else "") + "x")
if len(starts.read_text()) <= {kills}:
    os.kill(os.getpid(), signal.SIGKILL)
def act(payload):
    return payload
""")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Guard(f"{name}:act", prefix="p", timeout_s=5, memory_mb=64) as made:
        if kills == 2:
            assert made.call(b"x")[0] == b"x"
        else:
            with pytest.raises(RunError, match="ended before it was ready \\(ended by signal 9\\)"):
                made.call(b"x")
    assert (tmp_path / "starts").read_text() == "xxx"
