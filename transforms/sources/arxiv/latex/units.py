"""Quantities of the package siunitx in text: \\SI{3.5}{\\micro\\metre} is 3.5 µm. In formulas they stay as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

COMMANDS: Final = {"SI": 2, "qty": 2, "si": 1, "unit": 1, "num": 1}  # and their arguments

_TIGHT: Final = frozenset("°′″%")
_PREFIXES: Final = {
    "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "µ", "milli": "m", "centi": "c", "deci": "d",
    "deca": "da", "hecto": "h", "kilo": "k", "mega": "M", "giga": "G", "tera": "T", "peta": "P", "exa": "E",
}  # fmt: skip
_UNITS: Final = {
    "metre": "m", "meter": "m", "second": "s", "gram": "g", "kilogram": "kg", "ampere": "A", "kelvin": "K",
    "mole": "mol", "candela": "cd", "hertz": "Hz", "newton": "N", "pascal": "Pa", "joule": "J", "watt": "W",
    "coulomb": "C", "volt": "V", "farad": "F", "ohm": "Ω", "siemens": "S", "weber": "Wb", "tesla": "T",
    "henry": "H", "lumen": "lm", "lux": "lx", "becquerel": "Bq", "gray": "Gy", "sievert": "Sv", "celsius": "°C",
    "degreeCelsius": "°C", "degree": "°", "radian": "rad", "steradian": "sr", "minute": "min", "hour": "h",
    "day": "d", "litre": "L", "liter": "L", "electronvolt": "eV", "bar": "bar", "angstrom": "Å", "percent": "%",
    "byte": "B", "bit": "bit", "bel": "B", "decibel": "dB", "parsec": "pc", "tonne": "t", "arcminute": "′",
    "arcsecond": "″", "hectare": "ha", "barn": "b", "dalton": "Da", "astronomicalunit": "au",
}  # fmt: skip
_POWERS: Final = {"squared": "²", "cubed": "³", "square": "²", "cubic": "³"}
_COMMAND: Final = re.compile(r"\\([A-Za-z]+)|([^\\\s~.]+)|[~.\s]+")
_EXPONENT: Final = re.compile(r"(?<=\d)[eEdD]([+-]?\d+)$")


def unit(latex: str) -> str:
    """Return a unit as text; commands that are no units go by their name."""
    out: list[str] = []
    prefix = power = ""
    per = False
    for name, plain in _COMMAND.findall(latex.replace("{", "").replace("}", "")):
        if name in _PREFIXES:
            prefix = _PREFIXES[name]
        elif name in ("square", "cubic"):
            power = _POWERS[name]
        elif name in ("squared", "cubed") and out:
            out[-1] += _POWERS[name]
        elif name == "per":
            per = True
        elif name or plain:
            sign = "/" if per else "·" if out else ""
            out.append(f"{sign}{prefix}{_UNITS.get(name, name) or plain}{power}")
            prefix = power = ""
            per = False
    return "".join(out)


def number(latex: str) -> str:
    """Return a number as text: 1.5e-3 is 1.5×10^-3."""
    text = latex.replace("\\pm", "±").replace(" ", "").replace("~", "")
    return _EXPONENT.sub(r"×10^\1", text)


def shown(name: str, arguments: Sequence[str]) -> str:
    """Return what a command of COMMANDS shows; a degree and its parts follow their number at once."""
    if name == "num":
        return number(arguments[0])
    if len(arguments) == 1:
        return unit(arguments[0])
    of = unit(arguments[1])
    return f"{number(arguments[0])}{'' if of in _TIGHT else ' '}{of}".strip()
