from __future__ import annotations

import ipaddress
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.blocks import CODE, FORMULA, PARAGRAPH, Blocks
from schemas.errors import ConfigError
from transforms.safety.pii.redact import PiiConfig, count_spans, find_spans, redact, spans_of
from transforms.safety.pii.replacements import MOST, replacement
from transforms.safety.pii.spans import GROUPS, Span
from transforms.step import Edit
from transforms.text.view import TextView

OBFUSCATED = PiiConfig(obfuscated_emails=True)


def found(text: str, config: PiiConfig | None = None) -> list[str]:
    return [text[span.start : span.end] for span in find_spans(text, config)]


def redacted(text: str, config: PiiConfig | None = None) -> str:
    return redact(TextView(text), config or PiiConfig()).apply(text)


EMAILS = [
    ("write to jo@host.com.", ["jo@host.com"]),
    ("JO.Doe+x_1@Mail.Host-2.CO.UK", ["JO.Doe+x_1@Mail.Host-2.CO.UK"]),
    ("<mailto:jo@host.com?subject=x>", ["jo@host.com"]),
    ("jo@host.com,al@host.org;", ["jo@host.com", "al@host.org"]),
    ("**jo@host.com**", ["jo@host.com"]),
    ("'jo@host.com'", ["jo@host.com"]),
    ("pat.o'brien@host.com", ["pat.o'brien@host.com"]),
    ("...jo@host.com...", ["jo@host.com"]),
    ("?mail=jo@host.com&x=1", ["jo@host.com"]),
    ("请联系jo@host.cn我们", ["jo@host.cn"]),
    ("اكتب إلى jo@host.com،", ["jo@host.com"]),
    ("jo＠host.com", ["jo＠host.com"]),
    ("müller@bücher.de", ["müller@bücher.de"]),
    ("иван@почта.рф", ["иван@почта.рф"]),
    ("jo@host.xn--p1ai", ["jo@host.xn--p1ai"]),
    ("jo@host.com.Next sentence", ["jo@host.com"]),
    ("jo@host.com\nal@host.org", ["jo@host.com", "al@host.org"]),
    ("1.2.3.4@host.com", ["1.2.3.4@host.com"]),
    ("https://jo@host.com/x", ["jo@host.com"]),
    ("jo@example.com, al@mail.example.org", ["jo@example.com", "al@mail.example.org"]),
    # left alone
    ("name4711@example.com, name0000@example.net, root@localhost", []),
    ("logo@2x.png and getty@tty1.service", []),
    ("lodash@4.17.21", []),
    ("git@github.com:owner/name.git", []),
    ("@name@social.host", []),
    ("jo@host", []),
    ("jo@host.c", []),
    ("jo @host.com", []),
    ("@host.com", []),
    ("--@host.com", []),
    ("jo (at) host [dot] com", []),
    ("", []),
    ("@", []),
]

ADDRESSES = [
    ("server 106.31.73.20 answered", ["106.31.73.20"]),
    ("http://106.31.73.20:8080/x", ["106.31.73.20"]),
    ("from 106.31.73.20.", ["106.31.73.20"]),
    ("106.31.73.0/24", ["106.31.73.0"]),
    ("106.31.73.20-106.31.73.29", ["106.31.73.20", "106.31.73.29"]),
    ("地址106.31.73.20。", ["106.31.73.20"]),
    ("dns 8.8.8.8", ["8.8.8.8"]),
    ("https://whois.host/ip/106.31.73.20", ["106.31.73.20"]),
    ("2606:4700:4700::1111", ["2606:4700:4700::1111"]),
    ("[2606:4700:4700::1111]:443", ["2606:4700:4700::1111"]),
    ("IPv6:2606:4700:4700::1111.", ["2606:4700:4700::1111"]),
    ("6e40:4041:c617:e898:c11:40d2:c669:2eb4", ["6e40:4041:c617:e898:c11:40d2:c669:2eb4"]),
    ("::ffff:106.31.73.20", ["106.31.73.20"]),
    # not public
    ("10.0.0.1 192.168.1.1 127.0.0.1 172.16.0.1 169.254.1.1 224.0.0.1 0.0.0.0 255.255.255.255", []),
    ("192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 fe80::1 ::1 :: fc00::1", []),
    # no address
    ("256.31.73.20 1.2.3 01.02.03.04", []),
    ("1.106.31.73.20 and 106.31.73.20.1", []),
    ("v106.31.73.20, version 106.31.73.20, Version: 106.31.73.20, ver.106.31.73.20", []),
    ("Section\xa07.8.2.1 and § 7.8.2.1", []),
    ("Mozilla/5.0 (X11) AppleWebKit/53.7.3.6 Safari/53.7.3.6", []),
    ("lib-1.2.3.4.tar.gz 1.2.3.4-beta 1.2.3.4rc", []),
    ("7.8.2.1 Scope of this part", []),
    ("12:30:45 00:1a:2b:3c:4d:5e std::vector a::b abc::def", []),
    ("00:11:22:33:44:55:66:77", []),
    (":".join(["ab"] * 20), []),
]


