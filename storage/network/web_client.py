"""GET requests to web servers, through the session and the event loop of fsspec's HTTP file system.

Unlike that file system it asks for an address as it was given, names the status of an answer, takes no encoding that
hides a file's own bytes, and bounds silence, not duration: a file of a gigabyte may take hours.
"""

from __future__ import annotations

import os
import re
import ssl
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp
import yarl
from fsspec.implementations.http import HTTPFileSystem

from schemas.errors import InputError
from storage.network.remote import FinalAnswerError, NoConnectionError, StatusError, retry_after_s

CONNECT_S = 15.0  # for one connection, our value
SILENCE_S = 60.0  # without a byte, our value
_AS_GIVEN = string.punctuation  # `%` above all: an escape stays the escape that it is
_SHOWN = 120  # characters of an address or of a library's words
_CHECKSUMS = ("ETag", "Content-MD5", "Digest", "Last-Modified")
_NO_CODING = ("", "identity", "aws-chunked")  # the last is how a file came to S3, which some tools store with it
_HAS_FILE = (200, 203, 206)  # not 202 or 204: a firewall's challenge, or nothing
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class LocalWriteError(Exception):
    """The answer could not be written here: no error of the network, and no other attempt helps."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class Head:
    """The head of a successful answer."""

    status: int
    start: int  # of the bytes that are in the answer
    size: int | None  # bytes of the whole file; None when the server does not tell
    coding: str  # content coding of the bytes; '' for none
    checksums: dict[str, str]

    @property
    def is_range(self) -> bool:
        return self.status == 206


class WebFileSystem(HTTPFileSystem):  # type: ignore[misc]
    """fsspec's, which lists pages for globs, with our addresses and errors."""

    def encode_url(self, url: str) -> yarl.URL:
        return as_given(url)

    def _raise_not_found_for_status(self, response: Any, url: str) -> None:
        raise_for_status(response)


def web_filesystem() -> WebFileSystem:
    """Return the file system of all web addresses; FSSPEC_HTTP_... may set headers and options of the client."""
    return WebFileSystem(get_client=_client, use_listings_cache=False)


async def _client(**given: Any) -> aiohttp.ClientSession:
    """Return a session that follows a redirect to the very address given, through the proxies of the environment."""
    return aiohttp.ClientSession(**{"requote_redirect_url": False, "trust_env": True, **given})


def as_given(address: str) -> yarl.URL:
    """Return an address as it is to be asked for: only what a request cannot hold (blanks, letters beyond ASCII) is
    escaped. Another spelling of an escape is another address where a signature covers it. Raises InputError for what
    is no address."""
    try:
        parts = urlsplit(address)
        if not parts.netloc.isascii():
            address = urlunsplit(parts._replace(netloc=parts.netloc.encode("idna").decode()))
        url = yarl.URL(quote(address, safe=_AS_GIVEN), encoded=True)
        _ = url.host, url.port
    except ValueError as error:
        raise InputError(f"{address}: is not a web address: {error}") from None
    if not url.host:
        raise InputError(f"{address}: is not a web address: it names no server")
    return url


def raise_for_status(response: aiohttp.ClientResponse) -> None:
    """Raise StatusError unless the answer is the file, or a part of it."""
    if response.status not in _HAS_FILE:
        reason = response.reason or ""
        if 300 <= response.status < 400:
            reason = f"{reason}, a redirect without an address".removeprefix(", ")
        raise StatusError(response.status, reason, retry_after_s(response.headers))


