"""Remote stores over fsspec: their file systems, retries, and replacements where fsspec needs too many requests."""

from __future__ import annotations

import email.utils
import errno
import io
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import fsspec
from fsspec.core import split_protocol

from schemas.distribution import install_line
from schemas.errors import InputError, RunError, WinnowError

T = TypeVar("T")

UPLOAD_BYTES = 16 << 20  # of one request of a large upload; a few are in memory at a time
ATTEMPTS = 4  # of a remote call, with 1, 2 and 4 seconds between them
PAUSE_S = 1.0  # before the second attempt; doubled before each that follows
PATIENCE_S = 120.0  # no new attempt after this long: a server that answers nothing costs the library's 75 s for each
MESSAGE_CHARS = 300  # of what a library says: some put a whole answer into it
LONGEST_PAUSE_S = 60.0  # of one pause, however long a server's Retry-After is

_DELETED_AT_ONCE = 1000  # S3's own limit
S3, GCS, HUB = ("s3", "s3a"), ("gs", "gcs"), ("hf",)
# Errors that are no OSError, by the module they are from; only a module that is loaded can have raised one.
_GCS_ERRORS = (("gcsfs.retry", "HttpError"),)
_HUB_ERRORS = (("huggingface_hub.errors", "HfHubHTTPError"),)
_NETWORK = (
    ("aiohttp", "ClientError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("httpx", "HTTPError"),  # of huggingface_hub
    ("httpx2", "HTTPError"),
    *_GCS_ERRORS,
)
_REFUSED = (
    ("botocore.exceptions", "NoCredentialsError"),
    ("botocore.exceptions", "ParamValidationError"),
    ("google.auth.exceptions", "DefaultCredentialsError"),
)
_EXTRAS = {"gs": "gcp", "gcs": "gcp", "s3": "s3", "s3a": "s3", "hf": "hf"}


_WEB = ("http", "https")
_TRANSIENT = (408, 425, 429)  # of the statuses 4xx: request timeout, too early, too many requests


class StatusError(OSError):
    """A web server's answer that is not a success."""

    def __init__(self, status: int, phrase: str, retry_after_s: float = 0.0) -> None:
        super().__init__(f"HTTP {status} {phrase}".rstrip())
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def is_final(self) -> bool:
        return self.status < 500 and self.status not in _TRANSIENT


class FinalAnswerError(OSError):
    """A server answered with something that is no file, and will again: a redirect to nowhere."""


class NoConnectionError(ConnectionError):
    """No connection to a server could be made: none listens there, its name is unknown, or there is no network."""


def retry_after_s(headers: Any) -> float:
    """Return the seconds that an answer's Retry-After asks for, 0 for none.

    A date is compared with the server's own clock (`Date`) if the answer tells it, else with ours.
    """
    text = str(headers.get("Retry-After", "")).strip()
    if text.isdecimal():
        return float(text)
    try:
        then = email.utils.parsedate_to_datetime(text).timestamp()
    except ValueError:
        return 0.0
    try:
        now = email.utils.parsedate_to_datetime(str(headers.get("Date", ""))).timestamp()
    except ValueError:
        now = time.time()
    return max(0.0, then - now)


def protocol_of(path: str) -> str:
    """Return the protocol of a path, `file` when it names none."""
    return str(split_protocol(path)[0] or "file")


def is_web(path: str) -> bool:
    """Return whether a path is an address of a web server."""
    return protocol_of(path) in _WEB


def filesystem(path: str) -> Any:
    """Return the fsspec file system of a remote path, without caches of listings: another worker may have written."""
    protocol = protocol_of(path)
    # Of the Hub a listing is kept, and asked for anew whenever we list: without it each file costs one of its folder.
    options = {} if protocol in ("memory", *HUB) else {"use_listings_cache": False}
    try:
        if protocol in _WEB:
            from storage.network.web_client import web_filesystem  # it imports aiohttp, which most commands never need

            return web_filesystem()
        fs = fsspec.filesystem(protocol, **options)
    except ImportError as error:
        extra = _EXTRAS.get(protocol)
        hint = install_line(extra) if extra else str(error)
        raise InputError(f"{path}: {protocol}:// needs a package that is not installed: {hint}") from error
    except ValueError as error:
        raise InputError(f"{path}: {protocol}:// is no known kind of storage") from error
    if protocol in S3:
        fs.retries = 1  # botocore's five attempts times ATTEMPTS are enough: 5 * 5 * 4 would take hours
    return fs


def upload_options(path: str) -> dict[str, int]:
    if protocol_of(path) in S3:
        return {"chunksize": UPLOAD_BYTES, "max_concurrency": 4}
    return {"chunksize": UPLOAD_BYTES} if protocol_of(path) in GCS else {}


def _loaded(names: tuple[tuple[str, str], ...]) -> tuple[type[Exception], ...]:
    modules = ((sys.modules.get(module), name) for module, name in names)
    return tuple(getattr(module, name) for module, name in modules if module is not None)


READ: tuple[str, type[WinnowError]] = ("read", InputError)
WRITE: tuple[str, type[WinnowError]] = ("written", RunError)


def retry(path: str, call: Callable[[], T], doing: tuple[str, type[WinnowError]] = READ) -> T:
    """Return `call()`, tried again after network errors; missing files, refusals and wrong requests are final.

    The pause before another attempt is doubled each time, or as long as the server asks for (Retry-After), within
    LONGEST_PAUSE_S.
    """
    word, kind = doing
    started = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return call()
        except _errors(path) as error:
            if _is_final(error):
                raise kind(f"{path}: cannot be {word}: {_one_line(error)}") from error
            if attempt == ATTEMPTS or time.monotonic() - started > PATIENCE_S:
                tries = f"{attempt} attempt{'s' if attempt > 1 else ''}"
                raise kind(f"{path}: cannot be {word} after {tries}: {_one_line(error)}") from error
            asked_s = min(getattr(error, "retry_after_s", 0.0), LONGEST_PAUSE_S)
            time.sleep(max(asked_s, PAUSE_S * 2 ** (attempt - 1)))
    raise AssertionError("unreachable")


def _errors(path: str) -> tuple[type[Exception], ...]:
    """Return the errors of a failed call to a store, and of reading a damaged compressed answer."""
    # ValueError: gcsfs' word for some answers 400, and huggingface_hub's for addresses that name no repository;
    # NotImplementedError: its word for addresses above a repository, whose lists it does not give.
    bad_request: tuple[type[Exception], ...] = {"gs": (ValueError,), "gcs": (ValueError,)}.get(protocol_of(path), ())
    if protocol_of(path) in HUB:
        bad_request = (ValueError, NotImplementedError)
    return (OSError, EOFError, *_loaded(_NETWORK), *bad_request)


def _is_final(error: Exception) -> bool:
    """Return whether another attempt cannot succeed: missing, forbidden, or a request that is wrong itself."""
    if isinstance(
        error,
        (FileNotFoundError, PermissionError, FinalAnswerError, ValueError, NotImplementedError, *_loaded(_REFUSED)),
    ):
        return True
    if isinstance(error, StatusError):
        return error.is_final
    if isinstance(error, _loaded(_HUB_ERRORS)):
        status = error.response.status_code  # type: ignore[attr-defined]
        return bool(400 <= status < 500 and status not in (408, 429))
    code = str(getattr(error, "code", "")) if isinstance(error, _loaded(_GCS_ERRORS)) else ""
    refused = code.startswith("4") and code not in ("408", "429")
    return refused or str(error).startswith("Forbidden: ")  # an OSError of gcsfs


def _one_line(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not str(error):  # fsspec's own has no words
        return "no answer in time"
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= MESSAGE_CHARS else f"{text[:MESSAGE_CHARS]}..."


def with_protocol(fs: Any, path: str) -> str:
    return str(fs.unstrip_protocol(path))


def or_none(call: Callable[[], T]) -> T | None:
    """Return `call()`, None when there is nothing at the path."""
    try:
        return call()
    except FileNotFoundError:
        return None


def list_s3(fs: Any, start: str, delimiter: str = "") -> dict[str, int]:
    """Return path and bytes of the objects whose paths begin with `start`; with a delimiter, folders as well.

    Not `fs.ls`: of a folder that is not there it lists the whole folder above. The empty object that some tools make
    for a folder is left out where `start` is that folder.
    """
    bucket, prefix, _ = fs.split_path(start)
    wanted = {"Bucket": bucket, "Prefix": prefix, **({"Delimiter": delimiter} if delimiter else {})}
    found: dict[str, int] = {}
    while True:
        page: dict[str, Any] = or_none(lambda: fs.call_s3("list_objects_v2", **wanted)) or {}
        folders = [(entry["Prefix"], 0) for entry in page.get("CommonPrefixes", [])]
        objects = [(entry["Key"], int(entry["Size"])) for entry in page.get("Contents", [])]
        here = prefix if prefix.endswith("/") else ""
        found.update((f"s3://{bucket}/{key}", size) for key, size in folders + objects if key != here)
        if not page.get("IsTruncated"):
            return found
        wanted["ContinuationToken"] = page["NextContinuationToken"]


def remove_s3(fs: Any, path: str) -> None:
    """Remove the object at `path` and those beneath it; where there are none that takes one request."""
    bucket, stem, _ = fs.split_path(path.rstrip("/"))
    listed = [name.split("/", 3)[-1] for name in list_s3(fs, f"s3://{bucket}/{stem}")]  # neighbours begin alike, too
    keys = [key for key in listed if key == stem or key.startswith(f"{stem}/")]
    for first in range(0, len(keys), _DELETED_AT_ONCE):
        objects = [{"Key": key} for key in keys[first : first + _DELETED_AT_ONCE]]
        response = fs.call_s3("delete_objects", Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        for error in response.get("Errors", [])[:1]:
            raise OSError(errno.EIO, f"{error.get('Key')}: {error.get('Message') or error.get('Code')}")


class RemoteFile(io.RawIOBase):
    """A seekable remote file whose reads are retried and whose errors are InputErrors."""

    def __init__(self, path: str, remote: Any) -> None:
        self._path = path
        self._remote = remote

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return int(self._remote.seek(offset, whence))

    def tell(self) -> int:
        return int(self._remote.tell())

    def readinto(self, buffer: Any, /) -> int:
        place = self._remote.tell()

        def read() -> bytes:
            self._remote.seek(place)
            return bytes(self._remote.read(len(buffer)))

        data = retry(self._path, read)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._remote.close()
        super().close()
