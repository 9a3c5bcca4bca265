"""Conditional writes of one small object: put only if there is none, replace only what was read.

S3 has them as If-None-Match and If-Match on a PUT (since November 2024), Google's store as ifGenerationMatch. Both
report the age of an object by their own clock: Date and Last-Modified of one answer. Other stores (`memory://`, other
libraries of fsspec) need two steps, compare and put, and `is_atomic` is then False.
"""

from __future__ import annotations

import email.utils
import hashlib
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fsspec.asyn import sync

from storage.network.remote import GCS, S3, WRITE, filesystem, or_none, protocol_of, retry

ABSENT = ""  # the version of what is not there
_REFUSED = (404, 409, 412)  # gone meanwhile, another write at the same time, condition not met


@dataclass(frozen=True)
class Seen:
    """An object as it was read."""

    data: bytes
    version: str
    age_s: float  # since it was written, by the store's clock


class ConditionalObject(ABC):
    """One object of a store."""

    is_atomic: bool  # whether of two writers under the same condition only one can win

    def __init__(self, path: str) -> None:
        self.path = path
        self.fs = filesystem(path)

    def read(self) -> Seen | None:
        """Return what is there. InputError when that cannot be known."""
        return retry(self.path, lambda: or_none(self._read))

    def put(self, data: bytes, version: str) -> str | None:
        """Write if what is there has `version`; return the new one, None if refused. RunError when the store fails."""
        put = retry(self.path, lambda: self._put(data, version), WRITE)
        if put is None:
            # A write whose answer was lost is tried again by the library, and refused by what it wrote itself.
            now = self.read()
            return now.version if now is not None and now.data == data else None
        return put

    def remove(self) -> None:
        """Remove it unconditionally."""
        retry(self.path, lambda: or_none(lambda: self.fs.rm_file(self.path)), WRITE)

    @abstractmethod
    def _read(self) -> Seen:
        """Return what is there, by one request."""

    @abstractmethod
    def _put(self, data: bytes, version: str) -> str | None:
        """Write if what is there has `version`, by one request; return the new version, None if refused."""


def conditional(path: str) -> ConditionalObject:
    """Return the object at a remote path."""
    if protocol_of(path) in S3:
        return _S3Object(path)
    return _GcsObject(path) if protocol_of(path) in GCS else _PlainObject(path)


class _S3Object(ConditionalObject):
    is_atomic = True

    def __init__(self, path: str) -> None:
        super().__init__(path)
        bucket, key, _ = self.fs.split_path(path)
        self._where = {"Bucket": bucket, "Key": key}

    def _read(self) -> Seen:
        answer = self.fs.call_s3("get_object", **self._where)
        data = sync(self.fs.loop, answer["Body"].read)
        now = _parse(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
        return Seen(data, answer["ETag"], _age(answer["LastModified"], now))

    def _put(self, data: bytes, version: str) -> str | None:
        condition = {"IfNoneMatch": "*"} if version == ABSENT else {"IfMatch": version}
        try:
            return str(self.fs.call_s3("put_object", **self._where, Body=data, **condition)["ETag"])
        except OSError as error:
            response = getattr(error.__cause__, "response", None) or {}
            if response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _REFUSED and not _no_bucket(response):
                return None
            raise


class _GcsObject(ConditionalObject):
    is_atomic = True

    def _read(self) -> Seen:
        bucket, key, _ = self.fs.split_path(self.path)
        headers, data = self.fs.call("GET", "b/{}/o/{}", bucket, key, alt="media")
        modified, now = _parse(headers.get("Last-Modified")), _parse(headers.get("Date"))
        return Seen(data, str(headers["X-Goog-Generation"]), _age(modified, now))

    def _put(self, data: bytes, version: str) -> str | None:
        bucket, key, _ = self.fs.split_path(self.path)
        condition = {"ifGenerationMatch": version if version != ABSENT else "0"}
        uploads = f"{self.fs._location}/upload/storage/v1/b/{bucket}/o"  # `pipe_file` knows only "if absent"
        try:
            response = self.fs.call(
                "POST", uploads, uploadType="media", name=key, data=data, json_out=True, **condition
            )  # fmt: skip
        except FileExistsError:  # gcsfs' word for 412
            return None
        return str(response["generation"])


class _PlainObject(ConditionalObject):
    is_atomic = False

    def _read(self) -> Seen:
        data = bytes(self.fs.cat_file(self.path))
        modified = self.fs.modified(self.path)
        return Seen(data, _digest(data), max(0.0, time.time() - modified.timestamp()))

    def _put(self, data: bytes, version: str) -> str | None:
        seen = or_none(self._read)
        if (seen.version if seen else ABSENT) != version:
            return None
        self.fs.pipe_file(self.path, data)
        return _digest(data)


def _no_bucket(response: Any) -> bool:
    return bool(response.get("Error", {}).get("Code") == "NoSuchBucket")


def _parse(header: str | None) -> datetime | None:
    return email.utils.parsedate_to_datetime(header) if header else None


def _age(modified: datetime | None, now: datetime | None) -> float:
    """Return the seconds between two readings of the store's clock; 0, which is never too old, if one is missing."""
    return max(0.0, (now - modified).total_seconds()) if now and modified else 0.0


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
