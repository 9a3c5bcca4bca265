"""What is raised above the line, `sup`: exponents, marks of notes, ordinals. Written out, each keeps its meaning.

    10<sup>6</sup>, m<sup>2</sup>, x<sup>n</sup>     10^6, m^2, x^n
    in 1998<sup>2</sup>, survey<sup>b</sup>          in 1998 [2], survey [b]
    1<sup>st</sup>, M<sup>lle</sup>, Ca<sup>2+</sup> 1st, Mlle, Ca^2+
    3<sup>1</sup>/<sub>2</sub>, <sup>1</sup>See      3 1/2, 1 See
    $19<sup>99</sup>, 8<sup>30</sup>                 $19.99, 8:30

A number above a number is an exponent unless the lower one has four digits or more (a year, an amount), or letters
before it (a model's name); above one letter or a unit it is one, too, and above other words it is a note's mark. All of
this is our choice: nothing in the markup tells an exponent from a note without a link.
"""

from __future__ import annotations

import re
from typing import Final

from transforms.extraction.parsing.names import names

LONGEST: Final = 40  # characters of what is looked at; longer ones are text that a page sets high (our value)
BEFORE: Final = 24  # characters before it that tell what it is
_UNITS: Final = names(
    "nm um µm μm mm cm dm km ft in yd mi mile miles mil kg mg hm pc ly sec min hr px sq meter meters metre metres feet"
    " foot inch inches hectares dag rad sr bit dyn erg eV keV MeV GeV Hz kHz MHz GHz kPa MPa GPa Pa mol cal kcal Torr"
)
_ORDINALS: Final = names(
    "st nd rd th er re ère ere ème eme ier ière o a e os as es d ds s me mme mmes lle mlle r rs dr gr ta te to de"
)
_POWERS: Final = names("i j k m n p q t x y z N M T P L K X")  # letters that are exponents, and no ordinals of one
_MARKS: Final = {"TM": "™", "tm": "™", "SM": "℠", "sm": "℠"}
_DEGREES: Final = names("o 0 º ∘ °")
_BASE: Final = re.compile(r"[^\W_]*[.,]?[^\W_]+$")
_SIGNED: Final = re.compile(
    r"[-−–+±]\s?\d[\d.,]*|\d{0,2}[-−–+]|[-−–]\d*[a-zA-Z]|\d{0,2}[a-zA-Z][-−–+]\d+|[-−–]?\d+/\d+"
)
_NUMBER: Final = re.compile(r"\d{1,3}")
_NOTE: Final = re.compile(r"[\d\s,;–-]*\d|[a-z]|[ivx]{1,5}")
_PRICE: Final = re.compile(r"[$€£¥₹]\s?\d[\d.,\s]*$")
_CLOCK: Final = re.compile(r"[01]?\d|2[0-4]")
_QUARTERS: Final = names("15 30 45")
_ELEMENT: Final = re.compile(r"[A-Z][a-z]?(?![a-z])")
_OPERATION: Final = re.compile(r"[-+−*/·×^=]|\([a-zA-Z]$")
_SHORT_BASE: Final = 3  # digits of a number that may have an exponent, characters of one that may be counted


def raised(text: str, before: str, after: str, *, is_link: bool) -> str:
    """Return how a raised text is written. `before`: the text of its block so far, or its end; `after`: the beginning
    of what follows; `is_link`: it leads somewhere, as a note's mark does."""
    if text in _MARKS and before and before[-1].isalnum():
        return _MARKS[text]
    if not any(map(str.isalnum, text)) or text[0] in "[(.,":
        return text  # * and † and [1], which look the same on the line
    last = before[-1:]
    if not last or last.isspace():
        is_number = _NUMBER.fullmatch(text) is not None and after[:1].isalpha() and not _ELEMENT.match(after)
        return f"{text} " if is_number and not before.strip() else text
    if after[:1] in ("/", "⁄") and last.isdigit() and text.isdigit():
        return f" {text}"  # a fraction after a whole number
    if last.isdigit() and text in _DEGREES and after.lstrip()[:1] in ("C", "F"):
        return "°"
    if text.isdigit():
        return _number(text, before, after, is_link=is_link)
    if is_link and _NOTE.fullmatch(text):
        return f" [{text}]"
    if _SIGNED.fullmatch(text):
        return f"^{text}"
    base = _base_of(before)
    if text.lower() in _ORDINALS and (len(text) > 1 or len(base) <= _SHORT_BASE):
        return text
    if text in _POWERS or (len(text) == 1 and text.isalpha() and base.isdigit()):
        return f"^{text}" if _takes_exponents(base, before) else f" [{text}]"
    if _NOTE.fullmatch(text):
        return f" [{text}]"
    return text if text.isalpha() and len(text) <= _SHORT_BASE else f" {text}"


def _number(text: str, before: str, after: str, *, is_link: bool) -> str:
    if is_link:
        return f" [{text}]"
    if len(text) == 2 and before[-1].isdigit() and (_PRICE.search(before) or after.lstrip()[:1] in ("€", "$", "£")):
        return f".{text}"
    base = _base_of(before)
    if (text == "00" or (text in _QUARTERS and base not in ("2", "10"))) and _CLOCK.fullmatch(base):
        return f":{text}"
    return f"^{text}" if _takes_exponents(base, before) else f" [{text}]"


def _base_of(before: str) -> str:
    """Return the word or number at the end of a text, with its decimals."""
    found = _BASE.search(before)
    return found[0] if found else ""


def _takes_exponents(base: str, before: str) -> bool:
    """Return whether what ends `before` is a number, a variable, a unit or an expression in brackets."""
    if not base:
        if before[-1:] not in (")", "]", "|"):
            return False
        inside = before[max(before.rfind("("), before.rfind("["), before.rfind("|", 0, -1), 0) : -1]
        return _OPERATION.search(inside) is not None
    if base.isalpha():
        return len(base) == 1 or base in _UNITS
    if base[0].isdigit() and base[-1].isalpha():  # 4x, 25m, 3km
        unit = base.lstrip("0123456789.,")
        return unit.isalpha() and (len(unit) == 1 or unit in _UNITS)
    digits = base.replace(".", "").replace(",", "")
    return digits.isdigit() and len(base.partition(".")[0]) <= _SHORT_BASE