@pytest.mark.parametrize(("text", "expected"), EMAILS + ADDRESSES)
def test_spans(text: str, expected: list[str]) -> None:
    assert found(text) == expected


def test_four_digits_are_an_address_unless_they_number_a_heading() -> None:
    possible = PiiConfig(min_confidence=0.6)
    assert found("use\n7.8.2.1\n", possible) == ["7.8.2.1"]
    assert found("use\n  7.8.2.1 Scope", possible) == []
    assert found("use 7.8.2.1 Scope", possible) == ["7.8.2.1"]
    assert found("use\n17.8.2.1 Scope", possible) == ["17.8.2.1"]


@pytest.mark.parametrize(
    "text",
    [
        "iOS 16.1.1.2 and OpenSSL 1.0.2.7", "Oracle Database 19.3.0.0 and 11.2.0.4", "SQL Server 15.0.18.3",
        "SQL Server 2019 (15.0.18.3)", "server 2.4.6.1",
        "EC number: 1.14.14.1", "Eq. 2.3.4.1 of Art. 3.2.1.4", "OID 1.3.6.1 and 2.5.4.3", "Clause 1.1.1.1 and 8.8.8.1",
        "main.css?ver=4.25.8.2'", "on 12.10.20.21", "$x_{1.2.3.4}$", "Section\xa07.8.2.1", "c1.3 0 2.4.4.4.2.4.4",
    ],
)  # fmt: skip
def test_small_numbers_without_a_word_of_networks_are_no_address(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    ["DNS 8.8.8.8", "ip: 5.9.12.4", "5.9.12.4 (host)", "5.9.12.4:8080", "5.9.12.0/24", "http://5.9.12.4/",
     "root@5.9.12.4", "server=5.9.12.4",
     "the server at 5.9.12.4", "the log of the server names 5.9.12.4",
     "remote_addr 5.9.12.4", "IP地址5.9.12.4", "on 5.9.112.4"],
)  # fmt: skip
def test_small_numbers_with_one_are(text: str) -> None:
    assert len(found(text)) == 1


def test_obfuscated_addresses_only_when_asked_for() -> None:
    text = "jo (at) host [dot] com, al[AT]mail.host.org, x (at) example (dot) com"
    assert found(text) == []
    assert found(text, OBFUSCATED) == ["jo (at) host [dot] com", "al[AT]mail.host.org", "x (at) example (dot) com"]
    assert redacted("jo (at) host [dot] com", OBFUSCATED) == redacted("jo@host.com", OBFUSCATED)


def test_each_kind_can_be_switched_off() -> None:
    text = "jo@host.com at 106.31.73.20"
    assert found(text, PiiConfig(emails="leave")) == ["106.31.73.20"]
    assert found(text, PiiConfig(ip_addresses="leave")) == ["jo@host.com"]
    assert found("106.31.73.20@host.com", PiiConfig(emails="leave")) == []


def test_replacements_are_reserved_and_pinned() -> None:
    text = "jo@host.com 106.31.73.20 2606:4700:4700::1111"
    edit = redact(TextView(text), PiiConfig())
    email, ipv4, ipv6 = edit.apply(text).split(" ")
    assert edit.counts == {"emails": 1, "ip_addresses": 2}
    assert (edit.reasons, edit.private) == (["email", "ipv4", "ipv6"], True)
    assert edit.apply(text) == PINNED
    assert email.partition("@")[2] in ("example.com", "example.net", "example.org")
    assert ipv4.rpartition(".")[0] in ("192.0.2", "198.51.100", "203.0.113")
    assert ipaddress.IPv6Address(ipv6) in ipaddress.IPv6Network("2001:db8::/32")


def test_no_more_replacements_than_documented() -> None:
    """Otherwise whoever tries all addresses of a /64 under the default key finds the right one."""
    for kind, form in (("email", "jo{}@host.com"), ("ipv6", "2606:4700::{:x}")):
        made = {replacement(form.format(n), Span(0, 9, kind), "winnow") for n in range(1, MOST + 1_000)}
        assert len(made) <= MOST


PINNED = "name8556@example.com 198.51.100.24 2001:db8::49f0"


def test_same_address_same_replacement_wherever_it_stands() -> None:
    one, two = redacted("jo@host.com and JO@Host.com and al@host.com").split(" and ")[:2]
    assert one == two == redacted("x jo@host.com").split(" ")[1]
    assert redacted("2606:4700:0:0:0:0:0:1") == redacted("2606:4700::1")
    assert redacted("jo@host.com", PiiConfig(key="another")) != one


def test_text_around_is_untouched_and_clean_text_is_the_same() -> None:
    assert redacted("a\r\n<jo@host.com>\t").startswith("a\r\n<name")
    assert redacted("a\r\n<jo@host.com>\t").endswith(">\t")
    assert redact(TextView("no address here: 12:30, 3.14"), PiiConfig()) == Edit()


