"""The lock of a folder in an object store: a lease, an object that its holder renews while it lives.

It is taken by a conditional write (storage/conditional.py), so of two takers one wins. Whoever finds it held and not
renewed for LEASE_S, by the store's clock, takes it over in the same way, as it does at once when it can see that the
holder was a process of this machine and has ended. A holder that finds its lease taken, or cannot renew it in time,
stops its run: another may be writing by then.
"""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import storage
from pipelines.locks.holder import Holder
from schemas.errors import LockHeldError, RunError, WinnowError
from storage.conditional import ABSENT, ConditionalObject, Seen, conditional

LEASE_S = 600.0  # without a renewal, then it is free (ours)
RENEW_S = 60.0  # between renewals (ours)
PATIENCE_S = 10.0  # at the end, for a renewal under way (ours)
SETTLE_S = 2.0  # where a store knows no conditions: a rival that looked when we did has written after this time (ours)
_FREE = b"{}"


class _LostError(BaseException):
    """Raised in the main thread; not an Exception, so that no handler in a library catches it."""


@contextlib.contextmanager
def leased(path: str, mark: str, folder: str) -> Iterator[None]:
    """Hold the lease at `path` while the block lasts; errors name `folder`.

    LockHeldError when another holds it, RunError when it is lost within the block. The object stays where `mark` is.
    """
    lease = Lease(path, folder)
    lease.take()
    try:
        with _stopped_when_lost(lease):
            lease.keep()
            yield
    except _LostError:
        raise lease.failure() from None
    finally:
        lease.release(keep=not lease.made or _is_there(mark))
    if lease.lost:
        raise lease.failure()


class Lease:
    """One holding of one lease."""

    def __init__(self, path: str, folder: str) -> None:
        self.lost = ""  # why it is not ours any more
        self.made = False  # whether there was no object before
        self.on_loss: Callable[[], None] = lambda: None  # called by the thread that renews
        self._folder = folder
        self._object: ConditionalObject = conditional(path)
        self._holder = Holder.us()
        self._token = secrets.token_hex(8)
        self._renewals = 0
        self._version = ABSENT
        self._renewed = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew_on, name="lease", daemon=True)

    def take(self) -> None:
        """Take the lease, or raise LockHeldError naming who holds it."""
        seen = self._object.read()
        if seen is not None and not _is_free(seen):
            raise self._held(seen)
        self.made = seen is None
        version = self._object.put(self._body(), seen.version if seen else ABSENT)
        if version is None:
            raise self._held(self._object.read())
        self._version, self._renewed = version, time.monotonic()
        if not self._is_exclusive():
            self._settle()

    def keep(self) -> None:
        """Renew it from now on in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Renew it no more."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_S)

    def release(self, *, keep: bool) -> None:
        """Let go of it, so that the next run need not wait; remove the object unless it is to be kept."""
        self.stop()
        if self.lost or self._thread.is_alive():
            return
        with contextlib.suppress(WinnowError):  # then it runs out by itself
            if keep:
                self._object.put(_FREE, self._version)
            else:
                self._object.remove()  # while it is ours: nobody else touches it

    def failure(self) -> RunError:
        return RunError(f"{self._folder}: the lock was lost: {self.lost}; run the same command again to go on")

    def _body(self) -> bytes:
        # Its bytes change with each renewal: S3's version is a hash of them.
        own = {"token": self._token, "renewals": self._renewals, "lease_s": LEASE_S}
        return json.dumps({**self._holder.to_plain(), **own}).encode()

    def _is_exclusive(self) -> bool:
        """Return whether the store honours conditions: some take the header and pass over it."""
        if not self._object.is_atomic:
            return False
        self._renewals += 1
        version = self._object.put(self._body(), ABSENT)
        if version is not None:
            self._version = version
        return version is None

    def _settle(self) -> None:
        """Where the last writer wins, see who that was."""
        time.sleep(SETTLE_S)
        seen = self._object.read()
        if seen is None or _plain(seen).get("token") != self._token:
            raise self._held(seen)
        self._version = seen.version

    def _held(self, seen: Seen | None) -> LockHeldError:
        plain = _plain(seen) if seen else {}
        name = Holder.parse(plain) or "unknown process"
        age = f", heard of {seen.age_s:.0f} s ago; without renewal free in {_left(seen):.0f} s" if seen else ""
        return LockHeldError(f"{self._folder}: another run is going on here ({name}{age})")

    def _renew_on(self) -> None:
        while not self._ended.wait(RENEW_S):
            self._renew()
            if self.lost:
                if not self._ended.is_set():
                    self.on_loss()
                return

    def _renew(self) -> None:
        self._renewals += 1
        try:
            version = self._object.put(self._body(), self._version)
            if version is None:
                seen = self._object.read()
                taker = Holder.parse(_plain(seen)) if seen else None
                self.lost = f"taken over by {taker}" if taker else "its object was removed or overwritten"
                return
        except WinnowError as error:
            silent = time.monotonic() - self._renewed
            if silent > LEASE_S - 2 * RENEW_S:
                self.lost = f"not renewed for {silent:.0f} s: {error}"
            return
        self._version, self._renewed = version, time.monotonic()


@contextlib.contextmanager
def _stopped_when_lost(lease: Lease) -> Iterator[None]:
    """Raise _LostError in the main thread when the lease is lost; elsewhere the end of the block tells of it."""
    main = threading.main_thread()
    if threading.current_thread() is not main or main.ident is None:
        yield
        return
    ident, over = main.ident, threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not over.is_set():
            raise _LostError

    before = signal.signal(signal.SIGUSR2, stop)
    lease.on_loss = functools.partial(signal.pthread_kill, ident, signal.SIGUSR2)
    try:
        yield
    finally:
        over.set()
        lease.stop()
        signal.signal(signal.SIGUSR2, before)


def _is_there(path: str) -> bool:
    try:
        return storage.exists(path)
    except WinnowError:  # then the error within the block is the one to tell
        return True


def _is_free(seen: Seen) -> bool:
    holder = Holder.parse(_plain(seen))
    return seen.data == _FREE or (holder is not None and holder.is_dead) or _left(seen) <= 0


def _left(seen: Seen) -> float:
    """Return the seconds until a lease that is not renewed runs out."""
    told = _plain(seen).get("lease_s")
    return (float(told) if isinstance(told, (int, float)) else LEASE_S) - seen.age_s


def _plain(seen: Seen) -> dict[str, object]:
    try:
        plain = json.loads(seen.data)
    except ValueError:
        return {"unreadable": True}
    return plain if isinstance(plain, dict) else {"unreadable": True}
