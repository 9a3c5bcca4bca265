"""Personal data in the address of a document: user info, path, query and fragment; scheme, host and port stay.

The user info goes whole, a name without a password, too (`logins`). The rest is searched with its escapes decoded, as
often as they were encoded (`?next=https%3A%2F%2Fhost%2F%3Fmail%3Djo%2540host.com`), and once more as words, since rules
for texts take a number beside `=` or `/` for a part of an address: `?card_number=4539...&x=1` is read as
`card number 4539...`. What is not replaced keeps its very characters; a replacement is escaped where needed.

The site of a document is that of its host, so no rule by sites sees a difference. An address in the host (an IP) is
that of a server and stays.
"""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import quote, unquote_to_bytes

from transforms.dedup.urls import authority_of
from transforms.safety.pii.redact import PiiConfig, find_spans, new_text
from transforms.safety.pii.secrets import LOGIN
from transforms.safety.pii.spans import IP_ADDRESSES, LOGINS, NUMBERS, Span, merged

MAX_LAYERS = 4  # times that escapes are decoded; a link inside a link inside a link has three (ours)
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_PLAIN = "/@:~-._"  # what a replacement or tag has and no address need escape
_DELETED = "\t\n\r"  # which no address has (WHATWG; transforms/dedup/urls.py, rule 1)
_OUR_LOGIN = re.compile(r"name[0-9]{4}(?::password)?")
# Every find has one of these: most addresses have none and are done with.
_IN_ITSELF = re.compile(r"[@\uff20]|(?<![0-9A-Za-z_\-])(?=[0-9A-Za-z_\-]{16})[a-z_\-]*[0-9A-Z]")
_IN_ITS_WORDS = re.compile(r"[0-9](?:[ .\-()]{0,2}[0-9]){5}|[0-9A-Za-z]{16}|[:.][0-9A-Fa-f]{0,4}[:.]")
_OF_WORDS = (*NUMBERS, IP_ADDRESSES)  # groups; `&v=4.7.8.2` says that it is a version to who reads words alone
_AS_WORDS = str.maketrans({**dict.fromkeys("=_+", " "), **dict.fromkeys("/?&;#", "\n")})
_SURROGATES = re.compile("[\ud800-\udfff]")


def redact_address(url: str, config: PiiConfig, language: str = "") -> tuple[str, Counter[str]]:
    """Return `url` with personal data replaced as in a text, and how many values of each group that were."""
    if any(map(url.__contains__, _DELETED)):  # they would hide where the host begins
        plain = "".join(sign for sign in url if sign not in _DELETED)
        clean, counts = redact_address(plain, config, language)
        return (clean, counts) if counts else (url, counts)
    start, end = authority_of(url)
    host = url.rfind("@", start, end) + 1 or start
    login, n_logins = _login(url[start : max(start, host - 1)], config)
    rest, counts = _rest(url[end:], config, language)
    counts[LOGINS] += n_logins
    if not counts.total():
        return url, Counter()
    at = "@" if host > start else ""
    return f"{url[:start]}{login}{at}{url[host:end]}{rest}", +counts


def _login(login: str, config: PiiConfig) -> tuple[str, int]:
    """Return what takes the place of a user info, and 1 when it is another one."""
    if not login or _OUR_LOGIN.fullmatch(login):
        return login, 0
    new = new_text(login, Span(0, len(login), LOGIN, LOGINS), config)
    if new is None or _escaped(new) == login:
        return login, 0
    return _escaped(new) if ":" in login else _escaped(new).removesuffix(":password"), 1


def _rest(raw: str, config: PiiConfig, language: str) -> tuple[str, Counter[str]]:
    text, places = decoded(raw)
    words = text.translate(_AS_WORDS)
    pieces, counts, end = [], Counter[str](), 0
    for span in _spans(text, words, config, language):
        read = words if span.group in _OF_WORDS else text
        new = new_text(read[span.start : span.end], span, config)
        if new is not None:
            pieces += [raw[end : places[span.start]], _escaped(new)]
            end = places[span.end]
            counts[span.group] += 1
    return "".join([*pieces, raw[end:]]), counts


def _spans(text: str, words: str, config: PiiConfig, language: str) -> list[Span]:
    """Return the spans of a decoded address: numbers and IP addresses in its words, all else in itself."""
    spans: list[Span] = []
    if config.obfuscated_emails or _IN_ITSELF.search(text):
        spans = [span for span in find_spans(text, config, language) if span.group not in _OF_WORDS]
    if _IN_ITS_WORDS.search(words):
        more = find_spans(words, config, language)
        spans = merged(spans, (span for span in more if span.group in _OF_WORDS))
    return spans


def _escaped(new: str) -> str:
    return quote(new, safe=_PLAIN)


def decoded(raw: str) -> tuple[str, list[int]]:
    """Return `raw` with its escapes decoded, and where each character begins in `raw`; at the end, where `raw` ends.

    Bytes that are no UTF-8 become U+FFFD, one each.
    """
    text, places = raw, list(range(len(raw) + 1))
    for _ in range(MAX_LAYERS):
        if "%" not in text or _ESCAPES.search(text) is None:
            break
        text, inner = _decoded_once(text)
        places = [places[at] for at in inner]
    return text, places


def _decoded_once(raw: str) -> tuple[str, list[int]]:
    pieces: list[str] = []
    places: list[int] = []
    end = 0
    for run in _ESCAPES.finditer(raw):
        pieces.append(raw[end : run.start()])
        places += range(end, run.start())
        at = run.start()
        characters = unquote_to_bytes(run[0]).decode("utf-8", "surrogateescape")
        for character in characters:
            places.append(at)
            at += 3 * len(character.encode("utf-8", "surrogateescape"))  # an escape is three characters
        pieces.append(_SURROGATES.sub("\ufffd", characters))
        end = run.end()
    return "".join([*pieces, raw[end:]]), [*places, *range(end, len(raw) + 1)]
