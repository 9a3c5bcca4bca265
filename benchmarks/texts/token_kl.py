"""What the rule `kl` finds that no other does, and what it costs clean pages: planted texts against the pages of a run.

    winnow run --input ARCHIVES --output RUN --set kl.judge=measure
    .venv/bin/python -m benchmarks.texts.token_kl RUN [--language en] [--texts 50] [--words 400]

The limit is where 1% of the run's own pages go. For each kind of planted text: the share found alone; then, with
a real article of the run before it so that the spam is 70% or half of the words, how many of them the other rules
of the recipe let through, and how many of these are found. Clean pages: rank correlation of KL with their length.
"""

from __future__ import annotations

import argparse
import base64
import codecs
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.machine import facts
from classifiers.steps.language import IdentifyLanguage
from pipelines.recipes.common_crawl import CommonCrawlConfig, clean_steps
from schemas.identity import content_id
from schemas.records import Document
from transforms.heuristics.kl.token_kl import MEASURE, FilterTokenKl, KlConfig, KlStats
from transforms.step import Draft, run_steps

LOST = 0.01  # of the clean pages
SHARES = (0.7, 0.5)  # of the words that are spam
KEYWORDS = (
    "casino online slots bonus poker jackpot deposit spins roulette betting blackjack",
    "pills cheap online pharmacy buy generic prescription overnight tablets discount order",
    "replica handbags outlet cheap watches discount sale designer wholesale luxury brand",
)
LEET = str.maketrans("aeiostAEIOST", "431057431057")
LOOK_ALIKE = str.maketrans("aeopcyxABEKMHOPCTX", "аеорсухАВЕКМНОРСТХ")
PLAIN = ("Buy {} today with the best {} for you.", "Our {} are what you need, and you can get {} now.")


@dataclass(frozen=True)
class Pages:
    """The pages of a run: whole texts, their rare words, and the measures of the rule."""

    texts: list[str]
    rare: list[str]
    stats: list[KlStats]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--language", default="en")
    arguments.add_argument("--texts", type=int, default=50, help="planted texts of each kind")
    arguments.add_argument("--words", type=int, default=400, help="words of spam in each")
    given = arguments.parse_args()
    pages = read_pages(given.run, given.language)
    artefact = data_folder(given.run, "kl") / "artefact.bin"
    rule = FilterTokenKl(KlConfig(judge=MEASURE), CommonCrawlConfig().tokenizer, artefact.read_bytes())
    excess = np.array([one.excess_bits for one in pages.stats], float)
    limit = float(np.quantile(excess, 1 - LOST))
    lengths = [one.n_tokens for one in pages.stats]
    told: dict[str, Any] = {
        "benchmark": "token_kl", **facts(), "pages": len(excess), "limit_bits": round(limit, 3),
        "rank_correlation_plain": rank_correlation(lengths, [one.plain_kl_bits or 0.0 for one in pages.stats]),
        "rank_correlation_excess": rank_correlation(lengths, excess.tolist()),
    }  # fmt: skip
    print(f"{len(excess)} pages; 1% of them are over {limit:.2f} bits; rank correlation with length: plain KL "
          f"{told['rank_correlation_plain']:.3f}, excess {told['rank_correlation_excess']:.3f}\n")  # fmt: skip
    print(
        "| planted | found alone |"
        + "".join(f" {share:.0%}: others let through | of these found |" for share in SHARES)
    )
    print("| --- | ---: |" + " ---: | ---: |" * len(SHARES))
    for kind, make in KINDS.items():
        draw = random.Random(kind)  # noqa: S311
        spam = [make(draw, pages, given.words) for _ in range(given.texts)]
        cells = [f"{share_over(rule, given.language, spam, limit):.0%}"]
        for share in SHARES:
            mixed = [f"{article(draw, pages, round(given.words * (1 / share - 1)))}\n\n{one}" for one in spam]
            passed = [draft.document.text for draft in cleaned(mixed) if draft.alive]
            found = round(share_over(rule, given.language, passed, limit) * len(passed)) if passed else 0
            cells += [f"{len(passed)} of {len(mixed)}", str(found)]
        told[kind] = cells
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)
    print(json.dumps(told))


