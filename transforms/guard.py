"""A function run in one guarded child process: a hang, a crash or too much memory costs one record, never the worker.

    with Guard("transforms.extraction.extract:main_text", prefix="extraction", timeout_s=30.0, memory_mb=1024) as guard:
        text, cpu_s = guard.call(payload, "utf-8")

The child is a new interpreter (never a fork of this process, which may have threads), started at the first call, and
replaced after a fault or after `recycle_calls` calls. Any thread may call; calls of one Guard take turns.

    the call ...                                       the record's cause, <prefix> from the caller
    overruns `timeout_s` seconds of wall time          <prefix>_timeout   (child killed)
    runs out of memory (RLIMIT_AS over its base)       <prefix>_memory    (child replaced)
    ends the process: exit, signal, segmentation fault <prefix>_crash     (child replaced)
    raises, or returns what cannot be pickled          <prefix>_error     (child replaced, its state is unknown)
    raises BadRecord                                   the BadRecord itself

Frames on a socket pair, each 8 bytes of length and a pickle; the child's standard streams are the null device, so what
a library prints goes nowhere. The child ends with its parent, even one killed by SIGKILL: an idle child reads the end
of the socket, a busy one is ended by the kernel through SIGIO on a pipe that only the parent holds open. The parent
death signal of prctl(2) would not do: it fires when the *thread* that started the child ends.

Cost: 53 us of wall time a call, 26 us of them CPU of the parent, with 100 kB in and 5 kB out; 60 ms to start a child,
without the imports of its target (trafilatura: 0.3 s).
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import pickle
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import types
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from schemas.errors import BadRecord, ConfigError, RunError

_HEADER = struct.Struct("<Q")
_MAX_FRAME = 1 << 32  # a longer one was not written by this module
_STARTS = 3  # times that a child is started which another process kills while it starts
_START_S = 120.0  # an interpreter and its imports on a loaded machine; a page's time limit starts afterwards
_IDLE_CHECK_S = 10.0  # how often an idle child looks whether its parent is still the one that started it
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from transforms.guard import serve; serve(sys.argv[2])"
)

# First item of a reply.
_READY, _RESULT, _BAD_RECORD, _MEMORY, _ERROR = "ready", "result", "bad_record", "memory", "error"
_MEMORY_REPLY = pickle.dumps((_MEMORY,))  # made while there is memory


class Guard:
    """Runs `target` ("package.module:function") on a payload and further picklable arguments, in a child process."""

    def __init__(
        self,
        target: str,
        *,
        prefix: str,
        timeout_s: float,
        memory_mb: int,
        recycle_calls: int = 0,
        preload: Sequence[str] = (),
    ) -> None:
        """`recycle_calls` 0: never; `preload`: modules the child imports before its clock and its memory base start."""
        module, _, function = target.partition(":")
        if not (module and function):
            raise ConfigError(f"guard target {target!r} is not allowed; expected 'package.module:function'")
        self._settings = types.SimpleNamespace(target=target, memory_mb=memory_mb, preload=list(preload))
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._recycle_calls = recycle_calls
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def call(self, payload: bytes, *args: Any) -> tuple[Any, float]:
        """Return the function's result and the CPU seconds it took in the child; raises BadRecord, or RunError when
        no child can be started at all."""
        request = pickle.dumps((payload, args), protocol=pickle.HIGHEST_PROTOCOL)
        with self._lock:
            child = self._living_child()
            keep = False
            try:
                kind, *values = child.ask(request, self._timeout_s)
                keep = kind in (_RESULT, _BAD_RECORD) and child.calls != self._recycle_calls
            except TimeoutError:
                detail = f"no answer within {self._timeout_s:g} s"
                raise BadRecord(f"{self._prefix}_timeout", detail) from None
            except (EOFError, ConnectionError):
                raise BadRecord(f"{self._prefix}_crash", child.epitaph()) from None
            finally:
                if not keep:
                    self._drop_child()
        return self._unwrap(kind, values)

    def close(self) -> None:
        """End the child; a later call starts another."""
        with self._lock:
            self._drop_child()

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Guard owns a process and is not picklable: make it where it is used (DoFn.setup)")

    def _living_child(self) -> _Child:
        if self._child is not None and not self._child.usable():
            self._drop_child()
        starts = _STARTS
        while self._child is None:
            starts -= 1
            try:
                self._child = _Child(self._settings)
            except _KilledEarlyError:
                if not starts:
                    raise
        return self._child

    def _drop_child(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None

    def _unwrap(self, kind: str, values: list[Any]) -> tuple[Any, float]:
        if kind == _RESULT:
            result, cpu_s = values
            return result, cpu_s
        if kind == _BAD_RECORD:
            cause, detail = values
            raise BadRecord(cause, detail)
        if kind == _MEMORY:
            raise BadRecord(f"{self._prefix}_memory", f"needs more than {self._settings.memory_mb} MiB")
        (name,) = values
        raise BadRecord(f"{self._prefix}_error", f"unexpected {name}")


class _KilledEarlyError(RunError):
    """A child was killed while it started: memory may have been short for a moment."""


class _Child:
    """The parent's side of one child process."""

    def __init__(self, settings: types.SimpleNamespace) -> None:
        if not sys.executable:
            raise ConfigError("guard: this process knows no Python interpreter (sys.executable) to start a child with")
        self.calls = 0
        self._pid_of_owner = os.getpid()
        self._socket, theirs = socket.socketpair()
        life_theirs, life_ours = os.pipe()
        self._process: subprocess.Popen[bytes] | None = None
        slot: list[subprocess.Popen[bytes]] = []
        # Also runs when the interpreter exits; holds no reference to self.
        self._finalizer = weakref.finalize(self, _release, self._pid_of_owner, self._socket, life_ours, slot)
        search_path = json.dumps([str(entry) for entry in sys.path])
        fds = (theirs.fileno(), life_theirs)
        job = json.dumps([os.getpid(), *fds, settings.target, settings.memory_mb, settings.preload])
        try:
            slot.append(
                subprocess.Popen(
                    [sys.executable, "-c", _BOOT, search_path, job],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=fds,
                    env={**os.environ, "PYTHONHASHSEED": "0"},  # the order of a set must not reach a result
                )
            )
        except OSError as error:
            self.close()
            raise RunError(f"guard: cannot start a child process: {error}") from error
        finally:
            theirs.close()
            os.close(life_theirs)
        self._process = slot[0]
        self._await_ready(settings.target)

    def _await_ready(self, target: str) -> None:
        refused: type[RunError] = RunError
        try:
            kind, *values = self._receive(time.monotonic() + _START_S)
        except (EOFError, ConnectionError):
            kind, values = _ERROR, [f"the child ended before it was ready ({self.epitaph()})"]
            if self._process is not None and (self._process.poll() or 0) < 0:
                refused = _KilledEarlyError
        except TimeoutError:
            kind, values = _ERROR, [f"the child was not ready within {_START_S:g} s"]
        if kind != _READY:
            self.close()
            raise refused(f"guard: cannot load {target}: {' '.join(map(str, values))}")

    def usable(self) -> bool:
        """Whether the child is alive and was started by this process, not by its parent before a fork."""
        return self._pid_of_owner == os.getpid() and self._process is not None and self._process.poll() is None

    def ask(self, request: bytes, timeout_s: float) -> Any:
        """Return the reply; raises TimeoutError, EOFError or ConnectionError."""
        self.calls += 1
        deadline = time.monotonic() + timeout_s
        with contextlib.suppress(ConnectionError):  # a child without memory for it has answered so: read
            for part in (_HEADER.pack(len(request)), request):
                self._socket.settimeout(_left(deadline))
                self._socket.sendall(part)
        return self._receive(deadline)

    def _receive(self, deadline: float) -> Any:
        (size,) = _HEADER.unpack(self._receive_bytes(_HEADER.size, deadline))
        if size > _MAX_FRAME:
            raise ConnectionError("a frame of unknown origin")
        return pickle.loads(self._receive_bytes(size, deadline))  # noqa: S301 - from our own child

    def _receive_bytes(self, size: int, deadline: float) -> bytearray:
        buffer = bytearray(size)
        view = memoryview(buffer)
        while view:
            self._socket.settimeout(_left(deadline))
            n_read = self._socket.recv_into(view)
            if n_read == 0:
                raise EOFError
            view = view[n_read:]
        return buffer

    def epitaph(self) -> str:
        """Kill the child if it still runs; return how it ended."""
        if self._process is None:
            return "never started"
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)  # its socket closes a moment before its exit status is there
        if self._process.poll() is None:
            return "closed its connection"
        code = self._process.returncode
        return f"ended by signal {-code}" if code < 0 else f"exited with status {code}"

    def close(self) -> None:
        self._finalizer()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _release(owner: int, connection: socket.socket, life: int, processes: list[subprocess.Popen[bytes]]) -> None:
    """Close the parent's ends and end the child, unless this process is a fork of the one that owns it."""
    connection.close()
    os.close(life)
    for process in processes:
        if os.getpid() == owner:
            process.kill()
            process.wait()
        else:
            process.returncode = 0  # the child of another process cannot be waited for; keeps Popen.__del__ silent


