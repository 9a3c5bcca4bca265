"""Accounts and national numbers: valid ones found, invalid ones and numbers of other things left."""

from __future__ import annotations

import itertools

import pytest

from transforms.safety.pii.numbers.accounts import IBAN_LENGTHS, is_iban, luhn
from transforms.safety.pii.redact import PiiConfig, find_spans, redact
from transforms.safety.pii.spans import LIKELY, POSSIBLE, PROVEN
from transforms.step import Edit
from transforms.text.view import TextView

EVERYTHING = PiiConfig(min_confidence=0)


def found(text: str, config: PiiConfig | None = None) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find_spans(text, config)]


@pytest.mark.parametrize(
    ("text", "number", "confidence"),
    [
        ("My card 4131034282458809939 is", "4131034282458809939", PROVEN),
        ("card number is 5277 7162 0146 9117.", "5277 7162 0146 9117", PROVEN),
        ("card 5277.7162.0146.9117.", "5277.7162.0146.9117", PROVEN),
        ("tarjeta: 5277-7162-0146-9117", "5277-7162-0146-9117", PROVEN),
        ("カード番号は3474 159773 07943です", "3474 159773 07943", PROVEN),
        ("cc 060426070011 on", "060426070011", PROVEN),  # of no issuer, but named
        ("pay to 5277 7162 0146 9117 now", "5277 7162 0146 9117", LIKELY),
        ("pay to 5277716201469117 now", "5277716201469117", POSSIBLE),
        ("card 5277\u20117162\u20110146\u20119117", "5277\u20117162\u20110146\u20119117", PROVEN),  # no-break hyphens
    ],
)
def test_cards(text: str, number: str, confidence: float) -> None:
    (span,) = find_spans(text, EVERYTHING)
    assert (span.kind, text[span.start : span.end], span.confidence) == ("card", number, confidence)
    assert bool(find_spans(text)) == (confidence >= PiiConfig().min_confidence)


@pytest.mark.parametrize(
    "text",
    [
        "card 5277716201469118",  # Luhn
        "card 4242 4242 4242 4242 and card 378282246310005",  # numbers for tests
        "card 0000 0000 0000 4711",  # our own replacement
        "Credit card, transaction_id: 175127809780606937",
        "card EAN 4006381333931",
        "IMEI 490154203237518 SIM card",
        "SIM card 8944500102198304826",
        "1990 1991 1992 1996",  # passes Luhn
        "https://host.com/card/5277716201469117/x and card_5277716201469117",
        "5277 7162 0146 9117 1234 5678",  # a row of a table
    ],
)
def test_no_cards(text: str) -> None:
    assert found(text, EVERYTHING) == []


@pytest.mark.parametrize(
    "text",
    [
        "DE54 5205 0353 0002 0650 69",
        "GB56HXDO88167774656119",
        "GB82 WEST 1234 5698 7654 32",
        "FR14 2004 1010 0505 0001 3M02 606",
        "MT84MALT011000012345MTLCAST001S",
        "NO93 8601 1117 947",
        "BR18 0036 0305 0000 1000 9795 493C 1",
        "CH56\xa00900\xa00000\xa08952\xa01766\xa07",
    ],
)
def test_ibans(text: str) -> None:
    assert found(f"to {text}, please") == [("iban", text)]
    assert found(f"to {text[:-2]}9{text[-1]}, please") == []  # another last digit but one
    assert found(f"IBAN {text.lower()}") == [("iban", text.lower())]
    assert found(f"build {text.lower().replace(' ', '')}x") == []


def test_checksums() -> None:
    assert (luhn("79927398713"), luhn("79927398710")) == (True, False)
    assert (is_iban("GB82WEST12345698765432"), is_iban("GB82WEST1234569876543")) == (True, False)
    assert is_iban("GB00WEST12345698765432") is False
    assert (len(IBAN_LENGTHS), min(IBAN_LENGTHS.values()), max(IBAN_LENGTHS.values())) == (89, 15, 33)


