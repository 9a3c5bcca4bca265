"""What is put in the place of a span: a function of what it was and of a key, or a fixed tag.

e-mail    `name4711@example.net`, three domains (RFC 2606)
IP        192.0.2.x, 198.51.100.x, 203.0.113.x (RFC 5737); 2001:db8::x (RFC 3849)
login     `name4711:password`
numbers   the digits are zeros but for the last four, letters are X; separators and the country of an IBAN stay:
          `+00 00 004711`, `GB00 XXXX 0000 0000 0047 11`
keys      all is X but for the last four signs and what each key of the service begins with: `ghp_XXXX...4711`
The same value has the same replacement everywhere. There are few of them, at most 30,000 for the values of a kind that
are written alike (length, separators, letters in the same places), so that nobody who knows the key can find the value
again by trying all values there are. No detector finds a replacement: redacting twice changes nothing more.

Deviations. datatrove rotates its replacements within a process, so its output depends on sharding, and its six
addresses belong to other people. Dolma and BigCode write placeholders, as the action `tag` does: tokens that no model
should learn from prose.
"""

from __future__ import annotations

import ipaddress
import re

from schemas.identity import keyed_hash
from transforms.safety.pii.emails import EMAIL, plain_email
from transforms.safety.pii.ip_addresses import IPV4, IPV6
from transforms.safety.pii.numbers.accounts import IBAN
from transforms.safety.pii.secrets import LOGIN, prefix_length
from transforms.safety.pii.spans import SECRETS, Span

_DOCUMENTATION = ("192.0.2", "198.51.100", "203.0.113")
MOST = 30_000  # replacements of the values of a kind that are written alike; a multiple of 10,000 (ours)
_HASHED = 4  # digits at the end
_PRIVATE_KEY = "private_key"
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


def replacement(match: str, span: Span, key: str) -> str:
    """Return what takes the place of `match`, which `span` is of."""
    kind = span.kind
    number = keyed_hash(f"pii:{kind:.11}:{key}", plain_value(match, kind)) % MOST  # a salt has 64 bytes
    if kind == EMAIL:
        return f"name{number // 3:04d}@example.{('com', 'net', 'org')[number % 3]}"
    if kind == IPV4:
        return f"{_DOCUMENTATION[number % 3]}.{number // 3 % 254 + 1}"
    if kind == IPV6:
        return f"2001:db8::{number + 1:x}"
    if kind == LOGIN:
        return f"name{number % 10_000:04d}:password"
    if kind == _PRIVATE_KEY:
        return f"\nXXXXXXXXXXXX{number % 10_000:04d}\n"
    if span.group == SECRETS:
        kept = prefix_length(match, kind)
        return f"{match[:kept]}{'X' * (len(match) - kept - _HASHED)}{number % 10_000:04d}"
    kept = 2 if kind == IBAN else 0
    return match[:kept] + _masked(match[kept:], f"{number % 10_000:04d}")


def tag(span: Span, form: str) -> str:
    """Return the fixed tag of a span: `form` with `{kind}` filled in."""
    return form.replace("{kind}", span.kind.upper())


def plain_value(match: str, kind: str) -> str:
    """Return the one form of a value however it was written: two matches of one form are one value."""
    if kind == EMAIL:
        return plain_email(match)
    if kind == IPV6:
        return ipaddress.IPv6Address(match).compressed
    if kind in (IPV4, LOGIN):
        return match.lower()
    return "".join(_LETTER_OR_DIGIT.findall(match))


def _masked(match: str, last: str) -> str:
    """Return `match` with zeros and X's, and `last` in the place of its last digits; after letters alone, of those."""
    places = [at for at, sign in enumerate(match) if sign.isdigit()]
    if len(places) < _HASHED:
        places = [at for at, sign in enumerate(match) if sign.isalnum()]
    signs = ["0" if sign.isdigit() else "X" if sign.isalpha() else sign for sign in match]
    for at, digit in zip(places[-_HASHED:], last, strict=False):
        signs[at] = digit
    return "".join(signs)
