"""Copies: of an address, of a payload, of a text, and nearly of a text; and pairs that only share a part."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

from demo_web.archives import Capture
from demo_web.cast import Cast
from demo_web.dice import Dice
from demo_web.scenes.good import language_of
from demo_web.texts import LEXICONS, Article, Writer, jaccard, swap_words, words, write_article
from demo_web.truth import EXACT_COPY, NEAR_COPY, OLDER_COPY, REVISIT, SAME_PAYLOAD

# Spellings of one address that any documented normalisation folds: the rules of C4 and SURT have them in common.
SPELLINGS: dict[str, Callable[[str], str]] = {
    "scheme": lambda url: url.replace("https://", "http://"),
    "www": lambda url: url.replace("https://", "https://www."),
    "tracking": lambda url: f"{url}?utm_source=letter&utm_medium=email",
    "fragment": lambda url: f"{url}#comments",
    "trailing_slash": lambda url: f"{url}/",
    "host_case": lambda url: url.replace(url.split("/")[2], url.split("/")[2].title()),
    "default_port": lambda url: url.replace(".example/", ".example:443/"),
}
_WORDS_PER_CHANGE = 160  # one word in so many is changed: five shingles lost of 160, a similarity of about 0.94


def add_url_copies(cast: Cast, clusters: int) -> None:
    """Add captures of one address at 2 to 4 dates, each with another text."""
    for i in range(clusters):
        url, language = cast.url(language_of(i)), language_of(i)
        members = [_capture(cast, "url_copy", language, url) for _ in range(2 + i % 3)]
        cast.add_cluster(members, OLDER_COPY)


def add_url_ties(cast: Cast, clusters: int) -> None:
    """Add two captures of one address of the very same second."""
    for i in range(clusters):
        first = _capture(cast, "url_tie", language_of(i), cast.url(language_of(i)))
        second = _capture(cast, "url_tie", language_of(i), first.url)
        cast.add_cluster((first, dataclasses.replace(second, fetched_at=first.fetched_at)), OLDER_COPY)


def add_url_spellings(cast: Cast, rounds: int) -> None:
    """Add, for each way to spell an address, a pair that differs in it alone; and one cluster of all spellings."""
    for i in range(rounds):
        for spell in SPELLINGS.values():
            url = cast.url(language_of(i))
            members = [_capture(cast, "url_spelling", language_of(i), address) for address in (url, spell(url))]
            cast.add_cluster(members, OLDER_COPY)
    url = cast.url("en")
    spelled = [_capture(cast, "url_spelling", "en", spell(url)) for spell in SPELLINGS.values()]
    cast.add_cluster(spelled, OLDER_COPY)


def _capture(cast: Cast, page_class: str, language: str, url: str) -> Capture:
    return cast.page(write_article(language, cast.seed, cast.next_name()), page_class, url=url)


def add_payload_copies(cast: Cast, clusters: int) -> None:
    """Add pages with the same bytes under 2 to 4 addresses."""
    for i in range(clusters):
        article = write_article(language_of(i), cast.seed, cast.next_name())
        first = cast.page(article, "payload_copy")
        others = [cast.page(article, "payload_copy", body=first.body) for _ in range(1 + i % 3)]
        cast.add_cluster((first, *others), SAME_PAYLOAD)


def add_exact_copies(cast: Cast, clusters: int) -> None:
    """Add pages with the same text in 2 or 3 templates, at 2 or 3 sites.

    Of templates 0 to 2 trafilatura gives the title with the text, so that theirs are the same to the byte.
    """
    for i in range(clusters):
        article = write_article(language_of(i), cast.seed, cast.next_name(), paragraphs=6)
        members = [cast.page(article, "exact_copy", template=(i + j) % 3) for j in range(2 + i % 2)]
        cast.add_cluster(members, EXACT_COPY)


def add_near_copies(cast: Cast, stars: int, chains: int) -> None:
    """Add originals with 1 to 3 copies of their own, and chains of 3 to 5, each copied from the one before."""
    for i in range(stars):
        original = _long_article(cast, i)
        copies = [_near(cast, original) for _ in range(1 + i % 3)]
        _add_near(cast, "near_copy", (original, *copies), tuple(jaccard(original, copy) for copy in copies))
    for i in range(chains):
        chain = [_long_article(cast, i)]
        while len(chain) < 3 + i % 3:
            chain.append(_near(cast, chain[-1]))
        similarity = tuple(jaccard(a, b) for a, b in itertools.pairwise(chain))
        _add_near(cast, "near_copy_chain", tuple(chain), similarity)


def _long_article(cast: Cast, i: int) -> Article:
    return write_article(language_of(i), cast.seed, cast.next_name(), paragraphs=6)


def _near(cast: Cast, article: Article) -> Article:
    changes = max(1, len(words(article)) // _WORDS_PER_CHANGE)
    return swap_words(article, changes, cast.seed, cast.next_name())


def _add_near(cast: Cast, page_class: str, articles: tuple[Article, ...], similarity: tuple[float, ...]) -> None:
    members = [cast.page(article, page_class) for article in articles]
    cast.add_cluster(members, NEAR_COPY, tuple(round(value, 4) for value in similarity))


def add_hard_negatives(cast: Cast, pairs: int) -> None:
    """Add pairs of pages of which one quotes a paragraph or two of the other: a similarity of at most 0.3."""
    for i in range(pairs):
        # One writer for both, so that no phrase of the quotation occurs in the page around it.
        writer = Writer(LEXICONS[language_of(i)], Dice(cast.seed, cast.next_name()))
        quoted = writer.article(1 + i % 2).blocks
        for _ in range(2):
            own = writer.article(4)
            blocks = (*own.blocks[:2], *quoted, *own.blocks[2:])
            cast.add_page(dataclasses.replace(own, blocks=blocks), "hard_negative")


def add_revisits(cast: Cast, count: int) -> None:
    """Add good pages, each with a later revisit record that says: nothing has changed."""
    for i in range(count):
        date, page = cast.date(), _capture(cast, "good_revisited", language_of(i), cast.url(language_of(i)))
        page = cast.add(dataclasses.replace(page, fetched_at=date))
        name = cast.next_name()
        cast.add(
            dataclasses.replace(
                page,
                kind="revisit",
                record_id=cast.record_id(name),
                page_class="revisit",
                body=b"",
                text=(),
                fate=REVISIT,
                refers_to=page.record_id,
                fetched_at=date.replace(year=date.year + 2, day=1),
            )
        )
