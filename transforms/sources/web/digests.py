"""Digests of payloads: as archives declare them, in one spelling, and computed where they do not."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from transforms.sources.items import RawRecord
from transforms.sources.web.http import Head

_SHA1_HEX = re.compile(r"[0-9a-fA-F]{40}")


def _spellings(digest: bytes) -> set[str]:
    """Return a digest in hexadecimal, base 32 and base 64, with and without padding, in small letters."""
    codes = (base64.b16encode, base64.b32encode, base64.b64encode, base64.urlsafe_b64encode)
    padded = {code(digest).decode().lower() for code in codes}
    return padded | {spelling.rstrip("=") for spelling in padded}


_OF_NOTHING = frozenset(
    spelling
    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s")
    for spelling in _spellings(hashlib.new(name, b"", usedforsecurity=False).digest())
)


def normalise_digest(digest: str) -> str:
    """Return a declared digest as `algorithm:value`, SHA-1 always in upper-case base 32; '' of none."""
    algorithm, colon, value = digest.strip().partition(":")
    if not colon or not value.strip():
        return ""
    algorithm, value = algorithm.strip().lower().replace("sha-", "sha"), value.strip()
    if algorithm != "sha1":
        return f"{algorithm}:{value}"
    if _SHA1_HEX.fullmatch(value):
        value = base64.b32encode(binascii.unhexlify(value)).decode()
    return f"sha1:{value.upper()}"


def is_of_nothing(digest: str) -> bool:
    """Return whether a digest is that of no bytes at all, whatever its algorithm and its spelling.

    Archives declare it over bodies that are not empty: computed before the body came, or of a body kept elsewhere. As
    the digest of many pages it would make copies of all of them.
    """
    return digest.rpartition(":")[2].lower() in _OF_NOTHING


def payload_digest(raw: RawRecord, head: Head) -> str:
    """Return the SHA-1 of the body as stored, as crawlers compute WARC-Payload-Digest."""
    digest = hashlib.sha1(memoryview(raw.block)[head.body_start :], usedforsecurity=False).digest()
    return f"sha1:{base64.b32encode(digest).decode()}"
