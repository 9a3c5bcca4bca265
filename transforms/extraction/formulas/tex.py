r"""TeX as text: its delimiters in prose, and the clean form of one formula.

The forms of delimiters are those of MathJax (tex2jax: `\( \)`, `\[ \]`, `$$`, `$` where configured, environments),
KaTeX's auto-render (the same), forums (`[tex]`, `[itex]`, `[latex]`, `[math]`), WordPress (`$latex x$`) and AsciiMath
(between backticks, where the page's configuration says so), Physics Forums (`## ##`) and Codeforces (`$$$ $$$`), where
it says so, too. All of them become `$` and `$$`.

Everything here is linear in the text: a page may be a megabyte of `\(` and nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from transforms.extraction.formulas.ascii_math import ascii_math_to_latex
from transforms.extraction.parsing.names import names

_SCRIPTS: Final = ("MathJax", "mathjax", "katex", "KaTeX", "ASCIIMathML", "jsMath", "jsmath", "mathtex")
_ASCII_MATH: Final = re.compile(
    r"AM_(?:HTML|CHTML|SVG)|asciimath2jax|ASCIIMathML|input/asciimath|AsciiMath", re.IGNORECASE
)


_OWN_MARK: Final = re.compile(r"""\[\s*['"](##|\$\$\$|\$\$\$\$\$\$)['"]""")


@dataclass(frozen=True)
class TexDialect:
    """What the scripts of a page make of raw TeX in its text. Looked for when it is asked for the first time, which
    most pages never do: 0.3 ms a page."""

    source: str = ""  # of the page

    @cached_property
    def rendered(self) -> bool:
        """Whether a script for mathematics is there."""
        return any(name in self.source for name in _SCRIPTS)

    @cached_property
    def own_marks(self) -> frozenset[str]:
        """Return the unusual delimiters that the page's configuration names."""
        return frozenset(_OWN_MARK.findall(self.source)) if self.rendered else frozenset()

    @cached_property
    def ascii_math(self) -> bool:
        """Whether it reads AsciiMath between backticks."""
        return self.rendered and _ASCII_MATH.search(self.source) is not None


def tex_dialect(html: str) -> TexDialect:
    """Return how a page renders raw TeX, by the scripts its source names."""
    return TexDialect(html)


# ---- one formula ----------------------------------------------------------------------------------------------------

_COMMANDS: Final = (
    "frac|dfrac|tfrac|sqrt|sum|prod|int|iint|oint|lim|infty|partial|nabla|left|right|begin|cdot|cdots|ldots|dots|times|div|pm"
    "|mp|leq?|geq?|neq?|approx|equiv|sim|cong|propto|in|notin|subset|subseteq|cup|cap|forall|exists|to|rightarrow|mapsto"
    "|Rightarrow|iff|implies|alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho"
    "|sigma|tau|upsilon|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega|mathbb|mathbf|mathcal"
    "|mathfrak|mathrm|mathsf|mathit|text|textbf|textrm|operatorname|hat|bar|vec|dot|ddot|tilde|overline|underline"
    "|overset|underset|binom|log|ln|exp|sin|cos|tan|max|min|sup|inf|det|gcd|displaystyle|textstyle|quad|qquad|ell|hbar"
    "|langle|rangle|lfloor|rfloor|lceil|rceil|circ|oplus|otimes|wedge|vee|neg|big[lr]?|Big[lr]?|boldsymbol|ce|mathop|rm|bf"
)
_LOOK: Final = re.compile(
    rf"\\(?:{_COMMANDS})(?![A-Za-z])|[_^]\{{|(?<![A-Za-z0-9_])[A-Za-z]_[A-Za-z0-9](?![A-Za-z0-9_])"
    r"|[A-Za-z0-9)\]}]\^[A-Za-z0-9\\(+*-]"
)
_BLOCKS: Final = names(
    "equation equation* align align* alignat alignat* aligned flalign flalign* gather gather* multline multline*"
    " eqnarray eqnarray* displaymath displaymath* subequations"
)
_ENVIRONMENT: Final = re.compile(r"\\begin\s*\{([A-Za-z]{1,20}\*?)\}")
_PAIRS: Final = (
    *(("$$", "$$", True), ("\\[", "\\]", True), ("\\(", "\\)", False), ("$latex ", "$", False), ("$", "$", False)),
    *(("[tex]", "[/tex]", True), ("[itex]", "[/itex]", False), ("[latex]", "[/latex]", False)),
    *(("\\\\(", "\\\\)", False), ("\\\\[", "\\\\]", True)),  # written for a script that halves the backslashes
)
_PLAIN_ENVIRONMENTS: Final = frozenset({"displaymath", "math"})


def looks_like_tex(text: str) -> bool:
    """Return whether a short text has signs of TeX that prose, paths and identifiers do not have."""
    return _LOOK.search(text) is not None


def between_delimiters(text: str) -> tuple[str, bool]:
    """Return what is in the one pair of delimiters around the whole text, and whether they mean a block.

    An environment is its own delimiter: the text comes back as it is, as a block. So does a text without delimiters,
    as no block.
    """
    for opener, closer, display in _PAIRS:
        if text.startswith(opener) and text.endswith(closer) and len(text) > len(opener) + len(closer):
            inner = text[len(opener) : -len(closer)]
            if closer not in inner.replace("\\$", ""):
                return inner.strip(), display
    named = _ENVIRONMENT.match(text)
    if named and text.endswith(f"{{{named[1]}}}"):
        if named[1] in _PLAIN_ENVIRONMENTS:
            return text[named.end() : text.rindex("\\end")].strip(), named[1] != "math"
        return text, named[1] in _BLOCKS
    return text, False


_ENTITIES: Final = {"lt": "<", "gt": ">", "amp": "&", "nbsp": " ", "quot": '"'}
_ENTITY: Final = re.compile(r"&(lt|gt|amp|nbsp|quot);")
_CDATA: Final = re.compile(r"%? ?(?:<!\[CDATA\[|\]\]>|<!--|-->)")
_SPACES: Final = re.compile("[ \x0b\x0c\u00a0\u2000-\u200b\u2060\ufeff\t]+")
_STYLE: Final = re.compile(r"\{\s*\\(?:display|text)style(?![A-Za-z])\s*")
_BREAKS: Final = re.compile(r" ?\n[ \n]*")
_COMMENT: Final = re.compile(r"(\\\\|\\%)|%[^\n]*\n?")  # with its line end, so that the formula may be set on one line
_RULED: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)


