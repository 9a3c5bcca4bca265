"""E-mail addresses and public IP addresses in a text: found as spans, replaced by reserved ones.

What is found
* e-mail   `local@domain.tld`, also after `mailto:`, between CJK characters, with a full-width at sign or `%40`; Latin,
           Greek and Cyrillic letters count as part of it, Han, Kana and Hangul in a domain (not before the at sign,
           where a sentence may end). `name (at) host [dot] org` by the setting `obfuscated_emails`.
* IP       IPv4 and IPv6 that `ipaddress` accepts and calls global, multicast excepted; a compressed IPv6 (`::`) must
           lie in 2000::/3, the range that IANA allocates, since program text is full of `a::b`.
What is not replaced
* our own replacements, so private and documentation IP addresses as well; other addresses at reserved domains
  (example.com, .test, ...; RFC 2606) are replaced like any, since an author may have written anything there;
* `image@2x.png` and other file names, `package@1.2.3`, `git@host:path`, fediverse handles (`@name@host`);
* version-like numbers: part of a longer dotted number, after `version`, `v`, `release`, `section`, ... or `Product/`,
  `name-`, before `-beta`; four one-digit numbers at the start of a line before a heading; MAC addresses, times and key
  fingerprints, which are not IPv6 addresses or have at most two digits in each group.

A replacement is a function of the match and of `key` alone (keyed BLAKE2b), independent of process, shard and order:
`name4711@example.net` (three domains), 192.0.2.x, 198.51.100.x and 203.0.113.x (RFC 5737), 2001:db8:: (RFC 3849). The
same address becomes the same replacement everywhere; redacting twice changes nothing more.

Deviations. datatrove rotates its replacements within a process, so its output depends on sharding; its e-mail pattern
matches lower case only and leaves the first letters of `Carl@...`; its six replacement addresses belong to other
people; it has no IPv6. Dolma's e-mail pattern requires white space after the address and includes trailing punctuation;
it drops pages with more than 5 spans (a separate rule can do that with `count_spans`). BigCode uses placeholders
(`<EMAIL>`), a token that no model should learn from prose, and skips every one-digit quad (1.1.1.1) not near `dns` or
`server`. No phone numbers: they have no reserved range to replace them with and no check digit that identifies them.
A span holds offsets only; nothing here logs or prints a match.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.errors import ConfigError
from schemas.identity import keyed_hash
from schemas.settings import setting, validate
from transforms.step import Edit
from transforms.text.view import TextView

EMAIL, IPV4, IPV6 = "email", "ipv4", "ipv6"
MAX_LOCAL = 256  # characters looked at before an at sign; RFC 5321 allows 64
MAX_KEY = 48  # bytes: BLAKE2b takes 64, the kind is prepended

_LETTER = "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u037d\u0386\u0388-\u052f\u1e00-\u1fff"
_AT = re.compile("[@\uff20]|%40")  # the last: in the query of an address
_HAN = "\u3005\u3007\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3"  # Han, Kana, Hangul
_LOCAL_CHARACTER = re.compile(rf"[{_LETTER}0-9._+'\-]")
_LOCAL_END = re.compile(rf"[{_LETTER}0-9._+'\-]+\Z")
_DOMAIN = re.compile(
    rf"(?:[{_LETTER}0-9](?:[{_LETTER}0-9\-]*[{_LETTER}0-9])?\.)+"
    rf"(?:xn--[A-Za-z0-9\-]*[A-Za-z0-9]|[{_LETTER}]{{2,}})(?![{_LETTER}0-9])"
)
# Of Han, Kana and Hangul one name alone and the top-level domains there are: sentences have no blanks around addresses.
_HAN_DOMAIN = re.compile(
    rf"[A-Za-z0-9\-]*[{_HAN}][{_HAN}A-Za-z0-9\-]*\.(?:(?:com|net|org|edu|gov)\.)?"
    rf"(?:\u4e2d[\u56fd\u570b]|\u516c\u53f8|\u7f51\u7edc|\u7f51\u5740|\u9999\u6e2f|\u53f0[\u6e7e\u7063]|\u65b0\u52a0\u5761|\ud55c\uad6d|\ub2f7\ucef4|\u307f\u3093\u306a|[a-z]{{2,18}}(?![a-z0-9]))"
)
_LAST_LABEL = re.compile(r"\.[A-Z][a-z]+\Z")
# fmt: off
_FILE_ENDINGS = frozenset((  # none of them a top-level domain
    "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "bmp", "ico", "js", "mjs", "css", "scss", "html", "htm", "php",
    "txt", "pdf", "json", "xml",
))
# fmt: on
_REPLACEMENT = re.compile(r"name[0-9]{4}@example\.(?:com|net|org)")
_OPEN, _CLOSE = r"[(\[{<]\s{0,3}", r"\s{0,3}[)\]}>]"
_OBFUSCATED_AT = re.compile(rf"{_OPEN}(?:at|@){_CLOSE}\s{{0,3}}", re.IGNORECASE)
_OBFUSCATED_DOT = re.compile(rf"\s{{0,3}}{_OPEN}(?:dot|\.){_CLOSE}\s{{0,3}}", re.IGNORECASE)
_OBFUSCATED_DOMAIN = re.compile(
    rf"(?:[{_LETTER}0-9\-]+(?:\.|{_OBFUSCATED_DOT.pattern}))+[{_LETTER}]{{2,}}(?![{_LETTER}0-9])", re.IGNORECASE
)
_NUMBER_NEXT = re.compile(r"[.:#=]?\s{0,2}[0-9]")

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
_ONE_DIGIT = re.compile(r"[0-9]\.[0-9]\.[0-9]\.[0-9]")
_HEADING = re.compile(r"[ \t]+[^\W\d_]")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION = ("192.0.2", "198.51.100", "203.0.113")


@dataclass(frozen=True, kw_only=True)
class PiiConfig:
    """What is redacted, and the key of the replacements."""

    emails: bool = setting(True, "replace e-mail addresses")
    ip_addresses: bool = setting(True, "replace public IPv4 and IPv6 addresses")
    obfuscated_emails: bool = setting(False, "also `name (at) host [dot] org`; costs precision")
    key: str = setting("winnow", "key of the replacements, at most 48 bytes; another key gives other replacements")

    def __post_init__(self) -> None:
        validate(self)
        if len(self.key.encode()) > MAX_KEY:
            raise ConfigError(f"key: {len(self.key.encode())} bytes are not allowed; must be <= {MAX_KEY}")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters and what it holds."""

    start: int
    end: int
    kind: str  # email, ipv4, ipv6


