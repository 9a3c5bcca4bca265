r"""MathML to LaTeX, over nodes of the parsed page.

Presentation MathML (MathML 3, chapter 3; MathML Core), the renderings of MathJax whose nodes bear its names
(`mjx-mfrac`, `data-mml-node="mfrac"`), and content MathML by `content_mathml`.

Why not a library: of those on PyPI one writes matrices and braces that LaTeX refuses (`\left{\right.`) and raises on a
fraction without denominator, one knows no `semantics`, one is 700 kB of XSLT 3 around a Java-sized processor. All of
them want well-formed XML, which pages do not give.

Total: unknown elements are rows, missing children are empty, what nests deeper than `MAX_DEPTH` becomes its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from selectolax.lexbor import LexborNode

from transforms.extraction.formulas import content_mathml
from transforms.extraction.formulas.math_nodes import MAX_DEPTH, children_of, name_of, text_of
from transforms.extraction.formulas.symbols import (
    ACCENTS,
    FUNCTIONS,
    INFIX,
    LIMITS,
    UNDER,
    VARIANTS,
    WIDE,
    command_of,
    commands_of,
    joined,
)  # fmt: skip
from transforms.extraction.formulas.tex import looks_like_tex, tidy_tex
from transforms.extraction.parsing.names import pairs
from transforms.extraction.parsing.shown import shown_text

_TEX_ENCODINGS: Final = (
    "application/x-tex",
    "application/x-latex",
    "tex",
    "latex",
    "text/x-tex",
    "text/x-latex",
    "math/tex",
)
_ANNOTATIONS: Final = frozenset({"annotation", "annotation-xml"})


def source_of(math: LexborNode) -> str:
    """Return the TeX that a MathML element carries of itself, '' when it carries none."""
    for annotation in math.css("annotation, m\\:annotation, mml\\:annotation"):
        encoding = (annotation.attributes.get("encoding") or "").lower()
        if encoding.split(";")[0].strip() in _TEX_ENCODINGS:
            return _without_style(tidy_tex(shown_text(annotation)))
    attributes = math.attributes
    label = attributes.get("alttext") or ""
    if label and (looks_like_tex(label) or "\\" in label or "ltx_" in (attributes.get("class") or "")):
        return _without_style(tidy_tex(label))
    return ""


_STYLE: Final = re.compile(r"^\\displaystyle(?![A-Za-z])\s*")


def _without_style(latex: str) -> str:
    r"""Leave out the `\displaystyle` that LaTeXML puts before every cell of an equation."""
    return _STYLE.sub("", latex)


def latex_of(math: LexborNode) -> str:
    """Return the LaTeX of a MathML element, or of a rendering that has its structure."""
    return joined([_row(math, 0)]).strip()


def _latex(node: LexborNode, depth: int) -> str:
    if depth > MAX_DEPTH:
        return commands_of(shown_text(node)[:1000])
    name = name_of(node)
    write = _WRITERS.get(name)
    if write is not None:
        return write(node, depth + 1)
    if name in content_mathml.NAMES:
        return content_mathml.latex_of(node, lambda inner: _latex(inner, depth + 1))
    return "" if name in _ANNOTATIONS else _row(node, depth + 1)


def _argument(node: LexborNode, position: int, depth: int) -> str:
    children = children_of(node)
    return _latex(children[position], depth).strip() if position < len(children) else ""


def _row(node: LexborNode, depth: int) -> str:
    children = children_of(node)
    if not children:
        return commands_of(" ".join(shown_text(node).split())) if name_of(node) in ("math", "mrow") else ""
    matrix = _fenced_table(children, depth)
    if matrix:
        return matrix
    pieces: list[str] = []
    for place, child in enumerate(children):
        piece = _latex(child, depth)
        if name_of(child) == "mo" and 0 < place < len(children) - 1 and _is_infix(child, children[place - 1]):
            piece = f" {piece} "
        elif name_of(child) == "mo" and piece in (",", ";"):
            piece += " "
        pieces.append(piece)
    if len(children) > 2 and _stretches(children[0]) and _stretches(children[-1]) and _is_tall(children[1:-1]):
        pieces[0], pieces[-1] = f"\\left{pieces[0] or '.'} ", f" \\right{pieces[-1] or '.'}"
    return joined(pieces)


def _is_infix(node: LexborNode, before: LexborNode) -> bool:
    """Return whether an operator has an operand before it: a sign after another operator is a sign."""
    text = text_of(node)
    if text not in INFIX or text not in "+-−±":
        return text in INFIX
    return name_of(before) != "mo" or text_of(before) in (")", "]", "}", "!", "|")


_FENCES: Final = frozenset("()[]{}|‖⟨⟩⌊⌋⌈⌉∣∥")
_TALL: Final = frozenset({"mfrac", "mtable", "munder", "mover", "munderover"})


def _stretches(node: LexborNode) -> bool:
    return name_of(node) == "mo" and text_of(node) in _FENCES and node.attributes.get("stretchy") != "false"


def _is_tall(nodes: list[LexborNode]) -> bool:
    return any(name_of(node) in _TALL or any(name_of(inner) in _TALL for inner in children_of(node)) for node in nodes)


# ---- tokens ---------------------------------------------------------------------------------------------------------


def _identifier(node: LexborNode, _depth: int) -> str:
    text = text_of(node)
    if text in FUNCTIONS:
        return f"\\{text} "
    variant = VARIANTS.get(node.attributes.get("mathvariant") or "", "")
    latex = commands_of(text)
    if len(text) > 1 and text.isalpha() and text.isascii():
        return f"\\{variant or 'mathrm'}{{{latex}}}"
    return f"\\{variant}{{{latex}}}" if variant and (variant != "mathrm" or text.isascii()) and latex else latex


def _number(node: LexborNode, _depth: int) -> str:
    variant = VARIANTS.get(node.attributes.get("mathvariant") or "", "")
    latex = commands_of(text_of(node))
    return f"\\{variant}{{{latex}}}" if variant and variant != "mathrm" else latex


def _operator(node: LexborNode, _depth: int) -> str:
    text = text_of(node)
    if text in FUNCTIONS:
        return f"\\{text} "
    if len(text) > 1 and text.isalpha() and text.isascii():
        return f"\\operatorname{{{text}}}"
    return commands_of(text)


_SPECIAL: Final = re.compile(r"[#$%&_{}]")


def _words(node: LexborNode, _depth: int) -> str:
    if name_of(node) == "mtext" and node.css_first("math, mi, mo, mn") is not None:
        return _row(node, _depth)
    text = re.sub(r"[ \t\r\n\u00a0]+", " ", shown_text(node) or text_of(node))
    if not text.strip():
        return " " if text else ""
    if len(text) == 1 and not text.isalpha():
        return commands_of(text)
    escaped = _SPECIAL.sub(r"\\\g<0>", text)
    return f"\\text{{{escaped}}}"


def _space(node: LexborNode, _depth: int) -> str:
    attributes = node.attributes
    if attributes.get("linebreak") == "newline":
        return r" \\ "
    width = re.match(r"(-?[\d.]{1,8})em", attributes.get("width") or "")
    size = float(width[1]) if width and width[1].count(".") <= 1 and width[1].strip("-.") else 0.0
    return r"\qquad " if size >= 2 else r"\quad " if size >= 1 else r"\, " if size > 0.1 else ""


# ---- layout ---------------------------------------------------------------------------------------------------------


def _fraction(node: LexborNode, depth: int) -> str:
    over, under = _argument(node, 0, depth), _argument(node, 1, depth)
    thickness = node.attributes.get("linethickness") or ""
    if thickness in ("0", "0pt", "0px", "0em"):
        return f"\\genfrac{{}}{{}}{{0pt}}{{}}{{{over}}}{{{under}}}"
    return f"\\frac{{{over}}}{{{under}}}"


def _square_root(node: LexborNode, depth: int) -> str:
    return f"\\sqrt{{{_row(node, depth).strip()}}}"


def _root(node: LexborNode, depth: int) -> str:
    children = children_of(node)
    base, index = (1, 0) if (node.tag or "").startswith("mjx-") and len(children) > 1 else (0, 1)
    return f"\\sqrt[{_argument(node, index, depth)}]{{{_argument(node, base, depth)}}}"


_ATOM: Final = re.compile(r"\\[A-Za-z]+\s*|[^\\]|\\[^A-Za-z]|\d+|\\[A-Za-z]+\{[^{}]*\}")


def _base(latex: str) -> str:
    """Return a base that scripts hang on as a whole."""
    latex = latex.strip()
    return latex if _ATOM.fullmatch(latex) or not latex or _is_fenced(latex) else f"{{{latex}}}"


def _is_fenced(latex: str) -> bool:
    return latex.startswith((r"\left", r"\begin")) or (latex.startswith(("(", "[")) and latex.endswith((")", "]")))


def _script(mark: str, latex: str) -> str:
    if not latex:
        return ""
    if mark == "^" and set(latex) == {"'"}:
        return latex
    return f"{mark}{{{latex}}}"


def _scripts(*marks: str) -> Callable[[LexborNode, int], str]:
    def write(node: LexborNode, depth: int) -> str:
        scripts = [_script(mark, _argument(node, place, depth)) for place, mark in enumerate(marks, start=1)]
        return _base(_argument(node, 0, depth)) + "".join(scripts)

    return write


def _around(over: int, under: int) -> Callable[[LexborNode, int], str]:
    """Write munder, mover, munderover, whose scripts are the children `under` and `over` (0: none)."""

    def write(node: LexborNode, depth: int) -> str:
        children = children_of(node)
        base = _argument(node, 0, depth)
        if base.strip() in LIMITS:
            low, high = (_argument(node, place, depth) if place else "" for place in (under, over))
            return base.strip() + _script("_", low) + _script("^", high)
        latex = base
        if under and under < len(children):
            latex = _set_under(latex, text_of(children[under]), _argument(node, under, depth))
        if over and over < len(children):
            latex = _set_over(latex, text_of(children[over]), _argument(node, over, depth))
        return latex

    return write


def _set_over(base: str, mark: str, latex: str) -> str:
    accent = ACCENTS.get(mark)
    if accent:
        plain = len(base) == 1 or re.fullmatch(r"\\[A-Za-z]+(?:\{\w\})?", base)
        return f"\\{accent if plain else WIDE.get(accent, accent)}{{{base}}}"
    if base.startswith((r"\overbrace", r"\sum", r"\prod", r"\int", r"\lim")):
        return f"{base}^{{{latex}}}"
    return f"\\overset{{{latex}}}{{{base}}}" if latex else base


def _set_under(base: str, mark: str, latex: str) -> str:
    if mark in UNDER:
        return f"\\{UNDER[mark]}{{{base}}}"
    if base.startswith((r"\underbrace", r"\sum", r"\prod", r"\int", r"\lim", r"\max", r"\min", r"\operatorname")):
        return f"{base}_{{{latex}}}"
    return f"\\underset{{{latex}}}{{{base}}}" if latex else base


def _multiscripts(node: LexborNode, depth: int) -> str:
    children = children_of(node)
    names = [name_of(child) for child in children]
    split = names.index("mprescripts") if "mprescripts" in names else len(children)

    def pairs(nodes: list[LexborNode]) -> str:
        marks = ("_", "^")
        return "".join(_script(marks[place % 2], _latex(child, depth).strip()) for place, child in enumerate(nodes))

    before, after = pairs(children[split + 1 :]), pairs(children[1:split])
    return (f"{{}}{before}" if before else "") + _base(_argument(node, 0, depth)) + after


# ---- tables and fences ----------------------------------------------------------------------------------------------

_MATRICES: Final = {
    ("(", ")"): "pmatrix",
    ("[", "]"): "bmatrix",
    ("{", "}"): "Bmatrix",
    ("|", "|"): "vmatrix",
    ("∣", "∣"): "vmatrix",
    ("‖", "‖"): "Vmatrix",
    ("∥", "∥"): "Vmatrix",
    ("{", ""): "cases",
}


def _fenced_table(children: list[LexborNode], depth: int) -> str:
    """Return a row that is a table between fences as the matrix it is, '' when it is something else."""
    if len(children) not in (2, 3) or name_of(children[1]) != "mtable" or name_of(children[0]) != "mo":
        return ""
    closer = text_of(children[2]) if len(children) == 3 else ""
    environment = _MATRICES.get((text_of(children[0]), closer))
    return _rows(children[1], environment, depth) if environment else ""


def _table(node: LexborNode, depth: int) -> str:
    align = node.attributes.get("columnalign") or ""
    alternating = align.startswith("right left") or align == "right"
    return _rows(node, "aligned" if alternating else "matrix", depth)


def _rows(node: LexborNode, environment: str, depth: int) -> str:
    rows: list[str] = []
    for row in children_of(node):
        cells = children_of(row)[1:] if name_of(row) == "mlabeledtr" else children_of(row)
        rows.append(" & ".join(_row(cell, depth + 1).strip() for cell in cells) if cells else _latex(row, depth))
    return f"\\begin{{{environment}}} " + r" \\ ".join(rows) + f" \\end{{{environment}}}"


def _fenced(node: LexborNode, depth: int) -> str:
    attributes = node.attributes
    opener, closer = attributes.get("open", "("), attributes.get("close", ")")
    separators = "".join((attributes.get("separators", ",") or "").split())
    children = children_of(node)
    if len(children) == 1 and name_of(children[0]) == "mtable":
        environment = _MATRICES.get(((opener or "").strip(), (closer or "").strip()))
        if environment:
            return _rows(children[0], environment, depth)
    pieces: list[str] = []
    for place, child in enumerate(children):
        if place and separators:
            pieces.append(commands_of(separators[min(place - 1, len(separators) - 1)]) + " ")
        pieces.append(_latex(child, depth))
    left, right = (command_of((fence or "").strip()[:1]) if fence else "" for fence in (opener, closer))
    if _is_tall(children):
        return joined([f"\\left{left or '.'} ", *pieces, f" \\right{right or '.'}"])
    return joined([left, *pieces, right])


_NOTATIONS: Final = pairs("box boxed updiagonalstrike cancel downdiagonalstrike bcancel top overline bottom underline")


def _enclosed(node: LexborNode, depth: int) -> str:
    notation = node.attributes.get("notation") or ""
    inner = _row(node, depth).strip()
    if "radical" in notation:
        return f"\\sqrt{{{inner}}}"
    command = next((command for name, command in _NOTATIONS.items() if name in notation), "")
    return f"\\{command}{{{inner}}}" if command else inner


def _first(node: LexborNode, depth: int) -> str:
    children = [child for child in children_of(node) if name_of(child) not in _ANNOTATIONS]
    return _latex(children[0], depth) if children else _annotated_content(node, depth)


def _annotated_content(node: LexborNode, depth: int) -> str:
    content = node.css_first("annotation-xml")
    return _row(content, depth) if content is not None else ""


_WRITERS: Final[dict[str, Callable[[LexborNode, int], str]]] = {
    **dict.fromkeys(("math", "mrow", "mstyle", "merror", "mpadded", "mtd", "mtr", "wrapper"), _row),
    **dict.fromkeys(("mtext", "ms"), _words),
    **dict.fromkeys(("none", "mprescripts", "mphantom", "maligngroup", "malignmark"), lambda _node, _depth: ""),
    **dict.fromkeys(("semantics", "maction"), _first),
    "mi": _identifier,
    "mn": _number,
    "mo": _operator,
    "mspace": _space,
    "mfrac": _fraction,
    "msqrt": _square_root,
    "mroot": _root,
    "msub": _scripts("_"),
    "msup": _scripts("^"),
    "msubsup": _scripts("_", "^"),
    "munder": _around(0, 1),
    "mover": _around(1, 0),
    "munderover": _around(2, 1),
    "mmultiscripts": _multiscripts,
    "mtable": _table,
    "mfenced": _fenced,
    "menclose": _enclosed,
}