def tidy_tex(latex: str) -> str:
    r"""Return a formula without what its carrier added: entities, CDATA marks, blank lines, Wikipedia's
    `{\displaystyle }`. A formula that only defines macros is empty: it shows nothing."""
    if "&" in latex:
        latex = _ENTITY.sub(lambda match: _ENTITIES[match[1]], latex)
    latex = _SPACES.sub(" ", latex.replace("\r", "\n"))
    if "<" in latex or "]]>" in latex:
        latex = _RULED.sub("\n", _CDATA.sub("\n", latex))
    if "%" in latex:
        latex = _COMMENT.sub(r"\1", latex)
    latex = _BREAKS.sub("\n", latex).strip()
    style = _STYLE.match(latex)
    if style and _closing_brace(latex, 0) == len(latex) - 1:
        latex = latex[style.end() : -1].strip()
    if (len(latex) - len(latex.rstrip("\\"))) % 2:
        latex += " "  # a control space, which must not escape the delimiter that follows
    return "" if _defines(latex) else latex


_BRACE: Final = re.compile(r"\\.|[{}]", re.DOTALL)
_GROUP: Final = 20_000  # characters of the longest group that is searched (our value)


def _closing_brace(text: str, start: int) -> int:
    """Return where the group that opens at `start` ends, or -1."""
    depth = 0
    for match in _BRACE.finditer(text, start, start + _GROUP):
        if match[0] in "{}":
            depth += 1 if match[0] == "{" else -1
            if depth == 0:
                return match.start()
    return -1


_DEFINITION: Final = re.compile(
    r"\s*\\let\s*\\(?:[A-Za-z]+|.)\s*=?\s*(?:\\(?:[A-Za-z]+|.)|[^\s{])"
    r"|\s*\\(?:(?:re|provide)?newcommand\*?|[gex]?def|DeclareMathOperator\*?|require|newenvironment)(?![A-Za-z])"
    r"\s*(?:\{\s*\\[A-Za-z]+\s*\}|\\(?:[A-Za-z]+|.))?\s*=?\s*(?:\[[^\]]*\]\s*|#\d\s*)*"
)


def _defines(latex: str) -> bool:
    """Return whether a formula is made of macro definitions alone."""
    position = 0
    while position < len(latex):
        match = _DEFINITION.match(latex, position)
        if not match:
            return not latex[position:].strip()
        position = match.end()
        while latex.startswith("{", position):
            closing = _closing_brace(latex, position)
            if closing < 0:
                return False
            position = closing + 1
    return bool(latex)


# ---- formulas in prose ----------------------------------------------------------------------------------------------

_MARKS: Final = re.compile(
    r"(?P<escaped>\\\\|\\\$)|(?P<open>\\[(\[])|(?P<close>\\[)\]])|\\(?P<edge>begin|end)\s*\{(?P<name>[A-Za-z]{1,20}\*?)\}"
    r"|(?P<own>\${6}|\${3}|\#\#)|(?P<dollars>\$\$)|(?P<wp>\$latex[ \n])|(?P<dollar>\$)|(?P<tick>`)"
    r"|\[(?P<slash>/?)(?P<forum>i?tex|latex|math)\]",
    re.IGNORECASE,
)
_CANDIDATE: Final = re.compile(
    r"[\\\[$`#](?:(?<=\\)[(\[b]|(?<=\[)(?:i?tex|latex|math)\]|(?<=\$)(?:latex|\$\$)|(?<=#)#|(?<=`))", re.IGNORECASE
)
_SIGNS: Final = ("\\", "[", "`", "$latex", "##", "$$$")  # every text with a candidate has one of them
_WRITTEN: Final = {
    "round": "$",
    "[itex]": "$",
    "[latex]": "$",
    "[math]": "$",
    "$": "$",
    "##": "$",
    "$$$": "$",
    "square": "$$",
    "[tex]": "$$",
    "$$$$$$": "$$",
}


