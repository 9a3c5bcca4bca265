"""Keyed hashes: the only source of identity and of randomness in Winnow.

Every id comes from content and source, every random choice from the hash of an id and a named salt, so that a result
depends on neither worker, order, clock nor process. blake2b (RFC 7693) throughout; never the builtin `hash`.
"""

from __future__ import annotations

import hashlib

ID_BYTES = 16  # 128 bits: the chance of one collision in 10**12 documents is below 1e-14


def content_id(*parts: str | bytes) -> str:
    """Return the 32-character hexadecimal id of a sequence of parts; their boundaries count."""
    digest = hashlib.blake2b(digest_size=ID_BYTES)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def id_words(identifier: str) -> tuple[int, int]:
    """Return the 128 bits of an id of 32 hexadecimal digits as two 64-bit numbers, the higher first."""
    return int(identifier[:16], 16), int(identifier[16:], 16)


def id_text(high: int, low: int) -> str:
    """Return the id whose 128 bits are two 64-bit numbers: the inverse of `id_words`."""
    return f"{high:016x}{low:016x}"


def keyed_hash(salt: str, value: str | bytes) -> int:
    """Return an unsigned 64-bit hash of `value` under the named `salt` (at most 64 bytes of UTF-8)."""
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, key=salt.encode()).digest(), "little")


def keyed_fraction(salt: str, value: str | bytes) -> float:
    """Return a number in [0, 1) with 53 random bits, a function of `salt` and `value` alone."""
    return (keyed_hash(salt, value) >> 11) / (1 << 53)