def data_folder(run: Path, stage: str) -> Path:
    return run / stage / json.loads((run / stage / "manifest.json").read_text())["key"]


def read_pages(run: Path, language: str) -> Pages:
    """Read the pages that the rule has measured, in one language."""
    rows: list[dict[str, Any]] = []
    for path in sorted(data_folder(run, "kl").glob("documents/*.parquet")):
        rows += pq.ParquetFile(path).read(["text", "language", "kl"]).to_pylist()
    rows = [row for row in rows if row["language"] == language and row["kl"]["excess_bits"] is not None]
    texts = [row["text"] for row in rows]
    counts = Counter(word for text in texts for word in {*filter(str.isalpha, text.lower().split())})
    rare = sorted(word for word, n in counts.items() if n <= 3 and word.isascii() and len(word) > 2)
    return Pages(texts, rare, [KlStats(**row["kl"]) for row in rows])


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (x, y)]
    return round(float(np.corrcoef(*ranks)[0, 1]), 3)


def share_over(rule: FilterTokenKl, language: str, texts: Sequence[str], limit: float) -> float:
    drafts = [Draft(Document(id=content_id(text), text=text, language=language)) for text in texts]
    rule.run(drafts, Counter())
    return sum((draft.measures["kl"].excess_bits or -1.0) > limit for draft in drafts) / len(drafts)


def cleaned(texts: Sequence[str]) -> list[Draft]:
    """Return texts after language identification and all other rules on one document."""
    config = CommonCrawlConfig()
    steps = [IdentifyLanguage(config.language), *clean_steps(config.clean)]
    for step in steps:
        step.open()
    drafts = [Draft(Document(id=content_id(text), text=text, source="planted")) for text in texts]
    run_steps(steps, drafts, Counter(), Counter())
    return drafts


def article(draw: random.Random, pages: Pages, n_words: int) -> str:
    """Return long paragraphs of a real page, of so many words or a little more."""
    chosen: list[str] = []
    while sum(len(one.split()) for one in chosen) < n_words:
        chosen += [line for line in draw.choice(pages.texts).split("\n") if len(line.split()) > 25][:3]
    return "\n\n".join(chosen)


def sentences(words: Sequence[str], draw: random.Random) -> str:
    """Return words as lines that begin and end like sentences."""
    found, at = [], 0
    while at < len(words):
        n = draw.randint(8, 16)
        found.append(" ".join(words[at : at + n]).capitalize() + ".")
        at += n
    return " ".join(found)


def clean_words(draw: random.Random, pages: Pages, n_words: int) -> str:
    return " ".join(article(draw, pages, n_words).split()[:n_words])


def misread(text: str) -> str:
    """Return a text in other letters, Cyrillic ones, whose UTF-8 was taken for Latin-1."""
    letters = {code: code - ord("a") + ord("а") for code in range(ord("a"), ord("z") + 1)}
    return text.lower().translate(letters).encode().decode("latin-1")


KINDS: dict[str, Callable[[random.Random, Pages, int], str]] = {
    "keyword stuffing": lambda draw, pages, n: sentences(draw.choices(draw.choice(KEYWORDS).split(), k=n), draw),
    "list of words": lambda draw, pages, n: sentences(
        pages.rare[(at := draw.randrange(len(pages.rare) - n)) : at + n], draw
    ),
    "random rare words": lambda draw, pages, n: sentences(draw.choices(pages.rare, k=n), draw),
    "ROT13": lambda draw, pages, n: codecs.encode(clean_words(draw, pages, n), "rot13"),
    "look-alike letters": lambda draw, pages, n: clean_words(draw, pages, n).translate(LOOK_ALIKE),
    "base64": lambda draw, pages, n: base64.encodebytes(clean_words(draw, pages, n).encode()).decode(),
    "Cyrillic read as Latin-1": lambda draw, pages, n: misread(clean_words(draw, pages, n)),
    "digits for letters": lambda draw, pages, n: clean_words(draw, pages, n).translate(LEET),
    "plain sentences": lambda draw, pages, n: " ".join(
        draw.choice(PLAIN).format(*draw.choices(draw.choice(KEYWORDS).split(), k=2)) for _ in range(n // 9)
    ),
}

if __name__ == "__main__":
    main()
