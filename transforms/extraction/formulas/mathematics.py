"""Formulas of a page: which elements hold one, and its LaTeX, written once.

A page has a formula as source, as a rendering, or as both; both must not reach the text. What is known here:

* MathJax 2: `script type="math/tex|asciimath|mml"` is the source; `MathJax_Preview`, `MathJax`, `MathJax_Display`,
  `MathJax_SVG`, `MathJax_CHTML`, `mjx-chtml` next to it are copies. Without a source: `data-mathml`, the assistive
  MathML, the label of `mjx-math`.
* MathJax 3 and 4: `mjx-container` with `data-latex` (4), assistive MathML, or the rendered tree itself, whose node
  names are those of MathML.
* KaTeX: the TeX annotation of `katex-mathml`; `katex-html` is the copy. Temml and browsers' own: `math`.
* MathML: TeX annotation, `alttext` that is TeX (LaTeXML, Wikipedia), or converted by `mathml.latex_of`.
* Images: `alt`, `title` or the address of renderers (codecogs, WordPress, mathTeX, QuickLaTeX, Zhihu, LaTeX2HTML,
  Wikipedia's fallback).
* Elements that hold raw TeX: pandoc, sphinx, mkdocs' arithmatex, CKEditor's math-tex, Springer's mathjax-tex,
  GitHub's math-renderer, GitLab's js-render-math, StackExchange's math-container, `data-tex` and its kin.

Raw TeX between delimiters in running text is the subject of `tex.normalised_tex`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from transforms.extraction.formulas.ascii_math import ascii_math_to_latex
from transforms.extraction.formulas.formula_images import latex_of_image, may_show_formula
from transforms.extraction.formulas.mathml import latex_of, source_of
from transforms.extraction.formulas.tex import between_delimiters, looks_like_tex, tidy_tex
from transforms.extraction.parsing.names import class_names, names
from transforms.extraction.parsing.shown import nests_deep, shown_text


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula. An empty `latex` means that nothing is to be written: a rendered copy, or definitions alone."""

    latex: str  # without delimiters
    display: bool  # whether it is in a block of its own

    def written(self) -> str:
        """Return the formula between `$` or `$$`."""
        mark = "$$" if self.display else "$"
        return f"{mark}{self.latex}{mark}" if self.latex else ""


_COPY: Final = Formula("", False)

_MATH: Final = frozenset({"math", "m:math", "mml:math"})
_DRAWN: Final = frozenset({"mjx-container", "mjx-assistive-mml"})
_RAW_TAGS: Final = frozenset({"math-renderer", "tex-math", "d-math", "la-tex", "math-field", "katex-expression"})
_CODE_TAGS: Final = frozenset({"code", "pre"})
_TAGS: Final = _MATH | _DRAWN | _RAW_TAGS | {"var"}

_RENDERED: Final = names(
    "mathjax mathjax_preview mathjax_display mathjax_svg mathjax_svg_display mathjax_chtml mathjax_phtml mathjax_mathml"
    " mathjax_mml mjx-chtml mjxc-display"
)
_KATEX: Final = frozenset({"katex", "katex-display", "katex-mathml", "katex--display", "katex--inline"})
_HOLDERS: Final = frozenset({"mwe-math-element", "mjx_assistive_mathml", "temml", "ltx_math", "mathjax_full_width"})
# Classes of elements that hold TeX without delimiters; those of `_DELIMITED` must show some.
_BARE: Final = names(
    "math-inline math-display math-block katex-eq katex-block katex-inline wp-katex-eq js-render-math ztext-math"
    " math-tex katex-error katex_math mathquill-embedded-latex tex-math inline-math display-math"
    " wp-block-katex-display-block latex-inline latex-block"
)
_DELIMITED: Final = names(
    "math math-container mathjax-tex arithmatex js-inline-math js-display-math tex2jax_process mathjax_process"
    " filter_mathjaxloader_equation nolink latex tex formula equation inline-formula display-formula ql-formula"
    " eq-inline mathtex asciimath notranslate"
)
_KNOWN: Final = _RENDERED | _KATEX | _HOLDERS | _BARE | _DELIMITED | {"katex-html"}
CLASSES: Final = _KNOWN  # in lower case; an element is a formula by its class only with one of them
# Attributes whose value is always TeX, and others that may hold some.
_TEX_DATA: Final = ("data-tex", "data-latex", "data-katex", "data-latex-source", "data-original-tex", "data-value")
_DATA: Final = (
    *_TEX_DATA,
    "data-math",
    "data-equation",
    "data-formula",
    "data-expr",
    "data-math-expression",
    "data-mathml",
)
_DATA_NAMES: Final = frozenset({*_DATA, "data-math-style"})
_SPECIAL: Final = frozenset({"img", "script"})
_WITH_DATA: Final = frozenset({"span", "code", "pre"})  # others that hold a source name it in their class, too
_SCRIPTS: Final = ("math/", "text/tex", "text/x-latex")
_NEAR: Final = 4  # siblings that are looked at for the source of a rendering