def redact(view: TextView, config: PiiConfig) -> Edit:
    """Replace every span; the counts are `emails` and `ip_addresses` when there was any."""
    text = view.text
    spans = find_spans(text, config)
    if not spans:
        return Edit()
    replaced = [(at.start, at.end, _replacement(text[at.start : at.end], at.kind, config.key)) for at in spans]
    return Edit(replaced, _counts(spans), [at.kind for at in spans], private=True)


def count_spans(text: str, config: PiiConfig | None = None) -> dict[str, int]:
    """Return {"emails": n, "ip_addresses": n} of `text`."""
    return _counts(find_spans(text, config))


def find_spans(text: str, config: PiiConfig | None = None) -> list[Span]:
    """Return the spans of personal addresses in `text`, in order, none overlapping another."""
    config = _DEFAULT if config is None else config
    has_at = "@" in text or "\uff20" in text or "%40" in text
    spans = list(_emails(text)) if has_at and (config.emails or config.ip_addresses) else []
    if config.obfuscated_emails:
        spans = _merged(spans, _obfuscated(text))
    if config.ip_addresses:
        spans = _merged(spans, _ipv6(text)) if _COLONS.search(text) else spans
        spans = _merged(spans, _ipv4(text)) if _DOTTED.search(text) else spans
    return [span for span in spans if (config.emails if span.kind == EMAIL else config.ip_addresses)]


_DEFAULT = PiiConfig()


def _counts(spans: list[Span]) -> dict[str, int]:
    emails = sum(1 for span in spans if span.kind == EMAIL)
    return {"emails": emails, "ip_addresses": len(spans) - emails}


def _merged(spans: list[Span], more: Iterator[Span]) -> list[Span]:
    """Return `spans` and those of `more` that overlap none of them, in order."""
    starts = [span.start for span in spans]
    added = []
    for span in more:
        place = bisect_right(starts, span.start)
        before = spans[place - 1].end if place else 0
        after = starts[place] if place < len(starts) else span.end
        if before <= span.start and span.end <= after:
            added.append(span)
    return sorted(spans + added) if added else spans


