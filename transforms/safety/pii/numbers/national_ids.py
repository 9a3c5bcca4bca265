"""National numbers of persons: of a public form and checksum, or named by a word before them.

A number is taken when its form and its check digits fit and a word names it (`PROVEN`); Italian, Finnish, Chinese,
Korean and Mexican numbers need no word, since nothing else has their form (`alone`, `LIKELY`). US, British and Danish
numbers have no check digit, so they need their word, but for `460-89-9847` with two hyphens, which is `POSSIBLE`
without one. Which numbers and words there are: `NATIONAL_IDS_KNOWN`.

Deviations. Presidio has fewer countries and takes an SSN by its form, with a low score. datatrove and Dolma have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from transforms.safety.pii.numbers import id_checks as check
from transforms.safety.pii.numbers.candidates import MIN_DIGITS, Number
from transforms.safety.pii.numbers.context import around, is_glued, is_named_otherwise
from transforms.safety.pii.spans import LIKELY, NATIONAL_IDS, POSSIBLE, PROVEN, Span

US_SSN = "us_ssn"
_NOT_PLAIN, _NO_DIGIT = re.compile("[^0-9A-Z]"), re.compile("[^0-9]")


@dataclass(frozen=True, slots=True)
class NationalId:
    """A number of one country: how it is written, how it is checked, what it is called."""

    kind: str  # ISO 3166 code of the country and a short name
    digits: tuple[int, ...]  # how many its run of digits has: no other run is looked at
    form: re.Pattern[str]  # as it is written
    check: check.Check
    words: re.Pattern[str]  # what it is called, in lower case
    alone: bool = False  # nothing else looks like it: no word is needed


def _of(
    kind: str, digits: tuple[int, ...], form: str, checked: check.Check, words: str, alone: bool = False
) -> NationalId:
    return NationalId(kind, digits, re.compile(form), checked, re.compile(words), alone)


_MARK = r"[ .\-]?"
NATIONAL_IDS_KNOWN: Sequence[NationalId] = (
    _of(US_SSN, (9,), r"\d{3}[- ]\d{2}[- ]\d{4}|\d{9}", check.us_ssn,
        r"\bssns?\b|social security|\bsoc\.? sec|\bss ?#|\btax ?payer id"),
    _of("ca_sin", (9,), rf"\d{{3}}{_MARK}\d{{3}}{_MARK}\d{{3}}", check.ca_sin,
        r"\bsin\b ?(?:#|:|no|number|is)|social insurance|assurance sociale|\bnas\b"),
    _of("gb_nino", (6,), r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", check.gb_nino,
        r"national insurance|\bnino\b|\bni (?:no|number|#)"),
    _of("gb_nhs", (10,), r"\d{3}[ -]?\d{3}[ -]?\d{4}", check.gb_nhs, r"\bnhs (?:no|number|nr|#|id)"),
    _of("es_dni", (7, 8), r"(?:[XYZ][ -]?\d{7}|\d{8}|\d{2}\.\d{3}\.\d{3})[ -]?[A-HJ-NP-TV-Z]", check.es_dni,
        r"\bd\.?n\.?i\b|\bn\.?i\.?[ef]\b|documento nacional|identidad"),
    _of("it_cf", (), r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]", check.it_cf,
        r"codice fiscale|cod\. ?fisc|\bc\.?f\b", alone=True),
    _of("fr_nir", (15, 6, 7), r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}", check.fr_nir,
        r"s[ée]curit[ée] sociale|\bnir\b|\bn° ?ss\b|\binsee\b"),
    _of("de_idnr", (11,), r"\d{2} ?\d{3} ?\d{3} ?\d{3}", check.de_idnr,
        r"steuer-?(?:liche )?id|\bidnr\b|identifikationsnummer|\btax id"),
    _of("nl_bsn", (9,), r"\d{9}|\d{4}\.\d{2}\.\d{3}", check.nl_bsn, r"\bbsn\b|burgerservice|sofi-?n"),
    _of("be_nn", (11,), r"\d{2}\.\d{2}\.\d{2}[-.]\d{3}[.\-]\d{2}|\d{11}", check.be_nn,
        r"rijksregister|registre national|num[ée]ro national|\binsz\b|\bniss\b|nationaal nummer"),
    _of("pl_pesel", (11,), r"\d{11}", check.pl_pesel, r"pesel"),
    _of("se_pnr", (10, 12), r"(?:19|20)?\d{6}[-+]?\d{4}", check.se_pnr,
        r"person-?(?:nr|nummer)|samordningsnummer|personal (?:id|identity)"),
    _of("fi_hetu", (6, 9, 10), r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", check.fi_hetu,
        r"henkil[öo]tunnus|\bhetu\b|personbeteckning", alone=True),
    _of("dk_cpr", (10,), r"\d{6}[- ]?\d{4}", check.dk_cpr, r"\bcpr\b|personnummer"),
    _of("no_fnr", (11,), r"\d{6}[ ]?\d{5}", check.no_fnr, r"f[øo]dselsn|personnummer|\bfnr\b|d-nummer"),
    _of("br_cpf", (11,), r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}", check.br_cpf, r"\bcpf\b|cadastro de pessoas"),
    _of("in_aadhaar", (12,), r"\d{4}[ -]?\d{4}[ -]?\d{4}", check.in_aadhaar, r"aa?dh?aa?r|\buidai?\b|आधार"),
    _of("cn_ric", (17, 18), r"\d{17}[\dXx]", check.cn_ric, r"身份证|身份證|公民身份", alone=True),
    _of("kr_rrn", (13,), r"\d{6}-[0-9]\d{6}", check.kr_rrn,
        r"주민(?:등록)?번호|resident registration", alone=True),
    _of("jp_my_number", (12,), r"\d{4}[ -]?\d{4}[ -]?\d{4}", check.jp_my_number,
        r"マイナンバー|個人番号|\bmy number\b"),
    _of("za_id", (13,), r"\d{6} ?\d{4} ?\d{2} ?\d|\d{13}", check.za_id,
        r"\bid (?:no|number|nr|#)|\bidentity (?:no|number)|\bsa id\b"),
    _of("mx_curp", (), r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", check.mx_curp, r"\bcurp\b", alone=True),
    _of("sg_nric", (7,), r"[STFGM]\d{7}[A-Z]", check.sg_nric, r"\bnric\b|\bfin\b ?(?:no|number|:)|identity card"),
    _of("tr_kimlik", (11,), r"[1-9]\d{10}", check.tr_kimlik, r"\bt\.?c\.? ?(?:kimlik|no)|kimlik n"),
    _of("ro_cnp", (13,), r"\d{13}", check.ro_cnp, r"\bcnp\b|cod numeric personal"),
    _of("cz_rc", (10,), r"\d{6}/\d{4}|\d{10}", check.cz_rc, r"rodn[ée] [čc][íi]s|\br\.? ?[čc]\b"),
    _of("tw_id", (9,), r"[A-Z][12]\d{8}", check.tw_id, r"身分證|身份證|統一編號|national id"),
)  # fmt: skip

_BY_DIGITS = {n: [known for known in NATIONAL_IDS_KNOWN if n in known.digits] for n in range(MIN_DIGITS, 19)}
_OF_LETTERS = [known for known in NATIONAL_IDS_KNOWN if not known.digits]


def find_national_ids(text: str, numbers: Iterable[Number], tokens: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Yield the numbers of persons among runs of digits, then those among runs of letters and digits."""
    for number in numbers:
        yield from _at_number(text, number)
    for start, end in tokens:
        if end - start in (16, 18):  # the Italian and the Mexican number
            yield from _found(text, start, start + 1, _OF_LETTERS)


