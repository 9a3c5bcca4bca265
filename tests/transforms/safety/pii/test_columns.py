"""Personal data in addresses, in JSON and in what sources tell: replaced as in texts, all else to the character."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Document
from transforms.dedup.sites import site_of
from transforms.extraction.extracted import PageFacts
from transforms.heuristics.junk import kind_of_address
from transforms.safety.pii.addresses import decoded, redact_address
from transforms.safety.pii.columns import RedactColumns, redact_id
from transforms.safety.pii.json_values import redact_json, redact_value
from transforms.safety.pii.redact import PiiConfig, redact
from transforms.step import Draft
from transforms.text.view import TextView

CONFIG = PiiConfig()
TAGS = PiiConfig(emails="tag", ip_addresses="tag", logins="tag", secrets="tag", cards="tag", ibans="tag",
                 national_ids="tag", tag="[{kind}]")  # fmt: skip


@pytest.mark.parametrize(
    ("url", "tagged"),
    [
        ("https://jo:s3cret@host.com:80/x", "https://[LOGIN]@host.com:80/x"),
        ("https://jo@host.com/x", "https://[LOGIN]@host.com/x"),
        ("//jo%40x.com:s3@cret@host.com/x", "//[LOGIN]@host.com/x"),
        (" https://jo@host.com/", " https://[LOGIN]@host.com/"),
        ("ht\ttps://jo:pw@host.com/", "https://[LOGIN]@host.com/"),
        ("jo.doe@host.com", "[LOGIN]@host.com"),
        ("mailto:jo.doe@host.com?subject=x", "mailto:[EMAIL]?subject=x"),
        ("https://a.org/?mail=jo.doe@host.com&x=1", "https://a.org/?mail=[EMAIL]&x=1"),
        ("https://a.org/?mail=jo.doe%40host.com&x=%2f", "https://a.org/?mail=[EMAIL]&x=%2f"),
        ("https://a.org/?q=%E4%BD%A0jo%40host.cn%ff", "https://a.org/?q=%E4%BD%A0[EMAIL]%ff"),
        ("https://a.org/?to=https%3A%2F%2Fb.org%3Fm%3Djo%2540host.com%26y", "https://a.org/?to=https%3A%2F%2Fb.org%3Fm%3D[EMAIL]%26y"),
        ("https://a.org/u/jo.doe@host.com/#al@host.org", "https://a.org/u/[EMAIL]/#[EMAIL]"),
        ("https://106.31.73.20:80/whois/?ip=106.31.73.20", "https://106.31.73.20:80/whois/?ip=[IPV4]"),
        ("https://a.org/?card_number=5277716201469117&x=1", "https://a.org/?card_number=[CARD]&x=1"),
        ("https://a.org/visa/5277-7162-0146-9117/", "https://a.org/visa/[CARD]/"),
        ("https://a.org/?q=my+ssn+460-89-9847+now", "https://a.org/?q=my+ssn+[US_SSN]+now"),
        ("https://a.org/?iban=DE54+5205+0353+0002+0650+69&b", "https://a.org/?iban=[IBAN]&b"),
        ("https://a.org/?iban=DE54520503530002065069", "https://a.org/?iban=[IBAN]"),
        ("https://a.org/?key=ghp_q7Zt2KfXw9LmB4vRn8Hs1PdYc6JgT3eA5uQo#x", "https://a.org/?key=[GITHUB_TOKEN]#x"),
        ("https://a.org/?u=https://jo:s3cr3t!x@host.com/", "https://a.org/?u=https://[LOGIN]@host.com/"),
        # left as they are
        ("https://www.flickr.com/photos/12345678@N00/", ""),
        ("https://social.org/@name", ""),
        ("https://a.org/package@1.2.3/logo@2x.png", ""),
        ("https://a.org/2019/05/12/1234567890123456?id=5277716201469117&v=4.7.8.2", ""),
        ("https://a.org/a%20b?c=%", ""),
        ("https://[2606:4700:4700::1111]:443/x", ""),
        ("", ""),
        ("no address at all", ""),
    ],
)  # fmt: skip
def test_addresses(url: str, tagged: str) -> None:
    found = redact_address(url, TAGS)
    assert found[0] == (tagged or url).replace("[", "%5B" if tagged else "[").replace("]", "%5D" if tagged else "]")
    assert bool(found[1]) == bool(tagged)
    replaced = redact_address(url, CONFIG)[0]
    assert redact_address(replaced, CONFIG) == (replaced, Counter())
    if not url.startswith("mailto:"):
        assert site_of(replaced) == site_of(url)
    assert kind_of_address(replaced) == kind_of_address(url)


def test_the_same_value_has_the_same_replacement_everywhere() -> None:
    mail = "jo.doe@host.com"
    new = redact(TextView(mail), CONFIG).apply(mail)
    assert redact_address("https://a.org/?m=jo.doe%2540host.com", CONFIG)[0] == f"https://a.org/?m={new}"
    assert redact_json(json.dumps({"by": mail}), CONFIG)[0] == json.dumps({"by": new})
    card = "my card 5277 7162 0146 9117"
    number = redact(TextView(card), CONFIG).apply(card)[-4:]
    assert redact_address("https://a.org/?card=5277716201469117", CONFIG)[0].endswith(f"=000000000000{number}")


def test_actions_and_groups_are_those_of_the_text() -> None:
    url = "https://jo@a.org/?m=jo@host.com&ip=106.31.73.20"
    for action in ("count", "leave"):
        some = PiiConfig(emails=action, logins=action)
        assert redact_address(url, some)[0].startswith("https://jo@a.org/?m=jo@host.com&ip=")
        assert redact_address(url, some)[1] == {"ip_addresses": 1}


@given(st.text(st.sampled_from("aB1%40 @.:/?&=+#\\[]\t\x00é你\ud800Ff"), max_size=60) | st.text(max_size=40))
def test_any_string_is_an_address(url: str) -> None:
    text, places = decoded(url)
    assert len(places) == len(text) + 1
    assert places == sorted(places)
    assert places[-1] == len(url)
    new, counts = redact_address(url, CONFIG)
    assert (new == url) == (not counts)
    assert redact_json(json.dumps({url: [url]}), CONFIG)[1] == {} or "@" in text or "." in text or ":" in text


@pytest.mark.parametrize(
    ("raw", "tagged"),
    [
        ('{"mail":"jo@host.com","n":1.50,"t":true}', '{"mail":"[EMAIL]","n":1.50,"t":true}'),
        ('{"a":[{"jo@host.com":null}, "x\\u00e9"]}', '{"a":[{"[EMAIL]":null}, "x\\u00e9"]}'),
        ('{"card_number":5277716201469117,"id":5277716201469117}', '{"card_number":"[CARD]","id":5277716201469117}'),
        ('{"cardNumber":"5277716201469117"}', '{"cardNumber":"[CARD]"}'),
        ('{"ssn":"460-89-9847","ref":"460-89-9847"}', '{"ssn":"[US_SSN]","ref":"460-89-9847"}'),
        ('{"link":"https://jo@host.com/?m=a%2540b.org"}', '{"link":"https://%5BLOGIN%5D@host.com/?m=%5BEMAIL%5D"}'),
        ('{"q":"say \\"hi\\" to jo\\u0040host.com"}', '{"q":"say \\"hi\\" to [EMAIL]"}'),
        ('{"version":"106.31.73.20","server":"106.31.73.20"}', '{"version":"106.31.73.20","server":"[IPV4]"}'),
        ('{"q":"\\ud800 by jo@host.com 你"}', '{"q":"\\ud800 by [EMAIL] 你"}'),
        ("", ""),
        ('{"e":1e99,"big":123456789012345678901234567890}', '{"e":1e99,"big":123456789012345678901234567890}'),
    ],
)
def test_json(raw: str, tagged: str) -> None:
    assert redact_json(raw, TAGS)[0] == tagged
    if raw:
        assert json.loads(tagged).keys() == json.loads(raw).keys()


@pytest.mark.parametrize(
    ("record_id", "tagged"),
    [
        ("urn:uuid:0f1a2b3c-4607-8998-4700-106317320000", ""),
        ("00000000460898984752777162014691", ""),
        ("p-17", ""),
        ("jo@host.com", "[EMAIL]"),
        ("http://jo@host.com/?m=a@b.org", "http://%5BLOGIN%5D@host.com/?m=%5BEMAIL%5D"),
    ],
)
def test_ids_of_records(record_id: str, tagged: str) -> None:
    assert redact_id(record_id, TAGS)[0] == (tagged or record_id)


def draft(**columns: Any) -> Draft:
    made = Draft(Document(id="0" * 32, text="jo@host.com", language="en", **columns))
    made.stored = {"web": {"title": "By jo@host.com", "published": "2020-01-02", "description": None}, "wiki": None}
    return made


def test_the_step_replaces_columns_and_counts_them() -> None:
    edits: Counter[str] = Counter()
    some, clean = draft(url="https://jo@a.org/", metadata='{"m":"jo@host.com jo@b.org"}'), draft(url="https://a.org/")
    clean.stored["web"] = {"title": "A page", "published": None, "description": None}
    view = some.view
    RedactColumns("pii_columns", CONFIG, ("web", "wiki")).run([some, clean], edits)
    mail = redact(some.view, CONFIG).apply(some.document.text)
    assert some.document.url.startswith("https://name")
    assert json.loads(some.document.metadata)["m"].startswith(f"{mail} name")
    assert some.facts == {"web": {"title": f"By {mail}", "published": "2020-01-02", "description": None}}
    assert (some.document.text, some.view, some.edits) == ("jo@host.com", view, [])
    assert (clean.facts, clean.document.url) == ({}, "https://a.org/")
    assert edits == {"pii_columns:url_logins": 1, "pii_columns:metadata_emails": 2, "pii_columns:web_emails": 1}


def test_facts_of_a_text_that_is_being_read() -> None:
    some = draft()
    some.stored, some.measures = None, {"web": PageFacts(title="By jo@host.com", published="2020-01-02")}
    RedactColumns("pii_columns", TAGS, ("web", "wiki")).run([some], Counter())
    assert some.measures == {"web": PageFacts(title="By [EMAIL]", published="2020-01-02")}


def test_it_can_be_switched_off() -> None:
    edits: Counter[str] = Counter()
    some = draft(url="https://jo@a.org/")
    RedactColumns("pii_columns", PiiConfig(columns=False), ("web",)).run([some], edits)
    assert (some.document.url, some.facts, edits) == ("https://jo@a.org/", {}, {})


def test_values_without_personal_data_are_the_same_objects() -> None:
    for value in ("A title", "https://a.org/x?y=1"):
        assert redact_value(value, CONFIG)[0] is value
