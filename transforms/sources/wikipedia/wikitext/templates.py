"""Templates: those that carry text are rendered, all others removed.

What is rendered is a list of our own, of templates that stand within sentences: languages, units, dashes, fractions,
quotations. A template is known by its name in lower case; parser functions (`#if:`) are removed, `formatnum:` is not.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Sequence
from typing import Final

from transforms.sources.wikipedia.wikitext.marks import GONE, QUOTE, QUOTE_END, Context

_NAMED: Final = re.compile(r"\s*([\w][\w -]{0,30}?)\s*=(?!=)")
_JOINERS: Final = frozenset({"to", "-", "–", "and", "by", "x", "×", "or", "+/-", "±"})
Arguments = tuple[list[str], dict[str, str]]  # by place, by name

_FIRST: Final = [
    "nowrap",
    "nobr",
    "nobreak",
    "big",
    "small",
    "smaller",
    "abbr",
    "em",
    "strong",
    "mvar",
    "math",
    "var",
    "code",
    "tt",
    "samp",
    "kbd",
    "sic",
    "ill",
    "vanchor",
    "sub",
    "sup",
    "not_a_typo",
    "as_written",
    "typo",
    "proper_name",
    "interlanguage_link",
    "link-interwiki",
    "visible_anchor",
    "first_word",
    "bold",
    "italics",
    "larger",
    "resize",
    "nowiki",
    "mono",
    "text",
    "lc",
    "uc",
    "ucfirst",
]
_LAST: Final = [
    "transl",
    "transliteration",
    "color",
    "font_color",
    "center",
    "script",
    "langue",
    "lang",
    "lang2",
    "unicode",
    "polytonic",
]
_SIGNS: Final = {
    "ndash": "–", "snd": " – ", "spnd": " – ", "spaced_ndash": " – ", "en_dash": "–", "mdash": "—", "em_dash": "—",
    "spaced_mdash": " — ",
    "nbsp": " ", "space": " ", "thinsp": " ", "!": "|", "=": "=", "'": "'", "'s": "'s", "pi": "π",
    "okina": "ʻ", "hamza": "ʼ", "times": "×", "dot": " · ", "·": " · ", "•": " • ", "bull": " • ", "shy": "", "zwj": "",
    "-": "", "clear": "", "(": "{", ")": "}",
}  # fmt: skip
_QUOTES: Final = frozenset(
    ["quote", "blockquote", "cquote", "quotation", "quote_box", "poemquote", "bquote", "centered_quote"]
)
_CIRCA: Final = frozenset({"circa", "c.", "ca.", "ca"})
_MONEY: Final = {"us$": "US$", "usd": "US$", "£": "£", "gbp": "£", "€": "€", "eur": "€", "¥": "¥", "a$": "A$"}


def render_parameter(parts: Sequence[str]) -> str:
    """Return what `{{{name|default}}}` shows outside a template: its default."""
    return parts[1] if len(parts) > 1 else GONE


def render_template(parts: Sequence[str], context: Context) -> str:
    """Return the text of a template, a sign that something went when it has none."""
    name = " ".join(parts[0].replace(GONE, "").replace("_", " ").split()).lower().removeprefix("template:")
    if name.startswith("formatnum:"):
        return name.partition(":")[2]
    text = _rendered(name.replace(" ", "_"), _arguments(parts[1:]))
    if text is None:
        context.counts["templates_removed"] += 1
        return GONE
    return text


def _arguments(parts: Sequence[str]) -> Arguments:
    placed: list[str] = []
    named: dict[str, str] = {}
    for part in parts:
        found = _NAMED.match(part)
        if found is None:
            placed.append(part.strip())
        elif found[1].isdigit() and 0 < int(found[1]) <= 9:
            number = int(found[1])
            placed += [""] * (number - len(placed))
            placed[number - 1] = part[found.end() :].strip()
        else:
            named[found[1].strip().lower()] = part[found.end() :].strip()
    return placed, named


def _rendered(name: str, arguments: Arguments) -> str | None:
    placed, named = arguments
    if name in _SIGNS:
        return _SIGNS[name]
    if name in _QUOTES:
        quoted = next(filter(None, (*placed[:1], named.get("text", ""), named.get("quote", ""))), "")
        return f"\n{QUOTE}\n{quoted}\n{QUOTE_END}\n" if quoted else None
    if name.startswith("lang-") and placed:
        return placed[0]
    if not placed:
        return None
    if name in _FIRST:
        return placed[0]
    if name in _LAST:
        return placed[min(2, len(placed)) - 1] if name in ("lang", "lang2") else placed[-1]
    if name in _CIRCA:
        return f"c. {' – '.join(filter(None, placed[:2]))}"
    if name in _MONEY:
        return f"{_MONEY[name]}{placed[0]}"
    return _OTHERS[name](arguments) if name in _OTHERS else None


def _convert(arguments: Arguments) -> str:
    placed = arguments[0]
    if len(placed) > 3 and placed[1] in _JOINERS:
        return f"{placed[0]} {placed[1]} {placed[2]} {placed[3]}"
    return " ".join(placed[:2])


def _fraction(arguments: Arguments) -> str:
    placed = arguments[0]
    if len(placed) == 1:
        return f"1/{placed[0]}"
    return f"{placed[0]}/{placed[1]}" if len(placed) == 2 else f"{placed[0]} {placed[1]}/{placed[2]}"


def _nihongo(arguments: Arguments) -> str:
    placed = arguments[0]
    more = ", ".join(filter(None, placed[1:3]))
    return f"{placed[0]} ({more})" if placed[0] and more else placed[0] or more


def _value(arguments: Arguments) -> str:
    placed, named = arguments
    power = f"×10^{named['e']}" if named.get("e") else ""
    unit = named.get("u") or named.get("ul") or named.get("up") or ""
    return " ".join(filter(None, (placed[0] + power, unit)))


def _date(placed: list[str]) -> str:
    """Return year, month and day as English writes them."""
    year, month, day = [*placed, "", "", ""][:3]
    name = calendar.month_name[int(month)] if month.isdigit() and 1 <= int(month) <= 12 else month
    return " ".join(filter(None, (day, name, year)))


_OTHERS: Final[dict[str, Callable[[Arguments], str]]] = {
    "convert": _convert,
    "cvt": _convert,
    "frac": _fraction,
    "sfrac": _fraction,
    "fraction": _fraction,
    "nihongo": _nihongo,
    "val": _value,
    "as_of": lambda arguments: f"As of {_date(arguments[0])}",
    "angbr": lambda arguments: f"⟨{arguments[0][0]}⟩",
    "angle_bracket": lambda arguments: f"⟨{arguments[0][0]}⟩",
    "chem": lambda arguments: "".join(arguments[0]),
    "chem2": lambda arguments: "".join(arguments[0]),
    "e": lambda arguments: f"×10^{arguments[0][0]}",
}
