"""Content MathML (MathML 3, chapter 4) to LaTeX: applications of the operators that pages use, tokens, containers.

An operator that is not known here is written as a function of its arguments, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from selectolax.lexbor import LexborNode

from transforms.extraction.formulas.symbols import FUNCTIONS, commands_of, joined
from transforms.extraction.parsing.names import names, pairs
from transforms.extraction.parsing.shown import UNSEEN, shown_text

Writer = Callable[[LexborNode], str]

_INFIX: Final = pairs(r"""
plus +  eq =  neq \ne  lt <  gt >  leq \le  geq \ge  equivalent \equiv  approx \approx  in \in  notin \notin
subset \subseteq  prsubset \subset  union \cup  intersect \cap  setdiff \setminus  and \land  or \lor
xor \oplus  implies \implies  tendsto \to  compose \circ  vectorproduct \times  cartesianproduct \times
scalarproduct \cdot  outerproduct \otimes  rem \bmod  factorof \mid
""")
_PREFIX: Final = pairs(r"""
not \lnot  partialdiff \partial  grad \nabla  curl \nabla\times  divergence \nabla\cdot  laplacian \nabla^{2}
""")
_BIG: Final = pairs(r"sum \sum  product \prod  int \int  limit \lim  forall \forall  exists \exists")
_FENCED: Final = {
    "abs": ("|", "|"),
    "card": ("|", "|"),
    "floor": (r"\lfloor ", r"\rfloor"),
    "ceiling": (r"\lceil ", r"\rceil"),
}
_CONSTANTS: Final = pairs(r"""
pi \pi  infinity \infty  exponentiale e  imaginaryi i  emptyset \emptyset  eulergamma \gamma  reals \mathbb{R}
integers \mathbb{Z}  naturalnumbers \mathbb{N}  rationals \mathbb{Q}  complexes \mathbb{C}  primes \mathbb{P}
true \text{true}  false \text{false}
""")
_QUALIFIERS: Final = names("bvar lowlimit uplimit condition degree logbase interval domainofapplication")
_LISTS: Final = {"set": (r"\{", r"\}"), "list": ("[", "]"), "vector": ("(", ")"), "interval": ("[", "]")}
_CLOSURES: Final = {"open": ("(", ")"), "open-closed": ("(", "]"), "closed-open": ("[", ")")}
NAMES: Final = frozenset({"apply", "ci", "cn", "csymbol", "matrix", "piecewise", "lambda", *_LISTS, *_CONSTANTS})


def latex_of(node: LexborNode, write: Writer) -> str:
    """Return the LaTeX of a content element; `write` writes what is inside."""
    name = _name(node)
    children = _elements(node)
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    if name in ("ci", "cn", "csymbol"):
        return _token(node, children, write)
    if name == "apply":
        return _application(children, write)
    if name == "matrix":
        rows = [" & ".join(write(cell) for cell in _elements(row)) for row in children]
        return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"
    if name == "piecewise":
        return r"\begin{cases} " + r" \\ ".join(_piece(piece, write) for piece in children) + r" \end{cases}"
    if name == "lambda":
        names, body = [write(child) for child in children[:-1]], [write(child) for child in children[-1:]]
        return joined([", ".join(names), r" \mapsto ", *body])
    fences = _CLOSURES.get(node.attributes.get("closure") or "", _LISTS[name]) if name == "interval" else _LISTS[name]
    return joined([fences[0], ", ".join(write(child) for child in children), fences[1]])


def _name(node: LexborNode) -> str:
    return (node.tag or "").rpartition(":")[2]


def _elements(node: LexborNode) -> list[LexborNode]:
    return [child for child in node.iter() if child.is_element_node and child.tag not in UNSEEN]


def _token(node: LexborNode, children: list[LexborNode], write: Writer) -> str:
    parts = [write(child) for child in children if _name(child) != "sep"]
    if parts:
        return joined(parts)
    kind = node.attributes.get("type") or ""
    numbers = [part.strip() for part in shown_text(node, "\0").split("\0") if part.strip()]
    if len(numbers) == 2 and kind == "rational":
        return f"\\frac{{{numbers[0]}}}{{{numbers[1]}}}"
    if len(numbers) == 2 and kind == "e-notation":
        return f"{numbers[0]} \\times 10^{{{numbers[1]}}}"
    if len(numbers) == 2 and kind.startswith("complex"):
        return f"{numbers[0]} + {numbers[1]}i"
    text = "".join(numbers)
    latex = commands_of(text)
    if kind in ("vector", "matrix") and latex:
        return f"\\mathbf{{{latex}}}"
    return f"\\mathrm{{{latex}}}" if len(text) > 1 and text.isalpha() and text.isascii() else latex


def _piece(piece: LexborNode, write: Writer) -> str:
    parts = [write(child) for child in _elements(piece)]
    if _name(piece) == "otherwise":
        return f"{joined(parts)} & \\text{{otherwise}}"
    return " & ".join(parts)


def _application(children: list[LexborNode], write: Writer) -> str:
    """Return the operator, the first child, applied to the others."""
    if not children:
        return ""
    operator = _name(children[0])
    qualifiers = {_name(child): child for child in children[1:] if _name(child) in _QUALIFIERS}
    operands = [child for child in children[1:] if _name(child) not in _QUALIFIERS or operator not in _BIG]
    operands = [child for child in operands if _name(child) not in ("bvar", "degree", "logbase")]
    parts = [_grouped(child, operator, write) for child in operands]
    if operator in _BIG:
        return _big(operator, qualifiers, parts, write)
    if operator in ("minus", "times", "divide", "power", "root", "diff", "factorial", "log", "conjugate"):
        return _arithmetic(operator, parts, qualifiers, write)
    if operator in _INFIX:
        return joined([piece for part in parts for piece in (f" {_INFIX[operator]} ", part)][1:])
    if operator in _FENCED:
        return joined([_FENCED[operator][0], *parts, _FENCED[operator][1]])
    if operator in _PREFIX:
        return joined([_PREFIX[operator], " ", *parts])
    head = f"\\{operator}" if operator in FUNCTIONS else write(children[0]) or f"\\operatorname{{{operator}}}"
    return joined([head, "(", ", ".join(parts), ")"])


_LOOSE: Final = frozenset({"plus", "minus"})


def _grouped(node: LexborNode, operator: str, write: Writer) -> str:
    """Return an operand, between parentheses where the sum it is binds weaker than the operator."""
    latex = write(node)
    inner = _elements(node)
    is_sum = _name(node) == "apply" and bool(inner) and _name(inner[0]) in _LOOSE
    return f"({latex})" if is_sum and operator in ("times", "power", "minus", "factorial") else latex


def _arithmetic(operator: str, parts: list[str], qualifiers: dict[str, LexborNode], write: Writer) -> str:
    first, second = [*parts, "", ""][:2]
    if operator == "minus":
        return f"{first} - {second}" if len(parts) > 1 else f"-{first}"
    if operator == "times":
        return joined([piece for part in parts for piece in (" ", part)][1:])
    if operator == "divide":
        return f"\\frac{{{first}}}{{{second}}}"
    if operator == "power":
        return f"{first if len(first) == 1 or first.startswith('(') else f'{{{first}}}'}^{{{second}}}"
    if operator == "root":
        degree = write(qualifiers["degree"]) if "degree" in qualifiers else ""
        return f"\\sqrt[{degree}]{{{first}}}" if degree and degree != "2" else f"\\sqrt{{{first}}}"
    if operator == "diff":
        variable = write(qualifiers["bvar"]) if "bvar" in qualifiers else ""
        return f"\\frac{{d}}{{d{variable}}} {first}" if variable else f"{first}'"
    if operator == "log":
        base = write(qualifiers["logbase"]) if "logbase" in qualifiers else ""
        return f"\\log{f'_{{{base}}}' if base else ''}({first})"
    return f"{first}!" if operator == "factorial" else f"\\overline{{{first}}}"


def _big(operator: str, qualifiers: dict[str, LexborNode], parts: list[str], write: Writer) -> str:
    """Return a sum, integral, limit or quantifier with its variable and bounds."""

    def of(name: str) -> str:
        return write(qualifiers[name]).strip() if name in qualifiers else ""

    variable, low, high = of("bvar"), of("lowlimit"), of("uplimit")
    if operator == "limit":
        low = of("condition") or f"{variable} \\to {low}"
    elif operator in ("forall", "exists"):
        return joined([_BIG[operator], " ", variable, ": ", of("condition"), *parts])
    elif operator != "int":
        low = of("condition") or (f"{variable} = {low}" if low else variable)
    bounds = (f"_{{{low}}}" if low else "") + (f"^{{{high}}}" if high else "")
    tail = f" \\, d{variable}" if operator == "int" and variable else ""
    return joined([_BIG[operator] + bounds, " ", *parts, tail])
