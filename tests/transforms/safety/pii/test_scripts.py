"""E-mail addresses under percent-escapes and at domains in Han, Kana and Hangul."""

from __future__ import annotations

import pytest

from transforms.safety.pii.redact import PiiConfig, find_spans, redact
from transforms.text.view import TextView


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see http://a.com/?email=john%40acme.com&x=1", "john%40acme.com"),
        ("mailto:john.doe%40mail.acme.co.uk", "john.doe%40mail.acme.co.uk"),
        ("write to user@例子.com now", "user@例子.com"),
        ("请写信给user@例子.中国，谢谢", "user@例子.中国"),
        ("info@株式会社.みんな です", "info@株式会社.みんな"),
        ("a.b@회사.한국으로", "a.b@회사.한국"),
        ("user@例子.com.中国。", "user@例子.com.中国"),
        ("请写信给user@example.com谢谢", "user@example.com"),
    ],
)
def test_found(text: str, found: str) -> None:
    assert [text[span.start : span.end] for span in find_spans(text)] == [found]


@pytest.mark.parametrize("text", ["50%40 off", "@用户.然后他说", "a@用户", "x %40 y.com", "user@例子.", "他@我.的书"])
def test_none(text: str) -> None:
    assert find_spans(text) == []


def test_an_escaped_address_has_the_replacement_of_the_plain_one() -> None:
    plain, escaped = (
        redact(TextView(f"{address} "), PiiConfig()).replaced[0][2] for address in ("j@acme.com", "J%40acme.com")
    )
    assert plain == escaped
