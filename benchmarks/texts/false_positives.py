"""What rules on safety and personal data take of clean texts: dirty words, toxicity, blocklists; personal data by kind.

    winnow lists fetch -o LISTS
    .venv/bin/python -m benchmarks.models.toxicity --keep FOLDER    # trains FOLDER/toxicity.bin, with a report
    .venv/bin/python -m benchmarks.texts.false_positives [DATA] [--lists LISTS] [--toxicity FOLDER] [--show KIND ...]

The texts are those of clean_texts.py. Languages are lid.176's; the toxicity classifier judges English alone, at the
limit of its report. `--show` prints the finds of some kinds of personal data with what is around them, to be read by a
person; at `--min-confidence .6` there are also those that are not taken by default.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.texts.clean_texts import DATA, FIELDS, CleanText, clean_texts, is_of

sys.path.insert(0, str(machine.ROOT))

from classifiers.models.label_scores import label_scores, open_classifier
from classifiers.steps.language import IdentifyLanguage, LanguageConfig
from classifiers.steps.toxicity import ToxicityConfig
from schemas.identity import content_id
from schemas.records import Document
from transforms.safety.blocklist import Blocklist
from transforms.safety.blocklist_files import BlocklistConfig
from transforms.safety.dirty_words import DirtyWordsConfig, FilterDirtyWords
from transforms.safety.pii.redact import PiiConfig, find_spans
from transforms.step import Draft, run_steps

AROUND = 50  # characters of a find that are shown on each side


def drafts_of(texts: Sequence[CleanText]) -> list[Draft]:
    """Return the texts as documents whose language is known, without those that the language step drops by default."""
    drafts = [
        Draft(Document(id=content_id(str(n)), text=one.text, url=one.url, source=one.kind))
        for n, one in enumerate(texts) if one.text.strip()
    ]  # fmt: skip
    identify = IdentifyLanguage(LanguageConfig())
    identify.open()
    run_steps([identify], drafts, Counter(), Counter())
    machine.say(f"{sum(not draft.alive for draft in drafts):,} of {len(drafts):,} documents are of doubtful language")
    return [draft for draft in drafts if draft.alive]


def kinds_of(draft: Draft) -> Iterator[str]:
    """Yield what kinds of text a document is of."""
    yield draft.document.source
    yield from (f"{field}, of all kinds" for field in FIELDS if is_of(field, draft.document.text))
    yield "all"


def judged(drafts: Sequence[Draft], lists: Path | None, toxicity: Path | None) -> dict[str, list[bool]]:
    """Return which documents go, by rule."""
    found: dict[str, list[bool]] = {}
    if lists is not None:
        dirty = FilterDirtyWords(DirtyWordsConfig(directory=str(lists / "ldnoobw")))
        dirty.open()
        dirty.run(drafts, Counter())
        found["dirty words"] = [draft.drop is not None for draft in drafts]
        ut1 = lists / "ut1"
        blocklist = Blocklist.load(
            BlocklistConfig(domains_files=(str(ut1 / "ut1.domains"),), urls_files=(str(ut1 / "ut1.urls"),))
        )
        found["blocklists"] = [
            bool(one.document.url) and blocklist.check(one.document.url) is not None for one in drafts
        ]
    if toxicity is not None:
        report = json.loads((toxicity / "toxicity.bin.json").read_text())
        settings = ToxicityConfig(model_path=str(toxicity / "toxicity.bin"), model_sha256=report["sha256"])
        scores = label_scores(open_classifier(settings), [one.document.text for one in drafts], settings)
        limit = report["suggested_threshold"]
        found["toxicity"] = [
            draft.document.language == "en" and (score or 0.0) >= limit
            for draft, score in zip(drafts, scores, strict=True)
        ]
    return found


def table(drafts: Sequence[Draft], found: dict[str, list[bool]]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for at, draft in enumerate(drafts):
        for kind in kinds_of(draft):
            counts[kind]["documents"] += 1
            counts[kind]["with an address"] += bool(draft.document.url)
            counts[kind]["English"] += draft.document.language == "en"
            for rule, goes in found.items():
                counts[kind][rule] += goes[at]
                if goes[at] and kind == draft.document.source:
                    machine.say(f"{rule}: {kind}, {draft.document.language}: {draft.document.url} "
                                f"{' '.join(draft.document.text.split())[:160]}")  # fmt: skip
    return {kind: dict(some) for kind, some in counts.items()}


def personal(drafts: Sequence[Draft], config: PiiConfig, show: Sequence[str]) -> dict[str, Counter[str]]:
    """Return by kind of personal data how many documents have some, and how many finds there are."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for draft in drafts:
        text = draft.document.text
        spans = find_spans(text, config, draft.document.language)
        for kind in {span.kind for span in spans}:
            counts[kind]["documents"] += 1
        for span in spans:
            counts[span.kind]["finds"] += 1
            if span.kind in show or span.group in show:
                around = text[max(0, span.start - AROUND) : span.start], text[span.end : span.end + AROUND]
                before, after = (" ".join(piece.split()) for piece in around)
                print(f"{span.kind}\t{draft.document.source}\t{before} [[{text[span.start : span.end]}]] {after}")
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--lists", type=Path)
    parser.add_argument("--toxicity", type=Path)
    parser.add_argument("--show", nargs="+", default=[])
    parser.add_argument("--min-confidence", type=float, default=PiiConfig().min_confidence)
    given = parser.parse_args()
    drafts = drafts_of(list(clean_texts(given.data)))
    found = personal(drafts, PiiConfig(phones="replace", min_confidence=given.min_confidence), given.show)
    rules = judged(drafts, given.lists, given.toxicity)
    result: dict[str, Any] = {"texts": table(drafts, rules), "personal": {kind: dict(n) for kind, n in found.items()}}
    names = ["documents", "with an address", "English", *rules]
    print(f"| texts | {' | '.join(names)} |\n| --- |{' ---: |' * len(names)}")
    for kind, some in result["texts"].items():
        print(f"| {kind} | {' | '.join(f'{some.get(name, 0):,}' for name in names)} |")
    print("\n| personal data | documents | finds |\n| --- | ---: | ---: |")
    for kind, n in sorted(found.items()):
        print(f"| {kind} | {n['documents']} | {n['finds']} |")
    print(json.dumps({"benchmark": "false_positives", **machine.facts(), **result}))


if __name__ == "__main__":
    main()
