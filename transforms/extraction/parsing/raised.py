"""What is raised or lowered, `sup` and `sub`: exponents, indices, marks of notes, ordinals. Each keeps its meaning.

    10<sup>6</sup>, m<sup>2</sup>, x<sup>n</sup>     10^6, m^2, x^n
    in 1998<sup>2</sup>, survey<sup>b</sup>          in 1998 [2], survey [b]
    1<sup>st</sup>, M<sup>lle</sup>, Ca<sup>2+</sup> 1st, Mlle, Ca^2+
    3<sup>1</sup>/<sub>2</sub>, <sup>1</sup>See      3 1/2, 1 See
    $19<sup>99</sup>, 8<sup>30</sup>                 $19.99, 8:30
    a<sup>m+n</sup>, e<sup>iπ</sup>, a<sup>m</sup>b  a^(m+n), e^iπ, a^m b

A number above a number is an exponent unless the lower one has four digits or more (a year, an amount), or letters
before it (a model's name); above one letter, a unit or a function's name it is one, too, and above other words it is a
note's mark. Letters and terms are exponents above the same, where they are no ordinals. All of this is our choice:
nothing in the markup tells an exponent from a note without a link.

What is lowered (`sub`) goes on the line, H2O, x1, unless a reader would misread it there: after the name of a function,
a number or an exponent, log_2 8, 101_2, x^2_1; as a term, a_(n+1); before a digit, x1 2.
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
_FUNCTIONS: Final = names("sin cos tan cot sec csc sinh cosh tanh log ln lg exp det")  # sin^2 x
_LIMITS: Final = names("log ln lg lim max min sup inf sum argmax argmin arg")  # log_2
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
_GREEK: Final = re.compile(r"[a-zA-Z]{0,3}[\u0370-\u03ff][a-zA-Z\u0370-\u03ff]{0,3}")
_TERM: Final = re.compile(r"(?=.*[a-zA-Z\u0370-\u03ff])[a-zA-Z0-9\u0370-\u03ff()\[\]+\-−–±*/·×^=!.,'′²³]*[\w)\]!′²³]")
_RANGE: Final = re.compile(r"[a-z]\s?[-–]\s?[a-z]")  # marks of notes above a number
_EXPONENT: Final = re.compile(r"\^(?:[\w−–-]+|\([^()]*\))$")
_LETTERS: Final = re.compile(r"[a-zA-Z]+")
_AROUND: Final = re.compile(r"\s*([-+−–±*/·×^=<>,])\s*")
_INSIDE: Final = re.compile(r"[\w)\]!′²³][-+−–±*/·×=][\w(\[+\-−]")  # an operator between two terms
_COEFFICIENT: Final = re.compile(r"[-−–]?\d{1,3}[a-zA-Z\u0370-\u03ff]{1,2}")
_ARGUMENT: Final = re.compile(r"\([ijkmnpqrst]\)")  # the derivative, the member of a sequence
_OPERATED: Final = re.compile(r"(?:[=×·−<>≤≥]|(?<!\+)\+|\^\w+) ?$")  # what is before a product of letters: E = mc
_ROMAN: Final = re.compile(r"[ivx]+")
_SHORT_BASE: Final = 3  # digits of a number that may have an exponent, characters of one that may be counted


def raised(text: str, before: str, after: str, *, is_link: bool) -> str:
    """Return how a raised text is written. `before`: the text of its block so far, or its end, without a lowered index
    that it is directly after; `after`: the beginning of what follows; `is_link`: it leads somewhere, as a note's mark
    does."""
    if text in _MARKS and before and before[-1].isalnum():
        return _MARKS[text]
    written = _raised(text, before, after, is_link=is_link)
    return f"{written} " if written[:1] == "^" != text[:1] and after[:1].isalnum() else written


def lowered(text: str, before: str, after: str) -> str:
    """Return how a lowered text is written."""
    base = _base_of(before)
    is_index = base in _LIMITS or _EXPONENT.search(before) is not None
    if _is_term(text) and (is_index or len(base) <= 1):
        is_index = is_index or base.isalpha() or before[-1:] == ")"
        text = _bracketed(text) if is_index or before[-1:] in ("/", "⁄") else text
    elif base.isdigit() and text.isdigit() and not is_index:
        if len(text) == 2 and _PRICE.search(before):
            return f".{text}"
        is_index = True
    gap = " " if after[:1].isdigit() or (is_index and after[:1].isalpha()) else ""
    return f"{'_' if is_index else ''}{text}{gap}"


def _raised(text: str, before: str, after: str, *, is_link: bool) -> str:
    if not is_link and (exponent := _exponent(text, before)):
        return exponent
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
    base = _base_of(before)
    if _SIGNED.fullmatch(text):
        return f"^({text})" if "/" in text and base.isalpha() else f"^{text}"
    if text.lower() in _ORDINALS and (len(text) > 1 or len(base) <= _SHORT_BASE):
        return text
    if text in _POWERS or (len(text) == 1 and text.isalpha() and base.isdigit()):
        return f"^{text}" if _takes_exponents(base, before) else f" [{text}]"
    if _NOTE.fullmatch(text):
        return f" [{text}]"
    return text if text.isalpha() and len(text) <= _SHORT_BASE else f" {text}"


def _exponent(text: str, before: str) -> str:
    """Return what is written of a term or of letters that are surely an exponent, '' of what may be none."""
    base = _base_of(before)
    if not base and before[-1:] not in (")", "]", "|"):
        return ""
    is_variable = len(base) == 1 and base.islower()
    if is_variable and _ARGUMENT.fullmatch(text):
        return f"^{text}"
    if not _takes_exponents(base, before):
        return ""
    if _is_term(text):
        return f"^{_bracketed(text)}" if is_variable or not _RANGE.fullmatch(text) else ""
    bare = text.lstrip("-−–")
    if _GREEK.fullmatch(bare):
        return f"^{text}"
    if _COEFFICIENT.fullmatch(text):
        return f"^{text}" if text.lstrip("-−–0123456789").lower() not in _ORDINALS else ""
    is_word = bare.lower() in _ORDINALS or (_ROMAN.fullmatch(bare) is not None and base != "e")
    is_product = is_variable and 1 < len(bare) <= _SHORT_BASE and bare.isalpha() and bare.islower()
    return f"^{text}" if is_product and not is_word else ""


def _is_term(text: str) -> bool:
    """Return whether a text is a term of several: letters and an operator between them, no words, no blanks but around
    operators."""
    compact = _AROUND.sub(r"\1", text)
    if _TERM.fullmatch(compact) is None or _INSIDE.search(compact) is None:
        return False
    return all(len(word) <= _SHORT_BASE or word in _FUNCTIONS for word in _LETTERS.findall(text))


def _bracketed(text: str) -> str:
    """Return a term in brackets, unless it has some around all of it."""
    text = _AROUND.sub(r"\1", text)
    return text if text[0] == "(" and text.find(")") == len(text) - 1 else f"({text})"


def _number(text: str, before: str, after: str, *, is_link: bool) -> str:
    if is_link:
        return f" [{text}]"
    if len(text) == 2 and before[-1].isdigit() and (_PRICE.search(before) or after.lstrip()[:1] in ("€", "$", "£")):
        return f".{text}"
    base = _base_of(before)
    if (text == "00" or (text in _QUARTERS and base not in ("2", "10"))) and _CLOCK.fullmatch(base):
        return f":{text}"
    is_exponent = _takes_exponents(base, before) or _is_product(base, before)
    return f"^{text}" if is_exponent else f" [{text}]"


def _is_product(base: str, before: str) -> bool:
    """Return whether the letters that end `before` are factors, as in E = mc."""
    if not (1 < len(base) <= _SHORT_BASE and base.isalpha() and base.isascii()):
        return False
    return base.islower() and _OPERATED.search(before[: -len(base)]) is not None


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
        is_end = before[-len(base) - 1 : -len(base)] in ("'", "’")  # of a word: don't
        return (len(base) == 1 and not is_end) or base in _UNITS or base in _FUNCTIONS
    if base[0].isdigit() and base[-1].isalpha():  # 4x, 25m, 3km
        unit = base.lstrip("0123456789.,")
        return unit.isalpha() and (len(unit) == 1 or unit in _UNITS)
    digits = base.replace(".", "").replace(",", "")
    return digits.isdigit() and len(base.partition(".")[0]) <= _SHORT_BASE