# Published examples of the issuing offices and of Wikipedia's articles, or made by the algorithm; nobody's.
NATIONAL = [
    ("us_ssn", "my SSN is {}", "460-89-9847", "000-89-9847"),
    ("us_ssn", "social security number: {}", "460899847", "666899847"),
    ("ca_sin", "Social Insurance Number {}", "130 692 544", "130 692 545"),
    ("gb_nino", "National Insurance number {}", "AB 12 34 56 C", "GB 12 34 56 C"),
    ("gb_nhs", "NHS number: {}", "943 476 5919", "943 476 5918"),
    ("es_dni", "con DNI {}", "12345678Z", "12345678A"),
    ("es_dni", "NIE: {}", "X-1234567-L", "X-1234567-M"),
    ("it_cf", "nato a Roma, {}", "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
    ("fr_nir", "sécurité sociale {}", "2 95 10 99 126 111 93", "2 95 10 99 126 111 94"),
    ("de_idnr", "Steuer-ID {}", "36 574 261 809", "36 574 261 808"),
    ("nl_bsn", "BSN {}", "111222333", "111222334"),
    ("be_nn", "rijksregisternummer {}", "85.07.30-033.28", "85.07.30-033.29"),
    ("pl_pesel", "PESEL {}", "44051401359", "44051401358"),
    ("se_pnr", "personnummer {}", "811218-9876", "811318-9876"),
    ("fi_hetu", "syntynyt, {}", "131052-308T", "131052-308U"),
    ("no_fnr", "fødselsnummer {}", "17054026641", "17054026642"),
    ("br_cpf", "CPF {}", "529.982.247-25", "529.982.247-24"),
    ("in_aadhaar", "Aadhaar: {}", "2341 2341 2346", "2341 2341 2347"),
    ("cn_ric", "号码：{}", "11010519491231002X", "110105194912310021"),
    ("kr_rrn", "번호 {}", "971013-9019902", "971013-9019903"),
    ("jp_my_number", "マイナンバー {}", "1234 5678 9018", "1234 5678 9019"),
    ("za_id", "ID number {}", "8001015009087", "8001015009088"),
    ("mx_curp", "registro {}", "BOXW310820HNERXN09", "BOXW310820HNERXN08"),
    ("sg_nric", "NRIC {}", "S1234567D", "S1234567E"),
    ("tr_kimlik", "T.C. Kimlik No: {}", "10000000146", "10000000147"),
    ("ro_cnp", "CNP {}", "1630615123457", "1630615123458"),
    ("cz_rc", "rodné číslo {}", "710319/2745", "710319/2746"),
    ("tw_id", "身分證 {}", "A123456789", "A123456788"),
]
NEED_NO_WORD = {"it_cf", "fi_hetu", "cn_ric", "kr_rrn", "mx_curp"}


@pytest.mark.parametrize(("kind", "sentence", "valid", "invalid"), NATIONAL)
def test_national_ids(kind: str, sentence: str, valid: str, invalid: str) -> None:
    assert found(sentence.format(valid)) == [(kind, valid)]
    assert [what for what, _ in found(sentence.format(invalid)) if what == kind] == []
    assert found(f"the value {valid} of") == ([(kind, valid)] if kind in NEED_NO_WORD else [])
    assert found(f"{sentence.format(valid)}, 2015 12") == [(kind, valid)]


def test_two_national_ids_of_a_page_are_both_replaced_whatever_their_order() -> None:
    apart = "\n" + "Later in the page are words alone. " * 3 + "\n"
    kept, changed = [], []
    for one, other in itertools.product([(sentence, valid) for _, sentence, valid, _ in NATIONAL], repeat=2):
        values = [one[1], other[1]]
        text = apart.join(sentence.format(value) for sentence, value in (one, other))
        once = redact(TextView(text), PiiConfig()).apply(text)
        if [value for _, value in found(text)] != values or any(value in once for value in values):
            kept.append(values)
        if redact(TextView(once), PiiConfig()) != Edit():
            changed.append((text, once))
    assert (kept, changed) == ([], [])


def test_a_replacement_beside_other_numbers_is_no_national_id() -> None:
    changed = []
    for _, sentence, valid, _ in NATIONAL:
        text = sentence.format(f"{valid} / 123456")
        for key in map(str, range(40)):  # one replacement of a hundred has the check digits of a CPF by chance
            once = redact(TextView(text), PiiConfig(key=key)).apply(text)
            if redact(TextView(once), PiiConfig(key=key)) != Edit():
                changed.append((text, once))
                break
    assert changed == []


def test_the_word_may_come_after_the_number_in_its_line() -> None:
    assert found("460-89-9847 is my SSN") == [("us_ssn", "460-89-9847")]
    assert found("460-89-9847\nThe SSN of") == []
    assert found("460-89-9847\nThe SSN of", PiiConfig(min_confidence=0.6)) == [("us_ssn", "460-89-9847")]
    assert found("(460 89 9847)", PiiConfig(min_confidence=0)) == []
    assert found("5277716201469117 is the card") == [("card", "5277716201469117")]


def test_a_value_that_is_sure_in_one_place_is_taken_in_all() -> None:
    assert found("5277716201469117 1\n5277716201469117") == []
    assert found("5277716201469117 x\nthe other card:\n5277 7162 0146 9117") == [
        ("card", "5277716201469117"),
        ("card", "5277 7162 0146 9117"),
    ]


def test_numbers_beside_others() -> None:
    assert found("SSN 460-89-9847 2015 12") == [("us_ssn", "460-89-9847")]
    assert found("NRIC S1234567D 2015 1234567 12345678") == [("sg_nric", "S1234567D")]
    assert found("ID number 8001015009087 / 8001015009087") == [("za_id", "8001015009087")] * 2


def test_a_date_of_birth_names_a_danish_number() -> None:
    assert found("CPR-nummer 070761-4285") == [("dk_cpr", "070761-4285")]
    assert found("CPR-nummer 073161-4285") == []


SURVIVE = """\
The constant is 299792458 m/s, pi 3.14159265358979323846, N_A = 6.02214076e23; 1234567890 * 9876543210.
x = 4131034282458809939 + 0x7fffffffffffffff; int64_t seed = 5277716201469117;
versions 10.15.7.1, 2024.11.0, v1.2.3-beta.4, 115.0.5790.170
doi:10.1016/j.cell.2015.05.002, https://doi.org/10.1000/182, 10.1103/PhysRevLett.116.061102
ISBN 978-3-16-148410-0, ISBN-10: 0-306-40615-2, ISSN 2049-3630, arXiv:1706.03762, PMID 30049270, OCLC 1234567890
2015-03-12 14:05:33, 12/05/2015, 12.05.2015 - 14.06.2016, 1990-1995, 20150312, 1990 1991 1992 1993 1996
SKU 5277716201469117, part no. 460-89-9847, model 900-1G133-2530-000, EAN 4006381333931, order 111222333
sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 commit 9fceb02d0ae598e95dc970b74767f19372d61af8
550e8400-e29b-41d4-a716-446655440000 AKIAIOSFODNN7EXAMPLE
ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx sk_test_4eC39HqLyjWDarj
postgres://user:password@localhost:5432/db https://${USER}:${TOKEN}@git.host.com/x ftp://<user>:<pass>@host.com
1 000 000 000 000 | 12 345 678 | 1.234.567,89 EUR | 100,000,000 | 52.520008, 13.404954 | 1:25000000
123-45-6789 in a list, 853-37-1694 too; 529.982.247-25; 943 476 5919; 44051401359
"""


def test_numbers_of_other_things_survive() -> None:
    assert found(SURVIVE) == []
    assert [what for line in SURVIVE.splitlines() for what in found(line)] == []
