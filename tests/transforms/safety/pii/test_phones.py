"""Telephone numbers; without phonenumbers, the extra `phones`, only that they are refused in one line."""

from __future__ import annotations

import importlib.util

import pytest

from schemas.blocks import CODE, PARAGRAPH, Blocks
from schemas.errors import ConfigError
from transforms.safety.pii.redact import PiiConfig, find_spans, spans_of
from transforms.text.view import TextView

INSTALLED = importlib.util.find_spec("phonenumbers") is not None
needs_phonenumbers = pytest.mark.skipif(not INSTALLED, reason="phonenumbers is not installed: it is the extra phones")


def found(text: str, language: str = "en", confidence: float = 0.8) -> list[str]:
    config = PiiConfig(phones="replace", min_confidence=confidence)
    return [text[span.start : span.end] for span in find_spans(text, config, language) if span.kind == "phone"]


@needs_phonenumbers
@pytest.mark.parametrize(
    ("text", "language", "number"),
    [
        ("Wrocławska 53, Kraków: +48 602 750 737", "pl", "+48 602 750 737"),
        ("Office +1 (929) 214-16-90.", "en", "+1 (929) 214-16-90"),
        ("(+352) 4993-1", "fr", "(+352) 4993-1"),
        ("Talk (+1 877 780 4236) now", "en", "+1 877 780 4236"),
        ("by telephone on +49 (0)9546-9223-20 or", "en", "+49 (0)9546-9223-20"),
        ("Tel. 02382 59743 (", "de", "02382 59743"),
        ("Fax: 0043(0) 316/82 16 36", "de", "0043(0) 316/82 16 36"),
        ("聯絡電話：03-584-7231", "zh", "03-584-7231"),
        ("тел. 8 (495) 739-70-00", "ru", "8 (495) 739-70-00"),
        ("phone:\n60-56-85-91", "en", "60-56-85-91"),
        ("Fax: 345-899-3560x4587", "en", "345-899-3560x4587"),
        ("416 60 039 office", "en", "416 60 039"),
        ("give us a call at 780-800-7092 to", "en", "780-800-7092"),
        ("call 1\u2011855\u2011846\u20112895", "en", "1\u2011855\u2011846\u20112895"),
    ],
)
def test_found(text: str, language: str, number: str) -> None:
    assert found(text, language) == [number]


@needs_phonenumbers
@pytest.mark.parametrize(
    "text",
    [
        "call me on 2015-03-12",
        "the phone was sold 15000000 times, ISBN 978-3-16-148410-0",
        "registered 1990-1995 and 2001-2005",
        "my driver's license number is 2270-66-1551",
        "part number 800-555-0199, order 213-484-0480",
        "call version 10.0.19041.1 of it",
        "1 000 000 000 people; 12 345 678",
        "meaning the third answer was 1800-400 = <<1800-400=1400>>1400",
        "we call 5000-2800 = 2200 the rest",
        "fax 000-000-4711",  # our own replacement
        "see https://host.com/call/213-484-0480",
    ],
)
def test_none(text: str) -> None:
    assert found(text, confidence=0) == []


@needs_phonenumbers
def test_a_number_without_a_word_is_possible_where_the_language_has_such() -> None:
    assert found("or 951-704-3374.") == []
    assert found("or 951-704-3374.", confidence=0.6) == ["951-704-3374"]
    assert found("or 951-704-3374.", "de", confidence=0.6) == []
    assert found("oder 0345 122 99 84", "de", confidence=0.6) == ["0345 122 99 84"]


@needs_phonenumbers
def test_a_number_in_code_is_none() -> None:
    line = "Tel. +49 30 901820, jo@host.com\n"
    blocks = Blocks.of([(CODE, 0, len(line) - 1), (PARAGRAPH, len(line), 2 * len(line) - 1)])
    spans = spans_of(TextView(line * 2, blocks=blocks), PiiConfig(phones="replace"))
    assert [(span.start // len(line), span.group) for span in spans] == [(0, "emails"), (1, "phones"), (1, "emails")]


@pytest.mark.skipif(INSTALLED, reason="phonenumbers is installed")
def test_without_the_package_one_line() -> None:
    with pytest.raises(ConfigError, match=r"phones: the package phonenumbers is not installed; pip install"):
        PiiConfig(phones="replace")
