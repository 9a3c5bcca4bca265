"""Bytes and characters that UTF-8 cannot hold, in addresses, ids and names of files: as text that it can.

Arrow takes no lone surrogates, and U+FFFD would make different addresses one. So what does not fit is written out:
bytes of an address as `%E9`, as rule 9 of transforms/dedup/urls.py has it, all else with a backslash as `\\xe9`.
"""

from __future__ import annotations

import os
import re

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")  # of "surrogateescape"
_SURROGATE = re.compile("[\ud800-\udfff]")


def address_of_bytes(data: bytes) -> str:
    """Return an address; bytes that are not UTF-8 are percent-escaped."""
    text = data.decode("utf-8", "surrogateescape")
    return text if text.isascii() else _ESCAPED_BYTE.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", text)


def storable_address(text: str) -> str:
    """Return an address without lone surrogates: their three bytes are percent-escaped."""
    return text if text.isascii() else _SURROGATE.sub(_percent_escaped, text)


def storable(text: str) -> str:
    """Return an id or another short text without lone surrogates: each becomes `\\ud800`, as JSON writes it."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def storable_path(path: str) -> str:
    """Return the name of a file as tables hold it: bytes that are not UTF-8 become `\\xe9`. It does not open it."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def _percent_escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))
