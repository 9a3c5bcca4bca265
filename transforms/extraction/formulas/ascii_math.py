"""AsciiMath to LaTeX, after the grammar its authors publish (asciimath.org, "The Grammar"):

    v ::= letter | number | "text" | constant     u ::= sqrt | text | bb | hat | ...     b ::= frac | root | stackrel
    l ::= ( | [ | { | (: | {:                          r ::= ) | ] | } | :) | :}
    S ::= v | l E r | u S | b S S                      I ::= S_S | S^S | S_S^S | S           E ::= I E | I / I

Parentheses around an operand of `/`, `_`, `^` and of a unary symbol only group, and go. Brackets whose items are
brackets of equally many items are a matrix.

Total, and linear except for nesting, which is bounded: what does not parse comes out unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from transforms.extraction.parsing.names import names, pairs

_NAMES: Final = names(
    "Delta Gamma Lambda Leftarrow Leftrightarrow Omega Phi Pi Psi Rightarrow Sigma Theta Xi aleph alpha"
    " angle approx arccos arcsin arctan arg ast because beta bigcap bigcup bigvee bigwedge bot bowtie cap"
    " cdot cdots chi circ cong cos cosh cot coth csc cup ddots delta det diamond dim div dots downarrow"
    " ell emptyset epsilon equiv eta exists exp forall gamma gcd ge geq gt hbar hom in inf infty int iota"
    " kappa ker lambda langle lceil ldots le leftarrow leftrightarrow leq lfloor lim ln log lt ltimes"
    " mapsto max min models mp mu nabla ne nearrow neg neq nu odot oint omega oplus otimes parallel"
    " partial perp phi pi pm prec preceq prime prod propto psi qquad quad rangle rceil rfloor rho"
    " rightarrow rtimes searrow sec setminus sigma sim sin sinh square star subset subseteq succ succeq"
    " sum supset supseteq tan tanh tau therefore theta times to top triangle uparrow upsilon varepsilon"
    " varphi vartheta vdash vdots vee wedge xi zeta"
)
_CONSTANTS: Final = {name: f"\\{name}" for name in _NAMES} | pairs(r"""
sup \supset  ** \ast  *** \star  // /  \\ \backslash  xx \times  -: \div  @ \circ  o+ \oplus  ox \otimes
o. \odot  ^^ \wedge  ^^^ \bigwedge  vv \vee  vvv \bigvee  nn \cap  nnn \bigcap  uu \cup  uuu \bigcup  != \ne
<= \le  >= \ge  -< \prec  >- \succ  -<= \preceq  >-= \succeq  !in \notin  sub \subset  sube \subseteq
supe \supseteq  -= \equiv  ~= \cong  ~~ \approx  ~ \sim  prop \propto  and \text{and}  or \text{or}  not \neg
=> \Rightarrow  if \text{if}  <=> \Leftrightarrow  AA \forall  EE \exists  _|_ \bot  TT \top  |-- \vdash
|== \models  oo \infty  del \partial  grad \nabla  +- \pm  -+ \mp  O/ \emptyset  ... \ldots  :. \therefore
:' \because  /_ \angle  /_\ \triangle  CC \mathbb{C}  NN \mathbb{N}  QQ \mathbb{Q}  RR \mathbb{R}
ZZ \mathbb{Z}  dx dx  uarr \uparrow  darr \downarrow  rarr \rightarrow  -> \to  larr \leftarrow  |-> \mapsto
harr \leftrightarrow  rArr \Rightarrow  lArr \Leftarrow  hArr \Leftrightarrow  dy dy  ->> \twoheadrightarrow
>-> \rightarrowtail  |>< \ltimes  ><| \rtimes  |><| \bowtie  lcm \operatorname{lcm}  mod \operatorname{mod}
glb \operatorname{glb}  lub \operatorname{lub}  % \%  # \#  & \&  $ \$  dz dz  dt dt
""")
_STYLES: Final = names(
    "sqrt hat bar vec dot ddot tilde overline underline cancel underbrace overbrace mathbf mathbb mathcal"
    " mathtt mathfrak mathsf"
)
_UNARY: Final = {name: f"\\{name}" for name in _STYLES} | pairs(r"""
ul \underline  ubrace \underbrace  obrace \overbrace  bb \mathbf  bbb \mathbb  cc \mathcal  tt \mathtt
fr \mathfrak  sf \mathsf
""")
_FUNCTIONS: Final = names(
    "f g sin cos tan arcsin arccos arctan sinh cosh tanh cot coth sech csch sec csc exp log ln det gcd"
)
_FENCING: Final = {
    "abs": ("|", "|"),
    "norm": (r"\|", r"\|"),
    "floor": (r"\lfloor ", r" \rfloor"),
    "ceil": (r"\lceil ", r" \rceil"),
}
_BINARY: Final = pairs(r"frac \frac stackrel \stackrel overset \overset underset \underset root root")
_TEXT: Final = frozenset({"text", "mbox", "op"})
_LEFT: Final = {"(": "(", "[": "[", "{": r"\{", "(:": r"\langle", "<<": r"\langle", "{:": "."}
_RIGHT: Final = {")": ")", "]": "]", "}": r"\}", ":)": r"\rangle", ">>": r"\rangle", ":}": "."}
_symbols = sorted(
    {*_CONSTANTS, *_UNARY, *_FENCING, *_BINARY, *_TEXT, *_LEFT, *_RIGHT, "left", "right"}, key=len, reverse=True
)
_SYMBOL: Final = re.compile(
    r'\s*(?:(?P<quoted>"[^"]*")|(?P<number>\d+(?:\.\d+)?)|(?P<symbol>'
    + "|".join(map(re.escape, _symbols))
    + r")|(?P<char>\S))"
)
_MAX_DEPTH: Final = 40


@dataclass(slots=True)
class _Term:
    latex: str
    inner: str | None = None  # what is between the brackets, when the term is a group
    tall: bool = False


def ascii_math_to_latex(source: str) -> str:
    """Return a formula of AsciiMath as LaTeX."""
    symbols = [match.group(match.lastgroup or 0) for match in _SYMBOL.finditer(source.strip())]
    return _Parser(symbols).whole()


class _Parser:
    """Reads the symbols of one formula once, from left to right."""

    def __init__(self, symbols: list[str]) -> None:
        self._symbols = symbols
        self._at = 0
        self._depth = 0

    def whole(self) -> str:
        pieces: list[str] = []
        while self._at < len(self._symbols):
            pieces.append(self._expression(frozenset()))
            if self._at < len(self._symbols):  # a bracket that nothing opened
                pieces.append(_RIGHT.get(self._take(), ""))
        return " ".join(piece for piece in pieces if piece)

    def _peek(self) -> str:
        return self._symbols[self._at] if self._at < len(self._symbols) else ""

    def _take(self) -> str:
        self._at += 1
        return self._symbols[self._at - 1]

    def _expression(self, stops: frozenset[str]) -> str:
        """E: terms up to a closing bracket or one of `stops`."""
        pieces: list[str] = []
        while (symbol := self._peek()) and symbol not in _RIGHT and symbol not in stops:
            term = self._scripted()
            if self._peek() == "/":
                self._take()
                below = self._scripted() if self._peek() and self._peek() not in _RIGHT else _Term("")
                term = _Term(f"\\frac{{{_bare(term)}}}{{{_bare(below)}}}", tall=True)
            pieces.append(term.latex)
        return " ".join(piece for piece in pieces if piece)

    def _scripted(self) -> _Term:
        """I: a simple term with what hangs on it."""
        term = self._simple()
        marks: list[str] = []
        for mark in ("_", "^"):
            if self._peek() == mark:
                self._take()
                script = self._simple() if self._peek() and self._peek() not in _RIGHT else _Term("")
                marks.append(f"{mark}{{{_bare(script)}}}")
        return _Term(term.latex + "".join(marks), tall=term.tall) if marks else term

    def _simple(self) -> _Term:
        """S: one symbol, a group, or a symbol with its operands."""
        symbol = self._take() if self._peek() else ""
        if not symbol or self._depth >= _MAX_DEPTH:
            return _Term(symbol)
        self._depth += 1
        term = self._term(symbol)
        self._depth -= 1
        return term

    def _term(self, symbol: str) -> _Term:
        if symbol in ("left", "right"):
            return self._simple()
        if symbol.startswith('"') and len(symbol) > 1:
            return _Term(f"\\text{{{symbol[1:-1]}}}")
        if symbol in _LEFT:
            return self._group(symbol)
        if symbol in _UNARY:
            return _Term(f"{_UNARY[symbol]}{{{_bare(self._simple())}}}")
        if symbol in _FENCING:
            return _Term(_bare(self._simple()).join(_FENCING[symbol]))
        if symbol in _TEXT:
            return _Term(f"\\{'operatorname' if symbol == 'op' else 'text'}{{{self._words()}}}")
        if symbol in _BINARY:
            first, second = _bare(self._simple()), _bare(self._simple())
            return _Term(
                f"\\sqrt[{first}]{{{second}}}" if symbol == "root" else f"{_BINARY[symbol]}{{{first}}}{{{second}}}"
            )
        if symbol in _FUNCTIONS and self._takes_operand(symbol):
            return _Term(f"{_CONSTANTS.get(symbol, symbol)} {self._simple().latex}".replace(" (", "("))
        return _Term(_CONSTANTS.get(symbol, symbol))

    def _takes_operand(self, name: str) -> bool:
        """Return whether a function is applied here: `sin x`, `f(x)`, but neither `sin^2` nor the `f` of `fx`."""
        following = self._peek()
        if not following or following in _RIGHT or following in "^_/|,":
            return False
        return len(name) > 1 or following == "("

    def _words(self) -> str:
        """Return the raw symbols of a group, as text."""
        if self._peek() not in _LEFT:
            return self._take().strip('"') if self._peek() else ""
        self._take()
        words: list[str] = []
        while self._peek() and self._peek() not in _RIGHT:
            words.append(self._take())
        if self._peek():
            self._take()
        return " ".join(words)

    def _group(self, opener: str) -> _Term:
        start = self._at
        rows = self._matrix_rows()
        if rows is None:
            self._at = start
            inner = self._expression(frozenset())
        else:
            inner = r"\begin{matrix} " + r" \\ ".join(" & ".join(row) for row in rows) + r" \end{matrix}"
        closer = _RIGHT.get(self._take(), ".") if self._peek() else "."
        left = _LEFT[opener]
        if rows is not None or "\\frac" in inner or "." in (left, closer):
            return _Term(f"\\left{left} {inner} \\right{closer}", inner)
        blank = " " if left.startswith("\\l") else ""
        return _Term(f"{left}{blank}{inner}{closer}", inner)

    def _matrix_rows(self) -> list[list[str]] | None:
        """Return the cells of a group whose items are groups, or None when it is no matrix."""
        opener = self._peek()
        if opener not in ("(", "[") or not self._is_matrix(opener):
            return None
        rows: list[list[str]] = []
        while self._peek() == opener:
            self._take()
            cells = [self._expression(frozenset({","}))]
            while self._peek() == ",":
                self._take()
                cells.append(self._expression(frozenset({","})))
            if self._peek():
                self._take()
            rows.append(cells)
            if self._peek() == ",":
                self._take()
        return rows

    def _is_matrix(self, opener: str) -> bool:
        """Return whether brackets of equally many items stand from here to the closing one, with commas between."""
        depth, at, commas = 0, self._at, 0
        widths: list[int] = []
        while at < len(self._symbols):
            symbol = self._symbols[at]
            at += 1
            if symbol in _LEFT:
                if depth == 0 and symbol != opener:
                    return False
                depth, commas = depth + 1, commas if depth else 0
            elif symbol in _RIGHT:
                if depth == 0:
                    return len(set(widths)) == 1 and (len(widths) > 1)
                depth -= 1
                if depth == 0:
                    widths.append(commas)
            elif symbol == "," and depth == 1:
                commas += 1
            elif depth == 0 and symbol != ",":
                return False
        return False


def _bare(term: _Term) -> str:
    """Return a term without the brackets that only group it."""
    return term.latex if term.inner is None else term.inner