def test_count_spans() -> None:
    none = dict.fromkeys(GROUPS, 0)
    assert count_spans("jo@host.com al@host.com 106.31.73.20") == none | {"emails": 2, "ip_addresses": 1}
    assert count_spans("") == none


def test_spans_show_no_text() -> None:
    assert repr(find_spans("x jo@host.com")) == "[Span(start=2, end=13, kind='email', group='emails', confidence=1.0)]"


def test_key_length_limit_is_inclusive() -> None:
    assert PiiConfig(key="k" * 48).key == "k" * 48
    with pytest.raises(ConfigError, match="key: 49 bytes"):
        PiiConfig(key="k" * 49)


@pytest.mark.parametrize(
    "text",
    [
        *("@" * 200_000, "a@" * 100_000, "a" * 200_000 + "@b.com", "1.2.3." * 50_000, ":" * 200_000, "a@b." * 50_000),
        *(
            "1" * 200_000,
            "1 " * 100_000,
            "123-" * 50_000,
            "4111 1111 " * 20_000,
            "a1" * 100_000,
            "://a:b" * 30_000 + "@",
        ),
        *("AKIA" * 50_000, "-----BEGIN PRIVATE KEY-----" * 8_000, "eyJa1" * 15_000, "12345678901234567x " * 10_000),
    ],
)
def test_huge_and_hostile_texts_end(text: str) -> None:
    once = redacted(text, OBFUSCATED)
    assert redacted(once, OBFUSCATED) == once


def test_many_spans_in_many_blocks_end() -> None:
    line = "jo@host.com\n"
    text = line * 15_000
    blocks = Blocks.of((CODE, at, at + len(line) - 1) for at in range(0, len(text), len(line)))
    began = time.process_time()
    assert len(spans_of(TextView(text, blocks=blocks), PiiConfig())) == 15_000
    assert time.process_time() - began < 20  # under 1 s; minutes where each span looks at each block


def test_numbers_in_formulas_are_none() -> None:
    line = "card 5277 7162 0146 9117 of jo@host.com\n"
    text, at = line * 5, [n * len(line) for n in range(6)]

    def kept(*blocks: tuple[int, int, int]) -> list[tuple[int, str]]:
        spans = spans_of(TextView(text, blocks=Blocks.of(blocks)), PiiConfig())
        return [(span.start // len(line), span.group) for span in spans if span.group != "emails"]

    everything = [(n, "cards") for n in range(5)]
    assert kept((FORMULA, 0, at[1] - 1), (CODE, at[2], at[3] - 1), (FORMULA, at[4], at[5])) == everything[1:4]
    assert kept((FORMULA, at[1], at[2] - 1), (FORMULA, at[3], at[4] - 1)) == everything[::2]
    assert kept((PARAGRAPH, 0, at[1] - 1), (FORMULA, at[1], at[1]), (CODE, at[1], at[5])) == everything
    assert kept((FORMULA, 0, 20), (FORMULA, at[4] + 10, at[5])) == everything  # it goes on behind, began before


# fmt: off
_PIECES = st.sampled_from([
    "@", "＠", "jo", "o'brien", "host.com", "example.com", ".png", "b.version", ".Next", "-", ".", "8.8.8.8", "1.2.3.4",
    "10.0.0.1", "192.0.2.1", ":", "::", "2606:4700", "2001:db8", "::1", "ffff", "version ", "v", " ", "\n", "section ",
    "/", "Chrome/", "git", "(at)", " [dot] ", "<", ">", "é", "联系", "2x", "9", "com", "_", "+", "'", "aa:bb", "IPv6:",
    "§", "\ud800", "://", "user:s3cr3t9@", "4012 8888 8888 1881", "card ", "5277716201469117",
    "DE54 5205 0353 0002 0650 69", "SSN ", "460-89-9847", "CPF ", "529.982.247-25", "RSSMRA85T10A562S", "ghp_",
    "A1b2C3d4E5f6G7h8J9k0L1m2N3p4Q5r6S7t8", "\u2011",
    "secret = ", "-----BEGIN PRIVATE KEY-----", "eyJhbGciOiJIUzI1NiJ9", "0000 0000 0000 4711",
])
# fmt: on
_TEXTS = st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=10).map("".join))


@settings(deadline=None, max_examples=250)
@given(_TEXTS, st.booleans(), st.sampled_from([0.0, 0.8]))
def test_total_idempotent_and_in_order(text: str, obfuscated: bool, confidence: float) -> None:
    config = PiiConfig(obfuscated_emails=obfuscated, min_confidence=confidence)
    spans = find_spans(text, config)
    ends = [0, *(span.end for span in spans)]
    assert all(end <= span.start < span.end <= len(text) for end, span in zip(ends[:-1], spans, strict=True))
    once = redacted(text, config)
    twice = redact(TextView(once), config)
    assert twice.apply(once) == once
    assert twice.counts == {}


@settings(deadline=None, max_examples=200)
@given(st.ip_addresses())
def test_every_public_address_is_found(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    text = f"host {address.exploded} up"
    public = address.is_global and not address.is_multicast
    assert found(text) == ([address.exploded] if public else [])
