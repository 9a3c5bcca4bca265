from __future__ import annotations

from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from transforms.extraction.formulas.mathematics import Formula, formula_of, may_be_formula
from transforms.extraction.formulas.tex import TexDialect, normalised_tex, tex_dialect, tidy_tex

_RENDERED = TexDialect("MathJax")


def written(html: str) -> str:
    """Return the text of a page with its formulas, blanks single: the smallest walk that obeys the rules."""
    pieces: list[str] = []

    def walk(node: LexborNode) -> None:
        for child in node.iter(include_text=True):
            tag = child.tag or ""
            if tag == "-text":
                pieces.append(child.text_content or "")
                continue
            found = formula_of(child) if may_be_formula(tag, child.attributes) else None
            if found is not None:
                pieces.append(found.written())
            elif tag not in ("script", "style", "template"):
                walk(child)

    body = LexborHTMLParser(html).body
    assert body is not None
    walk(body)
    return " ".join("".join(pieces).split())


_FORMULAS = (Path(__file__).parents[1] / "data" / "formulas.txt").read_text().removeprefix("=== ").split("\n=== ")


@pytest.mark.parametrize(("text", "html"), [formula.split("\n", 1) for formula in _FORMULAS])
def test_each_formula_stands_once(text: str, html: str) -> None:
    assert written(f"<body>{html}</body>") == text


@pytest.mark.parametrize(
    "html",
    [
        '<img src="/img/latex-gloves.jpg" alt="Latex gloves">',
        '<img src="mathematics.jpg" alt="A class of mathematics">',
        '<img src="a.png" alt="C:\\Users\\my_files">',
        '<p class="context texture aftermath">prose</p>',
        '<div class="latex">Latex mattress</div>',
        '<div class="equation"><p>no</p></div>',
        '<div class="formula">The formula is: buy low, sell high and never look back again.</div>',
        '<span class="math">\\(a\\) and \\(b\\)</span>',
        '<a data-value="5">five</a>',
        '<script type="text/javascript">x^2</script>',
        '<span class="texhtml"><i>x</i><sup>2</sup></span>',
    ],
)
def test_what_is_no_formula(html: str) -> None:
    node = LexborHTMLParser(f"<body>{html}</body>").body
    assert node is not None
    child = node.first_child
    assert child is not None
    assert not may_be_formula(child.tag or "", child.attributes) or formula_of(child) is None


def test_a_copy_is_written_as_nothing() -> None:
    assert Formula("", True).written() == ""
    assert Formula("x", True).written() == "$$x$$"
    assert Formula("x", False).written() == "$x$"


@pytest.mark.parametrize(
    ("text", "dialect", "expected"),
    [
        (r"let \(x\) be \[ y^2 \] so", _RENDERED, "let $x$ be $$y^2$$ so"),
        (r"let \(x\) be", TexDialect(), r"let \(x\) be"),
        (r"let \(\alpha\) be", TexDialect(), r"let $\alpha$ be"),
        (r"a\\[2pt] b \(x\)", _RENDERED, r"a\\[2pt] b $x$"),
        (r"costs $5 and \(x\) then $6", _RENDERED, "costs $5 and $x$ then $6"),
        (r"\begin{align} a &= b \end{align}", _RENDERED, r"$$\begin{align} a &= b \end{align}$$"),
        (r"$$\begin{align} a \end{align}$$", _RENDERED, r"$$\begin{align} a \end{align}$$"),
        (r"\begin{equation} a \end{equation}", TexDialect(), r"\begin{equation} a \end{equation}"),
        (r"\begin{equation} a^2 \end{equation}", TexDialect(), r"$$\begin{equation} a^2 \end{equation}$$"),
        ("[tex]x[/tex] [itex]y[/itex] [TEX]z[/TEX]", TexDialect(), "$$x$$ $y$ $$z$$"),
        ("[math]x[/math] [latex]y[/latex]", TexDialect(), "$x$ $y$"),
        ("$latex x^2$ is", TexDialect(), "$x^2$ is"),
        ("`x^2` is", TexDialect("MathJax AM_HTML"), "$x^{2}$ is"),
        ("`x^2` is", _RENDERED, "`x^2` is"),
        (r"\( open", _RENDERED, r"\( open"),
        (r"\(\newcommand{\x}{y}\) a", _RENDERED, " a"),
        (r"\(a\text{ if $b$}\)", _RENDERED, r"$a\text{ if $b$}$"),
        ("", _RENDERED, ""),
        ("for ##x^2## and #", TexDialect("MathJax inlineMath: [['##','##']]"), "for $x^2$ and #"),
        ("for ##x^2## and #", _RENDERED, "for ##x^2## and #"),
        (
            "$$$n$$$ and $$$$$$n^2$$$$$$",
            TexDialect("MathJax [['$$$','$$$']], [['$$$$$$','$$$$$$']]"),
            "$n$ and $$n^2$$",
        ),
        ("$$a$$$b$ \\(x\\)", _RENDERED, "$$a$$$b$ $x$"),
        (r"$\begingroup$ let \(x\) be $\endgroup$", _RENDERED, "let $x$ be "),
        (r"$\begingroup$", TexDialect(), ""),
    ],
)
def test_raw_tex_in_prose(text: str, dialect: TexDialect, expected: str) -> None:
    assert normalised_tex(text, dialect) == expected


_MARKS = [
    r"\(",
    r"\)",
    r"\[",
    "$",
    "$$",
    "[tex]",
    "[/tex]",
    r"\begin{align}",
    "`",
    "##",
    "$$$",
    "$latex ",
    "\\",
    r"\(\newcommand{",
]


@pytest.mark.parametrize("mark", _MARKS)
def test_marks_without_end_cost_little(mark: str) -> None:
    text = mark * (100_000 // len(mark))
    dialect = TexDialect("MathJax AM_HTML")
    assert len(normalised_tex(text, dialect)) <= len(text) + 4


@pytest.mark.parametrize(
    ("html", "rendered", "ascii_math"),
    [
        ("<p>plain", False, False),
        ('<script src="/mathjax/MathJax.js?config=TeX-AMS_HTML">', True, False),
        ('<script src="/MathJax.js?config=TeX-MML-AM_CHTML">', True, True),
        ('<script src="katex.min.js">', True, False),
    ],
)
def test_dialect(html: str, rendered: bool, ascii_math: bool) -> None:
    dialect = tex_dialect(html)
    assert (dialect.rendered, dialect.ascii_math) == (rendered, ascii_math)


@pytest.mark.parametrize(
    ("latex", "tidy"),
    [
        ("", ""),
        ("  x \n\n\n y ", "x\ny"),
        ("a % comment\nb", "a b"),
        (r"50\% of a % all", r"50\% of a"),
        (r"a \\% comment", r"a \\"),
        ("a &lt; b &amp; c", "a < b & c"),
        ("% <![CDATA[\nx %]]>", "x"),
        (r"{\displaystyle {a}}", "{a}"),
        (r"{\displaystyle a}+{b}", r"{\displaystyle a}+{b}"),
        (r"a\ ", r"a\ "),
        (r"\newcommand{\R}[1]{\mathbb{#1}} \R{x}", r"\newcommand{\R}[1]{\mathbb{#1}} \R{x}"),
        (r"\def\a{b}\let\c=\d", ""),
    ],
)
def test_tidy_tex(latex: str, tidy: str) -> None:
    assert tidy_tex(latex) == tidy
