"""E-mail addresses.

Found: `local@domain.tld`, also after `mailto:`, between CJK characters, with a full-width at sign or `%40`; Latin,
Greek and Cyrillic letters count as part of it, Han, Kana and Hangul in a domain (not before the at sign, where a
sentence may end). `name (at) host [dot] org` by the setting `obfuscated_emails`.
Not found: our own replacements; `image@2x.png` and other file names, `package@1.2.3`, `git@host:path`, fediverse
handles (`@name@host`), the password of a login (`scheme://user:password@host`, secrets.py). Other addresses at reserved
domains (example.com, .test, ...; RFC 2606) are found like any, since an author may have written anything there.

Deviations. datatrove's pattern matches lower case only and leaves the first letters of `Carl@...`. Dolma's requires
white space after the address and includes trailing punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from transforms.safety.pii.spans import EMAILS, LIKELY, PROVEN, Span

EMAIL = "email"
MAX_LOCAL = 256  # characters looked at before an at sign; RFC 5321 allows 64

_LETTER = "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u037d\u0386\u0388-\u052f\u1e00-\u1fff"
_AT_SIGNS = ("@", "\uff20", "%40")  # the last: in the query of an address
_AT = re.compile("|".join(_AT_SIGNS))
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
    "service", "socket", "timer", "slice",  # units of systemd: `name@string.service`
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
_LOGIN_BEFORE = re.compile(r"://[^\s/@:]{0,64}:\Z")


def find_emails(text: str) -> Iterator[Span]:
    """Yield the addresses of `text`, in order."""
    end = 0
    for at, after in _at_signs(text):
        start = _local_start(text, end, at)
        domain = _domain(text, after) if start < at else ""
        if domain:
            end = after + len(domain)
            if not _no_address(text, start, at, end, domain):
                yield Span(start, end, EMAIL, EMAILS, PROVEN)


def _at_signs(text: str) -> list[tuple[int, int]]:
    """Return where each at sign starts and ends; one plain scan for each way to write it, 1 ns a character."""
    signs: list[tuple[int, int]] = []
    for sign in _AT_SIGNS:
        at = text.find(sign)
        while at >= 0:
            signs.append((at, at + len(sign)))
            at = text.find(sign, at + 1)
    return sorted(signs)


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
        or (text[start - 1 : start] == ":" and _LOGIN_BEFORE.search(text, max(0, start - 80), start) is not None)
        or (text[start:at] == "git" and text[end : end + 1] in (":", "/"))
    )


def find_obfuscated(text: str) -> Iterator[Span]:
    """Yield addresses whose signs are spelled out."""
    end = 0
    for at in _OBFUSCATED_AT.finditer(text):
        local_end = len(text[max(end, at.start() - 4) : at.start()].rstrip()) + max(end, at.start() - 4)
        start = _local_start(text, end, local_end)
        taken = start == local_end or (start > 0 and text[start - 1] in "@\uff20")  # `a@b.com (at) ...`
        domain = None if taken else _OBFUSCATED_DOMAIN.match(text, at.end())
        if domain is None or _NUMBER_NEXT.match(text, domain.end()):  # `... [dot] version 1.2.3.4`
            continue
        end = domain.end()
        yield Span(start, end, EMAIL, EMAILS, LIKELY)


def plain_email(match: str) -> str:
    """Return the one form of an address however it was written."""
    return _OBFUSCATED_DOT.sub(".", _OBFUSCATED_AT.sub("@", _AT.sub("@", match.lower()))).replace(" ", "")
