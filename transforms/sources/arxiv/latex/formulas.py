"""Formulas stay LaTeX; labels, numbers and what a formula has for its place on a page go."""

from __future__ import annotations

import re
from typing import Final

_GONE: Final = re.compile(
    r"\\label\s*\{[^{}]*\}|\\(?:nonumber|notag|allowbreak|displaybreak|protect|noindent)(?![A-Za-z])|\\tag\*?\s*\{[^{}]*\}"
    r"|\\(?:cite[a-z]*|footnotemark)\s*(?:\[[^\]]*\])*(?:\{[^{}]*\})?|\\vspace\*?\s*\{[^{}]*\}|\x02[bv]\d+\x03"
)
_REFERENCE: Final = re.compile(r"\\(?:eqref|ref|cref|autoref)\s*\{[^{}]*\}")
_BLANKS: Final = re.compile(r"[ \t\n]+")
_LAST_BREAK: Final = re.compile(r"\s*\\\\(?:\[[^\]]*\])?\s*$")
_ALIGNED: Final = (
    "align",
    "flalign",
    "alignat",
    "xalignat",
    "IEEEeqnarray",
    "eqnarray",
    "dgroup",
    "darray",
    "equationarray",
)
_ROWS: Final = {**dict.fromkeys(_ALIGNED, "aligned"), "gather": "gathered"}
_COLUMNS: Final = re.compile(r"\s*\{[^{}]*\}")


def inline(content: str) -> str:
    """Return a formula in a line; '' of an empty one."""
    latex = _plain(content)
    return f"${latex}$" if latex.strip("^_{} ") else ""


def display(content: str, name: str) -> str:
    """Return a formula as a block, of the environment `name` ('' for none); '' of an empty one."""
    content = content.strip()
    if name in ("alignat", "xalignat", "IEEEeqnarray"):
        content = _COLUMNS.sub("", content, count=1)
    if name == "eqnarray":
        content = re.sub(r"(?<!\\)&([^&\\]{0,80})(?<!\\)&", r"&\1", content)  # three columns to two
    latex = _LAST_BREAK.sub("", _plain(content))
    if not latex:
        return ""
    inner = _ROWS.get(name, "")
    if name == "array":
        return f"$$\\begin{{array}}{latex}\\end{{array}}$$"
    if not inner or ("\\\\" not in latex and "&" not in latex):
        return f"$${latex}$$"
    return f"$$\\begin{{{inner}}}{latex}\\end{{{inner}}}$$"


def _plain(content: str) -> str:
    content = _REFERENCE.sub("", _GONE.sub("", content))
    return _BLANKS.sub(" ", content).strip()