def _at_number(text: str, number: Number) -> Iterator[Span]:
    """Yield what the run is, or else what its pieces between blanks are; letters before and after it count."""
    found = list(_found(text, number.start - 3, number.start + 1, _BY_DIGITS.get(len(number.digits), ())))
    if not found and " " in number.text:
        at = number.start
        for piece in number.text.split(" "):
            known = _BY_DIGITS.get(sum(map(str.isdigit, piece)), ()) if len(piece) >= MIN_DIGITS else ()
            found += _found(text, at - 3 * (at == number.start), at + 1, known)
            at += len(piece) + 1
    yield from found


def _found(text: str, low: int, high: int, ids: Iterable[NationalId]) -> Iterator[Span]:
    """Yield the number that starts at `low` or after it, before `high`."""
    for known in ids:
        for start in range(max(0, low), high):
            match = known.form.match(text, start)
            if match is None or is_glued(text, start, match.end()):
                continue
            compact = _NOT_PLAIN.sub("", match[0].upper())
            if not known.check(compact) or not _NO_DIGIT.sub("", compact)[:-4].strip("0"):  # our replacements are none
                continue
            confidence = _confidence(text, start, match, known)
            if confidence:
                yield Span(start, match.end(), known.kind, NATIONAL_IDS, confidence)
                return


def _confidence(text: str, start: int, match: re.Match[str], known: NationalId) -> float:
    """Return how sure it is that a valid number is meant for one; 0: not at all."""
    if known.words.search(around(text, start, match.end())):
        return PROVEN
    if is_named_otherwise(text, start):
        return 0.0
    if known.alone:
        return LIKELY
    return POSSIBLE if known.kind == US_SSN and match[0].count("-") == 2 else 0.0
