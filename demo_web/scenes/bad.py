"""Records that must not be kept: listed, foul, foreign, no pages at all, or broken; and adverts, which may be."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from demo_web.archives import Capture
from demo_web.cast import Cast
from demo_web.dice import Dice
from demo_web.lists import ADULT_DOMAINS, ADULT_URLS, BLOCKED_WORDS, PHISHING_DOMAINS
from demo_web.markup import render
from demo_web.scenes.good import language_of
from demo_web.special_texts import SPAM, write_cursed, write_spam
from demo_web.texts import KEPT, UNWANTED, write_advert, write_article
from demo_web.truth import (
    BLOCKED_DOMAIN,
    BLOCKED_URL,
    BLOCKED_WORD,
    BODY_TOO_LARGE,
    DIRTY_WORDS,
    DROPPED,
    HTTP_STATUS,
    LANGUAGE_NOT_KEPT,
    LOW_QUALITY,
    NOT_A_RESPONSE,
    NOT_HTML,
    TRUNCATED,
    Fate,
)


def add_blocked(cast: Cast, count: int) -> None:
    """Add pages of listed domains, their subdomains and odd spellings, listed addresses and addresses with a word."""
    hosts = ("{}", "www.{}", "Video.Gallery.{}", "{}:8080")
    for i in range(count):
        for page_class, domains in (("adult_domain", ADULT_DOMAINS), ("phishing_domain", PHISHING_DOMAINS)):
            url = cast.url("en", hosts[i % len(hosts)].format(domains[i % len(domains)]))
            _add(cast, page_class, "en", BLOCKED_DOMAIN, url=url)
        # One address once and then what lies below it: the same address twice would be a copy first.
        listed = ADULT_URLS[0] if i == 0 else f"{ADULT_URLS[0]}/photo-{i}" if i % 2 else f"{ADULT_URLS[1]}?page={i}"
        _add(cast, "blocked_url", "en", BLOCKED_URL, url=f"http://{'www.' * (i % 2)}{listed}")
        word = BLOCKED_WORDS[i % len(BLOCKED_WORDS)]
        word = word.title() if i % 2 else word
        host = f"{word.lower()}-lounge.example" if i % 4 == 3 else ""
        url = cast.url("en", host) if host else f"{cast.url('en')}-best-{word}-pictures"
        _add(cast, "blocked_word", "en", BLOCKED_WORD, url=url)


def _add(cast: Cast, page_class: str, language: str, fate: Fate, **given: str) -> Capture:
    article = write_article(language, cast.seed, cast.next_name())
    return cast.add_page(article, page_class, fate=fate, **given)


def add_foul(cast: Cast, count: int) -> None:
    """Add pages full of stand-ins for dirty words."""
    for i in range(count):
        cast.add_page(write_cursed(language_of(i), cast.seed, cast.next_name()), "dirty_words", fate=DIRTY_WORDS)


def add_spam(cast: Cast, count: int) -> None:
    """Add `count` pages for each heuristic."""
    for rule in SPAM:
        for _ in range(count):
            fate = Fate(fate=DROPPED, stage="web/clean", rule=rule)
            cast.add_page(write_spam(rule, cast.seed, cast.next_name()), f"spam_{rule}", fate=fate)


def add_adverts(cast: Cast, count: int) -> None:
    for i in range(count):
        language = KEPT[i % len(KEPT)].code
        cast.add_page(write_advert(language, cast.seed, cast.next_name()), "advert", fate=LOW_QUALITY)


def add_unwanted_languages(cast: Cast, count: int) -> None:
    for lexicon in UNWANTED:
        for _ in range(count):
            _add(cast, "unwanted_language", lexicon.code, LANGUAGE_NOT_KEPT)


def add_not_pages(cast: Cast, count: int) -> None:
    """Add responses that are no HTML, and errors and redirects that are."""
    for _ in range(count):
        for media_type, ending, body in (
            ("application/pdf", "pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"),
            ("image/png", "png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
            ("application/json", "json", b""),
        ):
            url = f"{cast.url('en')}.{ending}"
            content = body + url.encode() if body else json.dumps({"address": url}).encode()
            _add_bare(cast, "not_html", NOT_HTML, url, content, media_type=media_type)
        for status in ("404 Not Found", "301 Moved Permanently", "503 Busy"):
            url = cast.url("en")
            content = f"<html><title>{status}</title><p>{status}: {url}</p></html>".encode()
            _add_bare(cast, "http_status", HTTP_STATUS, url, content, status=f"HTTP/1.1 {status}")


def _add_bare(cast: Cast, page_class: str, fate: Fate, url: str, body: bytes, **given: Any) -> None:
    name = cast.next_name()
    bare = Capture(url=url, record_id=cast.record_id(name), fetched_at=cast.date(), page_class=page_class, **given)
    cast.add(dataclasses.replace(bare, body=body, fate=fate))


def add_oversized(cast: Cast, size: int) -> None:
    """Add one page of exactly `size` bytes."""
    article = write_article("en", cast.seed, cast.next_name())
    page = render(article, "harbour", 0, "large").encode()
    dice = Dice(cast.seed, "padding")
    rows = b"".join(b"<!-- %d -->\n" % dice.below(1 << 32) for _ in range(4096))
    need = size - len(page)
    if need < 0:
        raise ValueError(f"large_body_bytes: {size} is too small; must be at least {len(page)}")
    body = page + (rows * (need // len(rows) + 1))[:need]
    cast.add_page(article, "oversized", body=body, fate=BODY_TOO_LARGE)


def truncated(cast: Cast) -> Capture:
    """Return a good page whose member will be cut in two; it ends its archive."""
    return cast.page(write_article("en", cast.seed, cast.next_name()), "truncated", fate=TRUNCATED)


def around(cast: Cast, every: int) -> list[Capture]:
    """Return all captures, with a request and a metadata record about one response in `every`."""
    captures = []
    responses = 0
    for capture in cast.captures:
        captures.append(capture)
        if capture.kind != "response":
            continue
        responses += 1
        if responses % every == 1:
            captures += [_about(cast, capture, "request"), _about(cast, capture, "metadata")]
    return captures


def _about(cast: Cast, capture: Capture, kind: str) -> Capture:
    return dataclasses.replace(
        capture,
        kind=kind,
        record_id=cast.record_id(f"{kind} {capture.record_id}"),
        page_class=kind,
        body=b"fetchTimeMs: 117\r\n" if kind == "metadata" else b"",
        media_type="application/warc-fields",
        fate=NOT_A_RESPONSE,
        cluster=None,
        text=(),
        refers_to=capture.record_id,
        fetched_at=capture.fetched_at,
    )


def warcinfo(cast: Cast, file: str) -> Capture:
    """Return the record that opens an archive."""
    return Capture(
        url="",
        record_id=cast.record_id(f"warcinfo {file}"),
        fetched_at=cast.date(),
        page_class="warcinfo",
        kind="warcinfo",
        body=b"software: a generator of small webs\r\nformat: WARC File Format 1.0\r\n",
        media_type="application/warc-fields",
        fate=NOT_A_RESPONSE,
    )
