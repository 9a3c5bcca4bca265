"""Values as a person wrote them: YAML takes `1` for a number and `no` for false where a setting is text.

A setting's type decides, so the command line keeps how each value was written (`Written`) until the setting is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

_EXPONENT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")  # YAML 1.1 takes 1e6 and 1e-4 for text


@dataclass(frozen=True)
class Written:
    """A value that YAML does not take for text, and how it was written."""

    value: Any  # None, bool, int, float, or a date
    text: str


def bare(value: Any) -> Any:
    """Return a value, and all that it holds, without how it was written."""
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value.value if isinstance(value, Written) else value


def shown(value: Any) -> str:
    """Return a value for a person: dates, and the absence of a value, as a YAML file has them."""
    value = bare(value)
    if value is None:
        return "no value"
    return value.isoformat() if isinstance(value, date) else repr(value)


def as_asked(value: Any, kind: Any) -> Any:
    """Return a value as `kind`, the type of its setting, may want it: its text, a number with an exponent."""
    if isinstance(value, Written):
        return value.text if kind is str else value.value
    if kind in (int, float) and isinstance(value, str) and _EXPONENT.fullmatch(value):
        number = float(value)
        return int(number) if kind is int and number.is_integer() else number
    return value


def hint_for(value: Any, kind: Any) -> str:
    """Return what to add to the refusal of a value that a YAML file has for a text."""
    if kind is str and isinstance(value, (bool, int, float, date)):
        return "; YAML reads it so: put it in quotes"
    return ""
