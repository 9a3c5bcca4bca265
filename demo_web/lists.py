"""The lists and labels that come with the web: block lists, dirty words, labelled texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from demo_web.dice import Dice
from demo_web.special_texts import SPAM, write_code, write_maths, write_spam
from demo_web.texts import KEPT, Article, write_advert, write_article

ADULT_DOMAINS = ("velvet-zorble.example", "hot-snorvaddle.example", "midnight-plim.example", "naughty-vex.example")
PHISHING_DOMAINS = ("secure-bank-login.example", "parcel-refund.example", "verify-wallet.example")
ADULT_URLS = ("quiet-harbour.example/members", "meadow-club.example/private/gallery.html")
BLOCKED_WORDS = ("grimwhistle", "plimquottle", "xxvexnoggin")
N_LABELS = 1500


def write_lists(directory: Path) -> None:
    """Write blocklists/ in UT1 layout and dirty_words/ in LDNOOBW layout."""
    decoys = [f"decoy-{i:03d}.example" for i in range(200)]
    _write(directory / "blocklists" / "adult" / "domains", sorted((*ADULT_DOMAINS, *decoys)))
    _write(directory / "blocklists" / "adult" / "urls", sorted((*ADULT_URLS, "decoy.example/never/there")))
    _write(directory / "blocklists" / "phishing" / "domains", sorted((*PHISHING_DOMAINS, "decoy-phish.example")))
    _write(directory / "blocklists" / "words.txt", sorted(BLOCKED_WORDS))
    for lexicon in KEPT:
        _write(directory / "dirty_words" / lexicon.code, sorted(lexicon.curse))


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def write_labels(directory: Path, seed: str) -> None:
    """Write quality_labels.jsonl: short texts from the models that write good pages, adverts and spam, never a page."""
    rows = [
        json.dumps({"text": "\n".join(a.blocks), "label": label}, ensure_ascii=False) for label, a in _labelled(seed)
    ]
    (directory / "quality_labels.jsonl").write_bytes("".join(f"{row}\n" for row in rows).encode())


def _labelled(seed: str) -> Iterator[tuple[str, Article]]:
    """Pairs of a good and a poor text; as many adverts and articles in English as in the other languages together.

    The turns of languages (8), spam (5) and maths or code (11) have no common divisor: each meets every other.
    """
    languages = [code for lexicon in KEPT[1:] for code in (KEPT[0].code, lexicon.code)]
    rules = sorted(SPAM)
    for i in range(N_LABELS // 2):
        language, good, poor = languages[i % len(languages)], f"label {i} good", f"label {i} poor"
        if i % 11 == 10:
            yield "good", (write_maths if i % 2 else write_code)(seed, good)
        else:
            yield "good", write_article(language, seed, good, paragraphs=Dice(seed, good).between(2, 4))
        if i % 5 == 4:
            yield "poor", write_spam(rules[(i // 5) % len(rules)], seed, poor)
        else:
            yield "poor", write_advert(language, seed, poor, paragraphs=Dice(seed, poor).between(2, 6))
