"""POST requests of JSON to web servers, with the errors that `retry` of remote.py and a caller's own loop know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from schemas.errors import InputError
from storage.network.remote import FinalAnswerError, NoConnectionError, StatusError, retry_after_s
from storage.network.web_client import CONNECT_S, as_given

_SHOWN = 300  # characters of what a server says


class RefusedError(StatusError):
    """An answer that is not a success, with what the server says about it."""

    def __init__(self, status: int, phrase: str, retry_after: float, said: str) -> None:
        super().__init__(status, phrase, retry_after)
        self.said = said

    def __str__(self) -> str:
        return f"{super().__str__()}{f': {self.said}' if self.said else ''}"


def json_session(headers: Mapping[str, str], connections: int) -> aiohttp.ClientSession:
    """Return a session for so many requests at a time, through the proxies of the environment. To be closed."""
    return aiohttp.ClientSession(
        headers=dict(headers), connector=aiohttp.TCPConnector(limit=connections), trust_env=True
    )


async def post_json(session: aiohttp.ClientSession, address: str, body: Any, total_s: float) -> Any:
    """Send JSON and return the JSON of the answer.

    Raises RefusedError for another status than 200, FinalAnswerError for an answer that is no JSON, NoConnectionError,
    TimeoutError and other OSErrors for what the network does, InputError for what is no address.
    """
    url = as_given(address)
    timeout = aiohttp.ClientTimeout(total=total_s, sock_connect=CONNECT_S)
    try:
        async with session.post(url, json=body, timeout=timeout, allow_redirects=False) as response:
            data = await response.read()
            if response.status != 200:
                raise RefusedError(response.status, response.reason or "", retry_after_s(response.headers), _said(data))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise NoConnectionError(f"no connection to {url.host}:{url.port}: {error}") from error
    except (aiohttp.NonHttpUrlClientError, aiohttp.InvalidURL) as error:
        raise InputError(f"{address}: is not a web address: {error}") from None
    except aiohttp.ClientError as error:  # the connection broke, or what came is not HTTP
        raise OSError(f"the answer broke off: {type(error).__name__} {error}".rstrip()) from error
    try:
        return json.loads(data)
    except ValueError:
        raise FinalAnswerError(f"answered with something that is no JSON: {_said(data)!r}") from None


def _said(data: bytes) -> str:
    """Return the message in the body of an error, in one line."""
    text = data[: 20 * _SHOWN].decode("utf-8", "replace")
    try:
        plain = json.loads(data)
        error = plain.get("error", plain) if isinstance(plain, dict) else plain
        text = str(error.get("message", text) if isinstance(error, dict) else error)
    except (ValueError, RecursionError):
        pass  # a page of HTML: as it is
    return " ".join(text.split())[:_SHOWN]