# ---- the child ------------------------------------------------------------------------------------------------------


def serve(job: str) -> None:
    """Run the child until its parent goes away. Called by the interpreter that `Guard` starts, by nothing else."""
    parent, connection_fd, life_fd, target, memory_mb, preload = json.loads(job)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    _die_with_parent(life_fd)
    connection = socket.socket(fileno=connection_fd)  # never closed here: the exception hook still needs it
    connection.set_inheritable(False)
    _report_uncaught(connection, lambda kind, error: f"{kind.__name__}: {error}")
    for name in preload:
        importlib.import_module(name)
    module, _, function = target.partition(":")
    run = getattr(importlib.import_module(module), function)
    _limit_memory(memory_mb)
    # The type alone from here on: a library's message may quote the page.
    _report_uncaught(connection, lambda kind, _error: kind.__name__)
    with contextlib.suppress(ConnectionError):
        _send(connection, pickle.dumps((_READY,)))
        while _wait_for_request(connection, parent) and _answer(connection, run):
            pass


def _die_with_parent(life_fd: int) -> None:
    """Have the kernel end this process when the other end of the pipe `life_fd` is closed."""
    os.set_inheritable(life_fd, False)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(life_fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life_fd, fcntl.F_SETFL, fcntl.fcntl(life_fd, fcntl.F_GETFL) | os.O_ASYNC)


