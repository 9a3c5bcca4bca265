"""The other side of benchmarks/texts/personal_data.py; runs with the Python of the peers' own virtual environment.

    python pii_peers.py TEXTS.json DOLMA_WHEEL RESULT.json

TEXTS.json has {"sentences": [...], "pages": [...]}; the result has of each system the spans of every sentence, as
(start, end, label), the CPU milliseconds of each page, and how many spans of each label the pages have.

* Presidio: its recognizers by pattern and checksum, each score raised by context words as AnalyzerEngine does it. Words
  are spaCy's blank English in place of a model's lemmas, so a context word in another form is not seen.
* datatrove: the two expressions of PIIFormatter and its check for public addresses.
* Dolma: the three expressions of `pii_regex_with_counts_fast_v2`, read out of the wheel, and its rule that the domain
  of an address has a dot.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import spacy
from datatrove.pipeline.formatters.pii import PIIFormatter
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    PhoneRecognizer,
    UsSsnRecognizer,
)
from spacy.lang.en.stop_words import STOP_WORDS

Found = list[tuple[int, int, str]]
EMAIL, IP, PHONE = "EMAIL_ADDRESS", "IP_ADDRESS", "PHONE_NUMBER"


class _Words:
    """What the enhancer asks an NLP engine: whether a word says something."""

    def is_stopword(self, word: str, language: str) -> bool:
        return word in STOP_WORDS

    def is_punct(self, word: str, language: str) -> bool:
        return not any(map(str.isalnum, word))


def presidio(min_score: float) -> Callable[[str], Found]:
    kinds = (
        *(CreditCardRecognizer, EmailRecognizer, IbanRecognizer, IpRecognizer, PhoneRecognizer),
        UsSsnRecognizer,
    )
    recognizers = [kind() for kind in kinds]
    english, words, enhancer = spacy.blank("en"), _Words(), LemmaContextAwareEnhancer()

    def find(text: str) -> Found:
        tokens = english(text)
        lemmas = [token.text.lower() for token in tokens]
        artifacts = NlpArtifacts([], tokens, [token.idx for token in tokens], lemmas, words, "en")
        found: Found = []
        for recognizer in recognizers:
            results = recognizer.analyze(text, recognizer.supported_entities, artifacts) or []
            for result in results:
                result.recognition_metadata = {
                    "recognizer_identifier": recognizer.id,
                    "recognizer_name": recognizer.name,
                }
            for result in enhancer.enhance_using_context(text, results, artifacts, [recognizer]):
                if result.score > 0 and result.score >= min_score:
                    found.append((result.start, result.end, result.entity_type))
        return found

    return find


def datatrove() -> Callable[[str], Found]:
    formatter = PIIFormatter()
    emails, ips = formatter.emails_replacer.regex, formatter.ip_replacer

    def find(text: str) -> Found:
        found = [(*match.span(), EMAIL) for match in emails.finditer(text)]
        return found + [(*match.span(), IP) for match in ips.regex.finditer(text) if ips.validator(match[0])]

    return find


def dolma(wheel: Path) -> Callable[[str], Found]:
    source = zipfile.ZipFile(wheel).read("dolma/taggers/pii.py").decode()
    tagger = next(node for node in ast.parse(source).body if getattr(node, "name", "") == "FastPiiRegex")
    texts = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tagger.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    email, phone, ip = (re.compile(texts[f"{kind}_REGEX"]) for kind in ("EMAIL", "PHONE", "IP"))

    def find(text: str) -> Found:
        found: Found = []
        if "@" in text:
            for match in email.finditer(text):
                if "." in match[1].split("@", 1)[1]:
                    found.append((*match.span(), EMAIL))
        for expression, label in ((phone, PHONE), (ip, IP)):
            found += [(*match.span(), label) for match in expression.finditer(text)]
        return found

    return find


def main(texts: Path, wheel: Path, result: Path) -> None:
    given = json.loads(texts.read_text(encoding="utf-8"))
    systems = {
        "Presidio": presidio(0.0),
        "Presidio, score 0.5": presidio(0.5),
        "datatrove": datatrove(),
        "Dolma": dolma(wheel),
    }
    found = {}
    for name, find in systems.items():
        times, labels = [], Counter()
        for page in given["pages"]:
            began = time.thread_time_ns()
            spans = find(page)
            times.append((time.thread_time_ns() - began) / 1e6)
            labels.update(label for _, _, label in spans)
        found[name] = {"spans": [find(text) for text in given["sentences"]], "page_ms": times, "on_pages": labels}
    result.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