_GROUPING: Final = re.compile(r"\$\\(?:begin|end)group\$\s*")  # Stack Exchange keeps a post's macros apart by them
_INSIDE: Final = 50  # marks inside one pair of dollars that are looked at


@dataclass(frozen=True, slots=True)
class _Mark:
    closes: str  # the kind that it opens is the kind that closes it; '': opens nothing
    ends: str  # the kind it may close
    start: int
    end: int


def normalised_tex(text: str, dialect: TexDialect) -> str:
    """Return the text of one block with its raw formulas between `$` or `$$`. Never call it on code.

    Without a script for mathematics on the page, only a pair whose content looks like TeX is a formula.
    """
    if "group$" in text:
        text = _GROUPING.sub("", text)
    for sign in _SIGNS:  # a generator would take three times as long
        if sign in text:
            break
    else:
        return text
    if not _CANDIDATE.search(text):
        return text
    marks = list(_marks(text, dialect))
    pieces: list[str] = []
    done = 0
    for opening, closing in _pairs(marks):
        piece = _rewritten(text, opening, closing, dialect)
        if piece is not None:
            pieces += (text[done : opening.start], piece)
            done = closing.end
    return "".join([*pieces, text[done:]])


def _marks(text: str, dialect: TexDialect) -> Iterator[_Mark]:
    for match in _MARKS.finditer(text):
        start, end = match.span()
        kind = match.lastgroup
        if match["open"] or match["close"]:
            shape = "round" if match[0][1] in "()" else "square"
            yield _Mark(shape if match["open"] else "", "" if match["open"] else shape, start, end)
        elif match["edge"]:
            opens = match["edge"].lower() == "begin"
            yield _Mark(match["name"] if opens else "", "" if opens else match["name"], start, end)
        elif match["forum"]:
            name = f"[{match['forum'].lower()}]"
            yield _Mark("" if match["slash"] else name, name if match["slash"] else "", start, end)
        elif match["wp"]:
            yield _Mark("$", "", start, end)
        elif match["own"]:
            yield from _own_marks(match[0], start, dialect)
        elif match["tick"] and not dialect.ascii_math:
            continue
        elif kind in ("dollars", "dollar", "tick"):
            yield _Mark(match[0], match[0], start, end)


def _own_marks(mark: str, start: int, dialect: TexDialect) -> Iterator[_Mark]:
    """Yield an unusual mark where the page uses it; elsewhere a row of dollars is what its parts are."""
    if mark in dialect.own_marks:
        yield _Mark(mark, mark, start, start + len(mark))
    elif mark[0] == "$":
        for place in range(start, start + len(mark), 2):
            part = "$$" if place + 1 < start + len(mark) else "$"
            yield _Mark(part, part, place, place + len(part))


def _pairs(marks: list[_Mark]) -> Iterator[tuple[_Mark, _Mark]]:
    """Yield each opening mark with the first one that closes its kind, from left to right, none inside another."""
    places: dict[str, list[int]] = {}
    for number, mark in enumerate(marks):
        if mark.ends:
            places.setdefault(mark.ends, []).append(number)
    number = 0
    while number < len(marks):
        mark = marks[number]
        ends = places.get(mark.closes, []) if mark.closes else []
        at = bisect_left(ends, number + 1)
        closed = at < len(ends)
        if closed and mark.closes == "$":  # prices stand around formulas, too
            inside = marks[number + 1 : min(ends[at], number + _INSIDE)]
            closed = all(mark.closes not in ("round", "square") for mark in inside)
        if closed:
            yield mark, marks[ends[at]]
            number = ends[at] + 1
        else:
            number += 1


def _rewritten(text: str, opening: _Mark, closing: _Mark, dialect: TexDialect) -> str | None:
    """Return a formula between `$` or `$$`, or None when it stays as it is."""
    kind = opening.closes
    inner = text[opening.end : closing.start].strip()
    if kind in ("$", "$$") and not text.startswith("$latex", opening.start):
        return None
    sure = dialect.rendered or kind.startswith(("[", "$"))
    if not inner or not (sure or looks_like_tex(inner)):
        return None
    if kind == "`":
        return f"${ascii_math_to_latex(inner)}$" if "\n" not in inner else None
    if kind in _WRITTEN:
        inner = tidy_tex(inner)
        return f"{_WRITTEN[kind]}{inner}{_WRITTEN[kind]}" if inner else ""
    whole = tidy_tex(text[opening.start : closing.end])
    return f"$${whole}$$" if kind in _BLOCKS or dialect.rendered else None