def _emails(text: str) -> Iterator[Span]:
    end = 0
    for at in _AT.finditer(text):
        start = _local_start(text, end, at.start())
        domain = _domain(text, at.end()) if start < at.start() else ""
        if domain:
            end = at.end() + len(domain)
            if not _no_address(text, start, at.start(), end, domain):
                yield Span(start, end, EMAIL)


def _local_start(text: str, low: int, at: int) -> int:
    """Return where the local part that ends at `at` starts, not before `low`; `at` when there is none."""
    if at <= low or _LOCAL_CHARACTER.match(text, at - 1) is None:
        return at
    low = max(low, at - MAX_LOCAL)
    run = _LOCAL_END.search(text[low:at])
    return at if run is None else at - len(run[0].lstrip(".+'-"))


def _domain(text: str, start: int) -> str:
    """Return the domain that starts there, '' if none does."""
    match = _DOMAIN.match(text, start)
    if match is None:
        foreign = _HAN_DOMAIN.match(text, start)
        return foreign[0] if foreign is not None else ""
    domain = match[0]
    last = _LAST_LABEL.search(domain)
    if last is not None:  # "write to a@host.com.Next sentence"
        before = domain[: last.start()].rpartition(".")[2]
        if before.islower() and domain.count(".") > 1 and before.isalpha():
            return domain[: last.start()]
    return domain


def _no_address(text: str, start: int, at: int, end: int, domain: str) -> bool:
    """Tell what looks like an e-mail address and is none, or is a replacement already."""
    return (
        domain.rpartition(".")[2].lower() in _FILE_ENDINGS
        or _REPLACEMENT.fullmatch(text, max(0, at - 8), end) is not None  # 8: name0000, after an endless local part too
        or (start > 0 and text[start - 1] in "@\uff20")
        or (text[start:at] == "git" and text[end : end + 1] in (":", "/"))
    )


def _obfuscated(text: str) -> Iterator[Span]:
    end = 0
    for at in _OBFUSCATED_AT.finditer(text):
        local_end = len(text[max(end, at.start() - 4) : at.start()].rstrip()) + max(end, at.start() - 4)
        start = _local_start(text, end, local_end)
        taken = start == local_end or (start > 0 and text[start - 1] in "@\uff20")  # `a@b.com (at) ...`
        domain = None if taken else _OBFUSCATED_DOMAIN.match(text, at.end())
        if domain is None or _NUMBER_NEXT.match(text, domain.end()):  # `... [dot] version 1.2.3.4`
            continue
        end = domain.end()
        yield Span(start, end, EMAIL)


def _ipv4(text: str) -> Iterator[Span]:
    for rest in _DOTTED.finditer(text):
        low = max(0, rest.start() - 5)  # three digits and the two characters before them
        first = _FIRST_NUMBER.search(text[low : rest.start()])
        if first is None:
            continue
        start, end = low + first.start(), rest.end()
        if _is_public(text[start:end]) and not _is_version(text, start, end) and not _LOCAL_NEXT.match(text, end):
            yield Span(start, end, IPV4)


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


def _ipv6(text: str) -> Iterator[Span]:
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
    return Span(start, end, IPV6)


def _replacement(match: str, kind: str, key: str) -> str:
    """Return the replacement of `match`: a function of its lower-case form and the key."""
    plain = ipaddress.IPv6Address(match).compressed if kind == IPV6 else match.lower()
    if kind == EMAIL:
        plain = _OBFUSCATED_DOT.sub(".", _OBFUSCATED_AT.sub("@", _AT.sub("@", plain)))
    number = keyed_hash(f"pii:{kind}:{key}", plain.replace(" ", ""))
    if kind == EMAIL:
        return f"name{number // 3 % 10_000:04d}@example.{('com', 'net', 'org')[number % 3]}"
    if kind == IPV4:
        return f"{_DOCUMENTATION[number % 3]}.{number // 3 % 254 + 1}"
    return f"2001:db8::{number & 0xFFFF:x}:{(number >> 16) & 0xFFFF or 1:x}"
