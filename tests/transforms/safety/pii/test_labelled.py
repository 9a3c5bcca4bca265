"""The 1,500 labelled sentences beside this checkout: exact spans, by kind. Floors; measured 1.00 and 1.00 of each."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from transforms.safety.pii.redact import PiiConfig, find_spans

SHARED = Path(__file__).resolve().parents[5] / "shared" / "data" / "pii" / "presidio_synth_dataset_v2.json"
needs_phonenumbers = pytest.mark.skipif(
    importlib.util.find_spec("phonenumbers") is None, reason="phonenumbers is not installed: it is the extra phones"
)


@pytest.mark.skipif(not SHARED.is_file(), reason="the labelled sentences are not beside this checkout")
@pytest.mark.parametrize(
    ("label", "group", "recall", "precision"),
    [
        ("EMAIL_ADDRESS", "emails", 0.98, 0.95),
        ("IP_ADDRESS", "ip_addresses", 0.98, 0.95),
        ("CREDIT_CARD", "cards", 0.98, 0.95),
        ("IBAN_CODE", "ibans", 0.98, 0.95),
        ("US_SSN", "national_ids", 0.98, 0.95),
        pytest.param("PHONE_NUMBER", "phones", 0.9, 0.9, marks=needs_phonenumbers),
    ],
)
def test_labelled_sentences(label: str, group: str, recall: float, precision: float) -> None:
    config = PiiConfig(phones="replace") if group == "phones" else PiiConfig()
    right = n_found = n_gold = 0
    for sentence in json.loads(SHARED.read_text(encoding="utf-8")):
        spans = sentence["spans"]
        gold = {(s["start_position"], s["end_position"]) for s in spans if s["entity_type"] == label}
        ours = {(s.start, s.end) for s in find_spans(sentence["full_text"], config, "en") if s.group == group}
        right, n_found, n_gold = right + len(gold & ours), n_found + len(ours), n_gold + len(gold)
    assert n_gold
    assert right >= recall * n_gold
    assert right >= precision * n_found
