"""The 1,500 labelled sentences beside this checkout: all of each kind and nothing else, as docs/privacy.md says."""

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
    ("label", "group"),
    [
        ("EMAIL_ADDRESS", "emails"),
        ("IP_ADDRESS", "ip_addresses"),
        ("CREDIT_CARD", "cards"),
        ("IBAN_CODE", "ibans"),
        ("US_SSN", "national_ids"),
        pytest.param("PHONE_NUMBER", "phones", marks=needs_phonenumbers),
    ],
)
def test_labelled_sentences(label: str, group: str) -> None:
    config = PiiConfig(phones="replace") if group == "phones" else PiiConfig()
    gold, ours = [], []
    for n, sentence in enumerate(json.loads(SHARED.read_text(encoding="utf-8"))):
        spans = [span for span in sentence["spans"] if span["entity_type"] == label]
        gold += sorted((n, span["start_position"], span["end_position"]) for span in spans)
        ours += [(n, s.start, s.end) for s in find_spans(sentence["full_text"], config, "en") if s.group == group]
    assert gold
    assert ours == gold