async def get(
    fs: WebFileSystem,
    address: str,
    wanted: tuple[int, int] | None,
    sink: Callable[[Head], IO[bytes] | None],
    total_s: float | None = None,
) -> Head:
    """Ask for an address, write the body to what `sink` returns for its head, and return the head.

    `wanted` is a range of bytes, end excluded; the answer may be the whole file all the same. When `sink` returns None
    the body is left unread. `total_s` bounds the whole request. Raises StatusError, NoConnectionError, OSError and
    aiohttp.ClientError for what the network does, LocalWriteError for what the disk does.
    """
    options = dict(fs.kwargs)
    headers = {**options.pop("headers", {}), "Accept-Encoding": "identity"}
    if wanted is not None:
        headers["Range"] = f"bytes={wanted[0]}-{wanted[1] - 1}"
    timeout = aiohttp.ClientTimeout(total=total_s, sock_connect=CONNECT_S, sock_read=SILENCE_S)
    session = await fs.set_session()
    request = session.get(as_given(address), headers=headers, timeout=timeout, auto_decompress=False, **options)
    try:
        async with request as response:
            if response.status == 416 and wanted is not None and wanted[0] == 0:  # of no bytes there is no first one
                return await get(fs, address, None, sink, total_s)
            raise_for_status(response)
            head = _head(response, wanted)
            file = sink(head)
            if file is not None:
                await _receive(response, head, wanted, file)
            elif not head.is_range:
                response.close()  # else the whole file would be read to keep the connection
            return head
    except aiohttp.TooManyRedirects as error:
        raise FinalAnswerError(f"redirected in a loop ({len(error.history)} times)") from error
    except (aiohttp.NonHttpUrlClientError, aiohttp.InvalidURL) as error:
        target = str(error)[:_SHOWN]
        raise FinalAnswerError(f"redirected to {target}, which is not followed") from error
    except aiohttp.ClientResponseError as error:  # ours is another: this is the parser's
        said = error.message.splitlines()[0].strip(" :")[:_SHOWN] if error.message else ""
        raise OSError(f"the answer is not HTTP{f' ({said})' if said else ''}") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise ssl.SSLCertVerificationError(1, f"its certificate is not trusted: {error.certificate_error}") from error
    except aiohttp.ClientConnectorError as error:
        raise NoConnectionError(f"no connection to {error.host}:{error.port}: {_reason(error)}") from error
    except aiohttp.ConnectionTimeoutError as error:
        host = urlsplit(address).netloc.rpartition("@")[2]
        raise NoConnectionError(f"no connection to {host}: no answer in time") from error


def _reason(error: aiohttp.ClientConnectorError) -> str:
    code = error.os_error.errno or 0
    if isinstance(error, aiohttp.ClientSSLError) or code <= 0:  # its numbers, and those of name servers, are their own
        return error.os_error.strerror or str(error.os_error)
    return os.strerror(code)


def _head(response: aiohttp.ClientResponse, wanted: tuple[int, int] | None) -> Head:
    length = response.headers.get("Content-Length", "")
    size, start = (int(length) if length.isdecimal() else None), 0
    if response.status == 206:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if wanted is None or found is None or found[1] is None or int(found[1]) != wanted[0]:
            raise OSError(f"answered with other bytes: {response.headers.get('Content-Range', 'no Content-Range')}")
        start, size = wanted[0], (None if found[2] == "*" else int(found[2]))
    codings = [part.strip().lower() for part in response.headers.get("Content-Encoding", "").split(",")]
    coding = ", ".join(part for part in codings if part not in _NO_CODING)
    checksums = {name: response.headers[name] for name in _CHECKSUMS if response.headers.get(name)}
    return Head(response.status, start, size, coding, checksums)


async def _receive(
    response: aiohttp.ClientResponse, head: Head, wanted: tuple[int, int] | None, file: IO[bytes]
) -> None:
    """Write the body of an answer to `file`. Raises OSError when it breaks off."""
    got, expected = 0, head.size
    if head.is_range and wanted is not None:
        expected = min(wanted[1], wanted[1] if head.size is None else head.size) - wanted[0]
    try:
        async for chunk in response.content.iter_any():
            got += len(chunk)
            try:
                file.write(chunk)
            except OSError as error:
                raise LocalWriteError(error) from error
    except aiohttp.ClientPayloadError as error:
        raise OSError(_broke_off(got, expected)) from error
    if expected is not None and got != expected:
        raise OSError(_broke_off(got, expected))


def _broke_off(got: int, expected: int | None) -> str:
    return f"broke off after {got:,}{'' if expected is None else f' of {expected:,}'} bytes"
