"""Public IP addresses.

Found: IPv4 and IPv6 that `ipaddress` accepts and calls global, multicast excepted; a compressed IPv6 (`::`) must lie
in 2000::/3, the range that IANA allocates, since program text is full of `a::b`.
Not found: private and documentation addresses, which our replacements are; version-like numbers: part of a longer
dotted number, after `version`, `v`, `release`, `section`, ... or `Product/`, `name-`, before `-beta`; four one-digit
numbers at the start of a line before a heading; MAC addresses, times and key fingerprints, which are not IPv6 addresses
or have at most two digits in each group.
`POSSIBLE` alone: four numbers below 100 without a word of networks (DNS, host, ping, ...), a port or a prefix length
beside them: releases, sections, enzymes and path data of drawings look the same. Of all addresses 2.3% are such.

Deviations. datatrove has no IPv6. BigCode skips every one-digit quad (1.1.1.1) not near `dns` or `server`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from transforms.safety.pii.spans import IP_ADDRESSES, POSSIBLE, PROVEN, Span

IPV4, IPV6 = "ipv4", "ipv6"

# Both begin with one literal character, which the engine finds with a plain scan: 1 ns a character.
_DOTTED = re.compile(r"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9A-Za-z_])(?!\.[0-9])(?!-[A-Za-z])")
_FIRST_NUMBER = re.compile(r"(?<![0-9A-Za-z_.])(?<![A-Za-z]-)[0-9]{1,3}\Z")
_LOCAL_NEXT = re.compile("[._+'\\-]*[@\uff20]")  # what comes before is the local part of something
_COLONS = re.compile(r":(?::|[0-9A-Fa-f]{1,4}:)")
_HEX_START = re.compile(r"[0-9A-Fa-f:.]*\Z")
_HEX_END = re.compile(r"[0-9A-Fa-f:.]*")
_VERSION = re.compile(
    r"[\s(\[](?:v|ver|vers|versions?|release|rel|rev|revision|build|firmware|sections?|sec|clause|chapter|figure|table|"
    r"appendix|annex|article|oid)[.:#=]?\s{0,2}\Z|§\s?\Z|[\s(;][A-Za-z][A-Za-z0-9_+\-]*/\Z",
    re.IGNORECASE,
)
_THREE_DIGITS = re.compile(r"[0-9]{3}")
_NETWORK = re.compile(
    r"(?:\b|_)(?:ips?|ipv4|dns|ns[0-9]?|tcp|udp|ssh|s?ftp|hosts?|hostname|addr(?:ess(?:es)?)?|ping\w*|traceroute|nslookup|dig|"
    r"whois|gateway|prox(?:y|ies)|port|subnet|netmask|netblock|router|firewall|ban(?:ned)?|blocked|logged|login|visitor|"
    r"remote|connect(?:ed|s|ing|ion)?|listen(?:ing|s)?|adresse?n?|direcci[o\u00f3]n|indirizzo|endere\u00e7o|"
    r"(?-i:servers?)(?![ \t]*\Z)|servers?(?=[ \t]?[:=(]|[ \t](?:at|is|on|ip|has)\b))(?:\b|_)"
    r"|://\Z|@\Z|\u0430\u0434\u0440\u0435\u0441|\u5730\u5740|\u30a2\u30c9\u30ec\u30b9|\uc8fc\uc18c",
    re.IGNORECASE,
)
_NETWORK_BEFORE, _NETWORK_AFTER = 40, 24  # characters of the line around an address that may name it
_PORT_OR_PREFIX = re.compile(r":[0-9]{1,5}(?![0-9.])|/(?:[89]|[12][0-9]|3[0-2])(?![0-9.])")
_ONE_DIGIT = re.compile(r"[0-9]\.[0-9]\.[0-9]\.[0-9]")
_HEADING = re.compile(r"[ \t]+[^\W\d_]")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")


def find_ipv4(text: str) -> Iterator[Span]:
    """Yield the public addresses of version 4, in order."""
    for rest in _DOTTED.finditer(text):
        low = max(0, rest.start() - 5)  # three digits and the two characters before them
        first = _FIRST_NUMBER.search(text[low : rest.start()])
        if first is None:
            continue
        start, end = low + first.start(), rest.end()
        if _is_public(text[start:end]) and not _is_version(text, start, end) and not _LOCAL_NEXT.match(text, end):
            sure = _THREE_DIGITS.search(text, start, end) is not None or _is_of_a_network(text, start, end)
            yield Span(start, end, IPV4, IP_ADDRESSES, PROVEN if sure else POSSIBLE)


def _is_of_a_network(text: str, start: int, end: int) -> bool:
    if _PORT_OR_PREFIX.match(text, end):
        return True
    before = text[max(0, start - _NETWORK_BEFORE) : start].rpartition("\n")[2]
    after = text[end : end + _NETWORK_AFTER].partition("\n")[0]
    return _NETWORK.search(before) is not None or _NETWORK.search(after) is not None


def _is_public(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return parsed.is_global and not parsed.is_multicast


def _is_version(text: str, start: int, end: int) -> bool:
    before = text[start - 24 : start] if start >= 24 else "\n" + text[:start]
    if _VERSION.search(before):
        return True
    _, newline, indent = before.rpartition("\n")
    heading = newline and not indent.strip() and _ONE_DIGIT.fullmatch(text, start, end) and _HEADING.match(text, end)
    return bool(heading)


def find_ipv6(text: str) -> Iterator[Span]:
    """Yield the public addresses of version 6, in order."""
    end = 0
    for colons in _COLONS.finditer(text):
        if colons.start() < end:
            continue
        low = max(end, colons.start() - 40)
        head = _HEX_START.search(text[low : colons.start()])
        tail = _HEX_END.match(text, colons.end())
        start = low + head.start() if head is not None else colons.start()
        end = tail.end() if tail is not None else colons.end()
        span = _ipv6_span(text, start, end)
        if span is not None:
            yield span


def _ipv6_span(text: str, start: int, end: int) -> Span | None:
    """Return the address in a run of hexadecimal digits, colons and dots."""
    if start and (text[start - 1].isalpha() or text[start - 1] == "_") and text[start - 1].isascii():
        start = text.find(":", start, end)  # "IPv6:2606:...": the run's first digits end a word
    if end < len(text) and text[end].isascii() and (text[end].isalnum() or text[end] == "_"):
        return None
    while end > start and (text[end - 1] == "." or (text[end - 1] == ":" and text[end - 2 : end] != "::")):
        end -= 1
    if text[start : start + 1] == ":" and text[start : start + 2] != "::":
        start += 1
    address = text[start:end]
    groups = address.split(":")
    if len(address) > 45 or not ("::" in address or len(groups) == 8 or "." in groups[-1]):
        return None
    if max(map(len, groups)) < 3 or not _is_public(address) or _LOCAL_NEXT.match(text, end):
        return None
    if "::" in address and ipaddress.IPv6Address(address) not in _GLOBAL_UNICAST:
        return None
    return Span(start, end, IPV6, IP_ADDRESSES)
