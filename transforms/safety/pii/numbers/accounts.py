"""Numbers of payment cards and international bank accounts: proven by their checksums.

Card   12 to 19 digits, in one piece or in the groups of a card, with Luhn's check digit (ISO/IEC 7812-1). With a word
       that names it (card, Visa, tarjeta, ...) any such number; without one it must be grouped as on a card and begin
       as an issuer's (`LIKELY`), or be in one piece and begin so (`POSSIBLE`: one product number in thirty passes
       both). The test numbers that payment services publish are left.
IBAN   ISO 13616: country, two check digits (mod 97 is 1) and exactly the country's length; small letters need a word.

Deviations. Presidio takes a number by Luhn and issuer alone; its IBANs are ours. datatrove and Dolma have neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from transforms.safety.pii.numbers.candidates import Number
from transforms.safety.pii.numbers.context import around, before, is_glued, is_named_otherwise
from transforms.safety.pii.spans import CARDS, IBANS, LIKELY, POSSIBLE, PROVEN, Span

CARD, IBAN = "card", "iban"

_GROUPED = re.compile(r"[0-9]{4}([ .-])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?|[0-9]{4}([ .-])[0-9]{6}\2[0-9]{4,5}")
_IN_ONE = re.compile(r"[0-9]{12,19}")
_ISSUER = re.compile(
    r"(?:4(?:.{12}|.{15}|.{18})|5[1-5].{14}|2(?:22[1-9]|2[3-9].|[3-6]..|7[01].|720).{12}|3[47].{13}|3(?:0[0-5]|[68].).{11}"
    r"|6(?:011|5..|4[4-9].).{12}|35(?:2[89]|[3-8].).{12}|62.{14,17}|(?:5018|5020|5038|6304|6759|676[1-3]).{8,15})\Z"
)
_CARD_WORDS = re.compile(
    r"\b(?:(?<!sim.)cards?|visa|master ?card|maestro|amex|american express|diners|unionpay|jcb|cc|karten?|"
    r"kreditkarte\w*|cartes?|tarjetas?|cart[aãõ]o?|carte|creditcard\w*|\w*kaart|\w*kort\w*|karta|karty|kartes?i|kart[aıu]?)\b"
    r"|карт[аыуе]|信用卡|银行卡|銀行卡|卡号|カード|카드"
)
# Published for tests by Stripe, PayPal, Adyen and Visa.
_TEST_NUMBERS = frozenset((
    "4242424242424242", "4111111111111111", "4012888888881881", "4000056655665556", "5555555555554444",
    "5105105105105100", "2223003122003222", "378282246310005", "371449635398431", "6011111111111117",
    "6011000990139424", "30569309025904", "38520000023237", "3530111333300000", "3566002020360505", "4222222222222",
    "4000000000000002",
))  # fmt: skip
# ISO 13616 registry: characters of an IBAN by country.
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})[0-9]{2}(?=[ -]?[A-Za-z0-9])")
_IBAN_BEFORE = 12  # characters before a run of digits where its IBAN may start: `GB82 WEST `
_IBAN_WORDS = re.compile(r"\biban\b|\baccount\b|\bkonto\b|\bcompte\b|\bcuenta\b")


def luhn(digits: str) -> bool:
    """Say whether the last digit is Luhn's check digit of those before it."""
    doubled = sum((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[int(digit)] for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


def is_iban(compact: str) -> bool:
    """Say whether `compact`, in capitals and without blanks, is an IBAN of its country's length and checksum."""
    if IBAN_LENGTHS.get(compact[:2]) != len(compact) or not (compact.isascii() and compact.isalnum()):
        return False
    if not compact[2:4].isdigit() or not 2 <= int(compact[2:4]) <= 98:  # 00 and 01, of our replacements too, are none
        return False
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


def find_cards(text: str, numbers: Iterable[Number]) -> Iterator[Span]:
    """Yield the card numbers among `numbers`."""
    for number in numbers:
        digits = number.digits
        if not 12 <= len(digits) <= 19:
            continue
        grouped = _GROUPED.fullmatch(number.text) is not None
        if not (grouped or _IN_ONE.fullmatch(number.text)) or not luhn(digits) or digits in _TEST_NUMBERS:
            continue
        if len(set(digits)) < 3 or not digits[:-4].strip("0") or is_glued(text, number.start, number.end):
            continue
        if is_named_otherwise(text, number.start):
            continue
        if _CARD_WORDS.search(around(text, number.start, number.end)):
            yield Span(number.start, number.end, CARD, CARDS, PROVEN)
        elif _ISSUER.match(digits):
            yield Span(number.start, number.end, CARD, CARDS, LIKELY if grouped else POSSIBLE)


def find_ibans(text: str, numbers: Iterable[Number]) -> Iterator[Span]:
    """Yield the IBANs that have one of `numbers` in them."""
    end = 0
    for number in numbers:
        if number.start < end:
            continue
        low = max(end, number.start - _IBAN_BEFORE)
        for start in _IBAN_START.finditer(text, low, min(len(text), number.start + 6)):
            length = IBAN_LENGTHS.get(start[1].upper())
            stop = _end_of(text, start.start(), length) if length else 0
            compact = re.sub("[ -]", "", text[start.start() : stop]).upper()
            if not stop or not is_iban(compact):
                continue
            if start[1].isupper() or _IBAN_WORDS.search(before(text, start.start())):
                end = stop
                yield Span(start.start(), stop, IBAN, IBANS, PROVEN)
                break


def _end_of(text: str, start: int, length: int) -> int:
    """Return where `length` letters and digits end, single blanks or hyphens between them; 0 where there is no end."""
    at, left, blank = start, length, False
    while at < len(text) and left:
        sign = text[at]
        if sign.isascii() and sign.isalnum():
            left, blank = left - 1, False
        elif sign in " -" and not blank:
            blank = True
        else:
            return 0
        at += 1
    return 0 if left or (at < len(text) and text[at].isascii() and text[at].isalnum()) else at
