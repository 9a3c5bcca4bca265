"""Check digits of national numbers: functions from a number in capitals, without separators, to whether it is valid.

Sources: the publications of the issuing offices, as Wikipedia's article of each number gives them; compared with
python-stdnum on random numbers (LOG.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from transforms.safety.pii.numbers.accounts import luhn

Check = Callable[[str], bool]

_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_CF_LETTERS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)  # A to Z
_CURP = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
_VERHOEFF = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043",
    "8765932104", "9876543210",
)  # fmt: skip
# Numbers that everybody knows from advertisements; SSA says that they were never or are no longer anybody's.
_FAMOUS_SSN = frozenset(("078051120", "219099999", "123456789", "111111111", "999999999"))


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Return the sum of the digits times their weights."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def is_date(year: str, month: str, day: str) -> bool:
    """Say whether there is such a day; a year of two digits may be of either century."""
    y, m, d = int(year), int(month), int(day)
    try:
        date(y + 2000 if len(year) == 2 else y, m, d)
    except ValueError:
        return False
    return len(year) == 2 or 1850 <= y <= 2100


def us_ssn(n: str) -> bool:
    """Area not 000, 666 or 9xx, group not 00, serial not 0000: there is no check digit."""
    return n[:3] not in ("000", "666") and n[0] != "9" and n[3:5] != "00" and n[5:] != "0000" and n not in _FAMOUS_SSN


def ca_sin(n: str) -> bool:
    return n[0] not in "08" and luhn(n)


def gb_nino(n: str) -> bool:
    return n[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


def gb_nhs(n: str) -> bool:
    return (11 - weighted(n, range(10, 1, -1)) % 11) % 11 == int(n[9])


def es_dni(n: str) -> bool:
    digits = n[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return _DNI[int(digits) % 23] == n[-1]


def it_cf(n: str) -> bool:
    values = [int(sign) if sign.isdigit() else ord(sign) - ord("A") for sign in n[:15]]
    odd = sum(_CF_LETTERS[value] for value in values[::2])  # a digit counts as the letter in its place
    return chr(ord("A") + (odd + sum(values[1::2])) % 26) == n[15]


def fr_nir(n: str) -> bool:
    department = n[5:7]
    body = n[:13] if department.isdigit() else n[:5] + {"2A": "19", "2B": "18"}.get(department, "xx") + n[7:13]
    return body.isdigit() and n[3:5] != "00" and 97 - int(body) % 97 == int(n[13:])


def de_idnr(n: str) -> bool:
    """ISO 7064, mod 11, 10; of the first ten digits one occurs twice or three times, the others once."""
    counts = sorted(map(n[:10].count, set(n[:10])))
    if n[0] == "0" or counts[-1] not in (2, 3) or counts[:-1].count(1) != len(counts) - 1:
        return False
    product = 10
    for digit in n[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(n[10])


def nl_bsn(n: str) -> bool:
    return weighted(n[:8], range(9, 1, -1)) % 11 == int(n[8])


def be_nn(n: str) -> bool:
    known = is_date(n[:2], n[2:4], n[4:6]) or n[2:4] == "00"
    return known and any(97 - int(century + n[:9]) % 97 == int(n[9:]) for century in ("", "2"))


def pl_pesel(n: str) -> bool:
    month = int(n[2:4]) % 20
    return is_date(n[:2], f"{month:02}", n[4:6]) and -weighted(n, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10 == int(n[10])


def se_pnr(n: str) -> bool:
    n = n[-10:]
    return is_date(n[:2], n[2:4], f"{int(n[4:6]) % 60:02}") and luhn(n)


def fi_hetu(n: str) -> bool:
    n = n[:6] + n[-4:]  # without the sign of the century
    return "002" <= n[6:9] <= "899" and is_date(n[4:6], n[2:4], n[:2]) and _HETU[int(n[:9]) % 31] == n[9]


def dk_cpr(n: str) -> bool:
    """A date alone: the check digit is given up since 2007."""
    return is_date(n[4:6], n[2:4], n[:2])


def no_fnr(n: str) -> bool:
    first = -weighted(n, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -weighted(n, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    day = int(n[:2]) % 40
    return is_date(n[4:6], n[2:4], f"{day:02}") and (first, second) == (int(n[9]), int(n[10]))


def br_cpf(n: str) -> bool:
    first = weighted(n, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(n, range(11, 1, -1)) * 10 % 11 % 10
    return len(set(n)) > 1 and (first, second) == (int(n[9]), int(n[10]))


def in_aadhaar(n: str) -> bool:
    """Verhoeff's check digit."""
    state = "0"
    for at, digit in enumerate(reversed(n)):
        state = _DIHEDRAL[int(state)][int(_VERHOEFF[at % 8][int(digit)])]
    return n[0] not in "01" and state == "0"


def cn_ric(n: str) -> bool:
    total = weighted(n[:17], (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
    return n[0] in "12345678" and is_date(n[6:10], n[10:12], n[12:14]) and "10X98765432"[total % 11] == n[17]


def kr_rrn(n: str) -> bool:
    total = weighted(n, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))
    return is_date(n[:2], n[2:4], n[4:6]) and (11 - total % 11) % 10 == int(n[12])


def jp_my_number(n: str) -> bool:
    rest = weighted(n, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest <= 1 else 11 - rest) == int(n[11])


def za_id(n: str) -> bool:
    return is_date(n[:2], n[2:4], n[4:6]) and n[10] in "01" and luhn(n)


def mx_curp(n: str) -> bool:
    total = sum(_CURP.index(sign) * (18 - at) for at, sign in enumerate(n[:17]))
    return is_date(n[4:6], n[6:8], n[8:10]) and -total % 10 == int(n[17])


def sg_nric(n: str) -> bool:
    total = weighted(n[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"S": 0, "F": 0, "T": 4, "G": 4, "M": 3}[n[0]]
    table = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}[n[0]]
    return (table[10 - total % 11] if n[0] == "M" else table[total % 11]) == n[8]


def tr_kimlik(n: str) -> bool:
    odd, even = sum(map(int, n[0:9:2])), sum(map(int, n[1:8:2]))
    tenth = (odd * 7 - even) % 10
    return n[0] != "0" and (tenth, (odd + even + tenth) % 10) == (int(n[9]), int(n[10]))


def ro_cnp(n: str) -> bool:
    rest = weighted(n, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return (
        "01" <= n[7:9] <= "52"
        and n[0] != "0"
        and is_date(n[1:3], n[3:5], n[5:7])
        and (1 if rest == 10 else rest) == int(n[12])
    )


def cz_rc(n: str) -> bool:
    month = int(n[2:4]) % 50
    month = month - 20 if month > 20 else month
    return is_date(n[:2], f"{month:02}", n[4:6]) and (int(n[:9]) % 11 % 10 == int(n[9]))


def tw_id(n: str) -> bool:
    code = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(n[0]) + 10
    return (code // 10 + code % 10 * 9 + weighted(n[1:9], range(8, 0, -1)) + int(n[9])) % 10 == 0
