"""Pages that must be kept: plain ones, and ones that a rule might wrongly drop (encodings, maths, code)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from demo_web.archives import gzipped
from demo_web.cast import Cast
from demo_web.dice import Dice
from demo_web.markup import nested, render
from demo_web.special_texts import (
    ADDRESS,
    EMAIL,
    LOCAL,
    email,
    private_ipv4,
    public_ipv4,
    public_ipv6,
    write_code,
    write_maths,
)
from demo_web.texts import Article, insert_line, insert_sentence, write_article
from demo_web.truth import SLOW_PARSER, PlantedPII, RepeatedLine

# Of 100 plain pages.
_SHARES = ("en",) * 40 + ("de",) * 16 + ("fr",) * 16 + ("es",) * 14 + ("ru",) * 14
_MIX = ("en", "de", "en", "fr", "en", "es", "ru")  # of other classes, in turn


def language_of(i: int) -> str:
    return _MIX[i % len(_MIX)]


def add_good(cast: Cast, count: int) -> None:
    """Add plain good pages."""
    for i in range(count):
        language = _SHARES[(i * 37) % len(_SHARES)]
        cast.add_page(write_article(language, cast.seed, cast.next_name()), f"good_{language}")


def add_maths_and_code(cast: Cast, count: int) -> None:
    for _ in range(count):
        cast.add_page(write_maths(cast.seed, cast.next_name()), "good_maths")
        cast.add_page(write_code(cast.seed, cast.next_name()), "good_code")


def add_personal_data(cast: Cast, count: int) -> PlantedPII:
    """Add pages with addresses planted in their sentences; return what was planted."""
    planted: dict[str, list[str]] = {"emails": [], "ipv4": [], "ipv6": [], "private_ip": []}
    kinds: Sequence[tuple[str, dict[str, str], Callable[[Dice], str]]] = (
        ("emails", EMAIL, email),
        ("ipv4", ADDRESS, public_ipv4),
        ("ipv6", ADDRESS, public_ipv6),
        ("private_ip", LOCAL, private_ipv4),
    )
    for i in range(count):
        language, name = language_of(i), cast.next_name()
        dice, article = Dice(cast.seed, name, "pii"), write_article(language, cast.seed, name)
        for j, (kind, sentences, draw) in enumerate(kinds):
            if (i + j) % 2 == 0 or kind == "emails":
                literal = draw(dice)
                while literal in planted[kind]:
                    literal = draw(dice)
                planted[kind].append(literal)
                article = insert_sentence(article, sentences[language].format(literal), j % len(article.blocks))
        cast.add_page(article, "good_pii")
    return PlantedPII(**{kind: tuple(literals) for kind, literals in planted.items()})


def add_repeated_lines(cast: Cast) -> tuple[RepeatedLine, ...]:
    """Add pages that share a line: over six copies in one language are too many, six are not (Llama 3, 3.1.1)."""
    checked = "This entry was last checked by the editors on {} March 2017 and found to be correct."
    proofread = "Cet article a été relu par un comité de bénévoles avant sa mise en ligne."
    photographs = "The photographs that belong to this text were taken on a single rainy afternoon."
    reprinted = "Reprinted from the bulletin of the society with the kind permission of its editor."
    dated = tuple(checked.format(day) for day in range(11, 20))
    plans = (
        (dated, ("en",) * 9, True),
        ((proofread,) * 6 + (proofread.replace("Cet article", "CET ARTICLE"),) * 2, ("fr",) * 8, True),
        ((photographs,) * 6, ("en",) * 6, False),
        ((reprinted,) * 8, ("en", "de") * 4, False),  # four in each language: buckets are by language
    )
    lines = []
    for variants, languages, dropped in plans:
        for variant, language in zip(variants, languages, strict=True):
            article = write_article(language, cast.seed, cast.next_name())
            cast.add_page(insert_line(article, variant, 2), "good_repeated_line")
        lines.append(
            RepeatedLine(
                line=variants[0],
                languages=tuple(sorted(set(languages))),
                copies=len(variants),
                dropped=dropped,
                variants=tuple(dict.fromkeys(variants)),
            )
        )
    return tuple(lines)


def add_odd_transport(cast: Cast, count: int) -> None:
    """Add good pages whose headers lie, are malformed, or whose bodies travel in a coding."""
    both = (("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip"))
    for i in range(count):
        plain = cast.page(_article(cast, i), "good_lying_headers", headers=both[i % 3 :] if i % 3 < 2 else both[:1])
        cast.add(plain)
        cast.add_page(_article(cast, i), "good_malformed_status", status="HTTP/1.1 HTTP/1.1 200 OK")
        cast.add_page(_article(cast, i), "good_chunked", headers=both[:1], chunked=True)
        for page_class, chunked in (("good_gzip_body", False), ("good_gzip_chunked", True)):
            page = cast.page(_article(cast, i), page_class, chunked=chunked)
            body = gzipped(page.body)
            cast.add(dataclasses.replace(page, body=body, headers=both if chunked else both[1:]))


def add_odd_encodings(cast: Cast, count: int) -> None:
    """Add good pages in UTF-16, windows-1251 and windows-1252, declared in the header, in the page, or by a BOM."""
    for i in range(count):
        _add_encoded(cast, _article(cast, i), "good_utf16", "utf-16", "text/html; charset=utf-16", "")
        russian = write_article("ru", cast.seed, cast.next_name())
        _add_encoded(cast, russian, "good_windows_1251", "windows-1251", "text/html; charset=windows-1251", "")
        russian = write_article("ru", cast.seed, cast.next_name())
        meta = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">'
        _add_encoded(cast, russian, "good_windows_1251", "windows-1251", "text/html", meta)
        french = write_article("fr", cast.seed, cast.next_name())
        _add_encoded(cast, french, "good_windows_1252", "windows-1252", "text/html; charset=iso-8859-1", "")
        _add_encoded(cast, _article(cast, i), "good_undeclared_utf8", "utf-8", "text/html", "")


def _add_encoded(cast: Cast, article: Article, page_class: str, encoding: str, media_type: str, meta: str) -> None:
    name = cast.next_name()
    page = render(article, "harbour", 0, name, meta)
    # "utf-16" writes the machine's byte order; the archive must not depend on the machine.
    text = page.encode("utf-16-le" if encoding == "utf-16" else encoding, "xmlcharrefreplace")
    body = b"\xff\xfe" + text if encoding == "utf-16" else text
    cast.add_page(article, page_class, body=body, media_type=media_type)


def add_look_alikes(cast: Cast, count: int) -> None:
    """Add good pages that resemble what lists name: part of a domain, part of a path, part of a dirty word."""
    near = ("notvelvet-zorble.example", "velvet-zorble.example.org.example", "hot-snorvaddle-museum.example")
    for i in range(count):
        url = cast.url("en", near[i % len(near)])
        cast.add_page(_article(cast, 0), "good_lookalike_domain", url=url)
        url = cast.url("en", "quiet-harbour.example")
        cast.add_page(_article(cast, 0), "good_lookalike_url", url=url)
        article = _article(cast, 0)
        for j in range(6):
            place = (i + j) % len(article.blocks)
            article = insert_sentence(article, f"The prezorblefluxian layer number {j + 2} is older.", place)
        cast.add_page(article, "good_lookalike_word")


def add_odd_records(cast: Cast, count: int) -> None:
    """Add good pages with an unreadable date, or an address wrapped by the archive they were copied from."""
    dates = ("2021-13-45T99:00:00Z", "yesterday", "2020-02-30T12:00:00Z")
    for i in range(count):
        cast.add_page(_article(cast, i), "good_bad_date", fetched_at=None, bad_date=dates[i % len(dates)])
        url = f"https://web.archive.org/web/20190304050607id_/{cast.url('en')}"
        cast.add_page(_article(cast, 0), "good_archived_url", url=url)


def add_plain_text(cast: Cast, count: int) -> None:
    """Add documents that are text already: WET conversion records and JSON lines."""
    for i in range(count):
        for page_class, kind in (("good_wet", "conversion"), ("good_jsonl", "jsonl")):
            article = _article(cast, i)
            body = "\n".join((article.title, *article.blocks)).encode()
            cast.add_page(article, page_class, kind=kind, body=body, media_type="text/plain")


def add_slow(cast: Cast) -> None:
    """Add a page that costs a parser some 40,000 elements; it may be kept or fail."""
    page = cast.page(_article(cast, 0), "slow_page", fate=SLOW_PARSER)
    cast.add(dataclasses.replace(page, body=nested(page.body.decode(), 300).encode()))


def _article(cast: Cast, i: int) -> Article:
    return write_article(language_of(i), cast.seed, cast.next_name())