def _report_uncaught(connection: socket.socket, describe: Callable[[type[BaseException], BaseException], str]) -> None:
    """Report to the parent what ends the child: an unexpected exception leaves a state not to be reused."""

    def report(kind: type[BaseException], error: BaseException, _trace: types.TracebackType | None) -> None:
        with contextlib.suppress(ConnectionError):
            out_of_memory = issubclass(kind, MemoryError)
            _send(connection, _MEMORY_REPLY if out_of_memory else pickle.dumps((_ERROR, describe(kind, error))))

    sys.excepthook = report


def _limit_memory(memory_mb: int) -> None:
    """Limit the address space to what is in use now plus `memory_mb`; no core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        base = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:  # no /proc, as on macOS, whose kernel does not enforce the limit either
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = base + (memory_mb << 20)
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _wait_for_request(connection: socket.socket, parent: int) -> bool:
    """Wait; False when the process that started this one is gone though some fork of it still holds the socket."""
    while not select.select([connection], [], [], _IDLE_CHECK_S)[0]:
        if os.getppid() != parent:
            return False
    return True


def _answer(connection: socket.socket, run: Callable[..., Any]) -> bool:
    """Read one request, run it, reply; False when there is nothing more to read.

    Whatever else is raised, MemoryError included, ends this process through the exception hook.
    """
    request = _read(connection)
    if request is None:
        return False
    payload, args = pickle.loads(request)  # noqa: S301 - from our own parent
    started = time.process_time()
    try:
        result = run(payload, *args)
        reply = pickle.dumps((_RESULT, result, time.process_time() - started), protocol=pickle.HIGHEST_PROTOCOL)
    except BadRecord as error:
        reply = pickle.dumps((_BAD_RECORD, error.cause, error.detail))
    _send(connection, reply)
    return True


def _read(connection: socket.socket) -> bytearray | None:
    header = connection.recv(_HEADER.size, socket.MSG_WAITALL)
    if len(header) < _HEADER.size:
        return None
    buffer = bytearray(_HEADER.unpack(header)[0])
    if connection.recv_into(buffer, 0, socket.MSG_WAITALL) < len(buffer):
        return None
    return buffer


def _send(connection: socket.socket, frame: bytes) -> None:
    connection.sendall(_HEADER.pack(len(frame)))
    connection.sendall(frame)