def may_be_formula(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Return whether `formula_of` is worth calling for an element; False for nearly every one."""
    if tag in _TAGS:
        return True
    if not attributes:
        return False
    if tag in _SPECIAL:
        if tag == "img":
            return may_show_formula(attributes)
        return (attributes.get("type") or "").startswith(_SCRIPTS)
    classes = attributes.get("class")
    if classes and _is_known(classes):
        return True
    return tag in _WITH_DATA and len(attributes) > 1 and not _DATA_NAMES.isdisjoint(attributes)


@lru_cache(maxsize=65536)
def _is_known(classes: str) -> bool:
    return not _KNOWN.isdisjoint(class_names(classes))


def formula_of(node: LexborNode) -> Formula | None:
    """Return the formula an element is, or None: then it is no formula and the walk goes on into it.

    A formula replaces the whole subtree; nothing else of it is content.
    """
    tag = node.tag or ""
    attributes = node.attributes
    if tag == "script":
        return _of_script(node, (attributes.get("type") or "").lower())
    if tag == "img":
        markup = attributes.get("data-mathml")
        return _of_markup(markup) if markup else _of_image(attributes)
    if tag == "var":
        return _of_variable(node)
    classes = class_names(attributes.get("class"))
    if tag in _MATH:
        return _of_math(node, attributes)
    if nests_deep(node):
        return None
    if tag in _DRAWN or not classes.isdisjoint(_RENDERED):
        return _of_rendered(node, attributes, classes)
    if not classes.isdisjoint(_KATEX) or not classes.isdisjoint(_HOLDERS):
        return _of_holder(node, classes)
    if "katex-html" in classes:
        return _COPY if _has_sibling(node, "katex-mathml") else None
    return _of_data(node, attributes, classes) or _of_raw(node, tag, attributes, classes)


# ---- sources that pages carry ---------------------------------------------------------------------------------------


def _of_script(node: LexborNode, kind: str) -> Formula | None:
    display = "mode=display" in kind.replace(" ", "")
    content = shown_text(node)
    if kind.startswith(("math/tex", "text/tex", "text/x-latex", "math/latex")):
        return Formula(tidy_tex(content), display)
    if kind.startswith("math/asciimath"):
        return Formula(ascii_math_to_latex(content), display)
    if kind.startswith("math/mml"):
        return _of_markup(content)
    return None


_WIRIS: Final = str.maketrans("«»¨§`", "<>\"&'")


def _of_markup(markup: str) -> Formula | None:
    """Return the formula of MathML in an attribute or a script, also as WIRIS disguises it."""
    if markup.startswith("«"):
        markup = markup.translate(_WIRIS)
    math = LexborHTMLParser(markup).css_first("math")
    return _of_math(math, math.attributes) if math is not None else None


def _of_math(node: LexborNode, attributes: Mapping[str, str | None]) -> Formula:
    display = attributes.get("display") == "block" or attributes.get("mode") == "display"
    return Formula(source_of(node) or latex_of(node), display)


def _of_variable(node: LexborNode) -> Formula | None:
    """AtCoder, Sphinx: `var` around TeX. One letter is a variable of prose as well, and stays."""
    text = shown_text(node).strip()
    return Formula(tidy_tex(text), False) if looks_like_tex(text) and node.css_first("sub, sup") is None else None


def _of_stripped_katex(node: LexborNode, *, display: bool) -> Formula | None:
    """KaTeX whose MathML a cleaner took away: its text ends in what was the annotation, in a line of its own (CSDN) or
    directly after what the MathML showed."""
    part = node.css_first(".katex-mathml")
    lines = [line.strip() for line in shown_text(part).split("\n") if line.strip()] if part is not None else []
    if len(lines) != 1:
        return Formula(tidy_tex(lines[-1]), display) if lines else None
    drawn = node.css_first(".katex-html")
    latex = _after_drawing(lines[0], "" if drawn is None else shown_text(drawn))
    return Formula(tidy_tex(latex), display) if latex else None


_SHOWN_IN_TEX: Final = re.compile(
    r"\\(?:(?:oper|math|text)[a-z]*|(sin|cos|tan|cot|sec|csc|log|ln|lg|exp|lim|max|min|sup|inf|det|dim|ker|deg|gcd|arg"
    r"|Pr|arcsin|arccos|arctan|sinh|cosh|tanh)(?![a-zA-Z])|[a-zA-Z]+)"
)
_LONGEST_DRAWN: Final = 300  # characters of a drawing and its TeX in one line (our value)


def _after_drawing(text: str, drawn: str) -> str:
    """Return the TeX that follows a drawing's text in the same line, '' when none is found: behind as many characters
    as the drawing has, if they are the same in any order (KaTeX draws denominators first), or else where letters and
    digits on both sides agree."""
    if len(text) > _LONGEST_DRAWN:
        return ""
    marks = sorted(char for char in drawn if _is_mark(char))
    n_marks = 0
    for at, char in enumerate(text, start=1):
        n_marks += _is_mark(char)
        if marks and n_marks == len(marks):
            if sorted(filter(_is_mark, text[:at])) == marks:
                return text[at:].strip()
            break
    first = max((at for at, char in enumerate(text, start=1) if not char.isascii()), default=1)  # TeX is ASCII
    for at in range(first, len(text)):
        if not text[at].isspace() and _sorted_letters(text[:at]) == _sorted_letters(
            _SHOWN_IN_TEX.sub(r"\1", text[at:])
        ):
            return text[at:]
    return ""


def _is_mark(char: str) -> bool:
    return char.isprintable() and not char.isspace()


def _sorted_letters(text: str) -> str:
    """Return the letters and digits of ASCII in a text, which TeX and its drawing have in common."""
    return "".join(sorted(char for char in text if char.isascii() and char.isalnum()))


def _of_holder(node: LexborNode, classes: frozenset[str]) -> Formula | None:
    """KaTeX, Wikipedia: an element around one MathML tree with its source, and copies of it."""
    math = node.css_first("math")
    if math is None:
        image = node.css_first("img")
        if image is not None and "mwe-math-element" in classes:
            return _of_image(image.attributes)
        return _of_stripped_katex(node, display=bool(classes & {"katex-display", "katex--display"}))
    found = _of_math(math, math.attributes)
    parts = (
        "katex-display",
        "katex--display",
        "mwe-math-element-block",
        "mwe-math-mathml-display",
        "mwe-math-fallback-image-display",
    )
    display = found.display or any(part in classes for part in parts) or _has_class_within(node, parts[3:])
    return Formula(found.latex, display)


def _has_class_within(node: LexborNode, classes: tuple[str, ...]) -> bool:
    return any(node.css_first(f".{name}") is not None for name in classes)


def _of_rendered(node: LexborNode, attributes: Mapping[str, str | None], classes: frozenset[str]) -> Formula | None:
    """What MathJax drew. When the source is next to it, the source is the formula and this is its copy."""
    source = _source_beside(node)
    if source is not None:
        return _COPY
    if "mathjax_preview" in classes:
        return _COPY if _rendered_beside(node) else _of_raw(node, node.tag or "", attributes, classes)
    display = attributes.get("display") == "true" or any("display" in name for name in classes)
    for owner in (node, *node.css("[data-mathml], [data-latex], .mjx-math[aria-label]")):
        found = _of_label(owner.attributes)
        if found:
            return Formula(found.latex, display or found.display)
    math = node.css_first("math")
    if math is not None:
        found = _of_math(math, math.attributes)
        return Formula(found.latex, display or found.display)
    drawn = node.css_first("mjx-math, [data-mml-node=math]")
    return Formula(latex_of(drawn), display) if drawn is not None else None


def _of_label(attributes: Mapping[str, str | None]) -> Formula | None:
    latex = attributes.get("data-latex")
    if latex:
        return Formula(tidy_tex(latex), False)
    markup = attributes.get("data-mathml")
    if markup:
        return _of_markup(markup)
    label = attributes.get("aria-label")
    return Formula(tidy_tex(label), False) if label and "mjx-math" in (attributes.get("class") or "") else None


def _siblings_after(node: LexborNode) -> Iterator[LexborNode]:
    """Yield the few elements that follow, up to the first text."""
    sibling = node.next
    for _ in range(2 * _NEAR):
        if sibling is None or (sibling.tag == "-text" and sibling.text_content and not sibling.text_content.isspace()):
            return
        if sibling.is_element_node:
            yield sibling
        sibling = sibling.next


def _source_beside(node: LexborNode) -> LexborNode | None:
    for sibling in _siblings_after(node):
        if sibling.tag == "script":
            return sibling if (sibling.attributes.get("type") or "").startswith("math/") else None
        if _RENDERED.isdisjoint(class_names(sibling.attributes.get("class"))):
            return None
    return None


def _rendered_beside(node: LexborNode) -> bool:
    sibling = next(_siblings_after(node), None)
    if sibling is None:
        return False
    return sibling.tag == "mjx-container" or not _RENDERED.isdisjoint(class_names(sibling.attributes.get("class")))


def _has_sibling(node: LexborNode, name: str) -> bool:
    previous = node.prev
    return previous is not None and previous.is_element_node and name in (previous.attributes.get("class") or "")


# ---- raw TeX in elements and attributes -----------------------------------------------------------------------------


def _of_data(node: LexborNode, attributes: Mapping[str, str | None], classes: frozenset[str]) -> Formula | None:
    """Return the formula an attribute holds: Zhihu's `data-tex`, Quill's `data-value`, and their kin."""
    for name in _DATA:
        value = attributes.get(name)
        if not value or (name == "data-value" and "ql-formula" not in classes):
            continue
        if name == "data-mathml":
            return _of_markup(value)
        inner, display = between_delimiters(value)
        if name in _TEX_DATA or looks_like_tex(inner):
            display = display or _is_display(attributes, classes)
            return Formula(tidy_tex(inner), display)
    return None


_NAMED: Final = frozenset({"math", "tex", "latex", "mathtex"})  # of jsMath, Discourse and others, without delimiters
_LONGEST: Final = 1000  # characters of TeX that only its class declares (our value)
_IN_RAW: Final = frozenset({"br", "em", "nobr", "wbr", "span"})  # what scripts and Markdown leave inside raw TeX


def _of_raw(
    node: LexborNode, tag: str, attributes: Mapping[str, str | None], classes: frozenset[str]
) -> Formula | None:
    """Return the formula whose source is the whole text of an element."""
    for child in node.iter():
        if child.tag not in _IN_RAW or child.css_first("*") not in (None, child):
            return None
    content = shown_text(node).strip()
    if not content:
        return None
    inner, display = between_delimiters(content)
    if inner == content and not display:  # without delimiters
        in_code = tag in _CODE_TAGS and "data-math-style" not in attributes
        bare = tag in _RAW_TAGS or not classes.isdisjoint(_BARE) or {"math", "inline"} <= classes
        bare = bare or {"math", "display"} <= classes or "data-math-style" in attributes
        bare = bare or (looks_like_tex(inner) and not classes.isdisjoint(_NAMED) and len(inner) < _LONGEST)
        if in_code or not bare or (tag not in _RAW_TAGS and not looks_like_tex(inner) and len(inner) > 40):
            return None
        if any(child.tag in ("em", "span") for child in node.iter()) and not looks_like_tex(inner):
            return None  # formulas written in HTML, not in TeX
        if "asciimath" in classes:
            inner = ascii_math_to_latex(inner)
    return Formula(tidy_tex(inner), display or _is_display(attributes, classes))


def _is_display(attributes: Mapping[str, str | None], classes: frozenset[str]) -> bool:
    if (
        attributes.get("data-math-style") == "display"
        or attributes.get("data-display") == "true"
        or "block" in attributes
    ):
        return True
    return any(name.endswith(("display", "block")) or name.startswith("display") for name in classes)


def _of_image(attributes: Mapping[str, str | None]) -> Formula | None:
    found = latex_of_image(attributes)
    return Formula(*found) if found else None
