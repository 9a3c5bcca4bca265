from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.formulas.ascii_math import ascii_math_to_latex
from transforms.extraction.formulas.mathml import latex_of, source_of


def latex(inner: str, attributes: str = "") -> str:
    math = LexborHTMLParser(f"<math {attributes}>{inner}</math>").css_first("math")
    assert math is not None
    return source_of(math) or latex_of(math)


_X, _Y, _ONE = "<mi>x</mi>", "<mi>y</mi>", "<mn>1</mn>"
_CELLS = f"<mtable><mtr><mtd>{_ONE}</mtd><mtd>{_X}</mtd></mtr><mtr><mtd>{_Y}</mtd><mtd><mn>2</mn></mtd></mtr></mtable>"


_SUM = (
    "<apply><sum/><bvar><ci>i</ci></bvar><lowlimit><cn>1</cn></lowlimit><uplimit><ci>n</ci></uplimit><ci>i</ci></apply>"
)
_PIECES = (
    "<piecewise><piece><cn>0</cn><apply><lt/><ci>x</ci><cn>0</cn></apply></piece>"
    "<otherwise><ci>x</ci></otherwise></piecewise>"
)
_LETTERS = '<mi mathvariant="double-struck">R</mi><mi>ℝ</mi><mi>𝔤</mi><mi>𝐯</mi>'
_NUCLIDE = "<mmultiscripts><mi>U</mi><mn>92</mn><none/><mprescripts/><none/><mn>238</mn></mmultiscripts>"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("", ""),
        ("x", "x"),
        (f"{_X}<mo>=</mo><mo>−</mo>{_ONE}<mo>+</mo>{_Y}", "x = -1 + y"),
        (f"<mfrac>{_ONE}{_X}</mfrac>", r"\frac{1}{x}"),
        (f"<mfrac>{_ONE}</mfrac>", r"\frac{1}{}"),
        (f"<msqrt>{_X}<mo>+</mo>{_ONE}</msqrt><mroot>{_X}<mn>3</mn></mroot>", r"\sqrt{x + 1}\sqrt[3]{x}"),
        (f"<msup><mrow>{_X}<mo>+</mo>{_Y}</mrow><mn>2</mn></msup>", "{x + y}^{2}"),
        (f"<msup><mrow><mo>(</mo>{_X}<mo>)</mo></mrow><mn>2</mn></msup>", "(x)^{2}"),
        (f"<msubsup>{_X}<mi>i</mi><mn>2</mn></msubsup><msup>{_X}<mo>′</mo></msup>", "x_{i}^{2}x'"),
        (f"<munderover><mo>∑</mo>{_ONE}<mi>n</mi></munderover>{_X}", r"\sum_{1}^{n}x"),
        (f"<munder><mi>lim</mi><mrow>{_X}<mo>→</mo><mi>∞</mi></mrow></munder>", r"\lim_{x \to \infty}"),
        (f"<mover>{_X}<mo>^</mo></mover><mover><mrow>{_X}{_Y}</mrow><mo>¯</mo></mover>", r"\hat{x}\overline{xy}"),
        (f"<mover>{_X}<mtext>a</mtext></mover><munder>{_X}<mo>⏟</mo></munder>", r"\overset{\text{a}}{x}\underbrace{x}"),
        (f"<mrow><mo>(</mo>{_CELLS}<mo>)</mo></mrow>", r"\begin{pmatrix} 1 & x \\ y & 2 \end{pmatrix}"),
        (f"<mrow><mo>{{</mo>{_CELLS}</mrow>", r"\begin{cases} 1 & x \\ y & 2 \end{cases}"),
        (_CELLS, r"\begin{matrix} 1 & x \\ y & 2 \end{matrix}"),
        (f'<mfenced open="[" close="]">{_X}{_Y}</mfenced>', "[x, y]"),
        ("<mo>(</mo><mfrac><mn>1</mn><mn>2</mn></mfrac><mo>)</mo>", r"\left( \frac{1}{2} \right)"),
        (_LETTERS, r"\mathbb{R}\mathbb{R}\mathfrak{g}\mathbf{v}"),
        ("<mi>sin</mi><mo>&#x2061;</mo><mi>α</mi>", r"\sin \alpha"),
        ("<mi>rank</mi><mtext>50% of A_1</mtext>", r"\mathrm{rank}\text{50\% of A\_1}"),
        ("<mo>{</mo><mi>a</mi><mo>}</mo><mo>%</mo>", r"\{a\}\%"),
        (_NUCLIDE, "{}^{238}U_{92}"),
        ('<mi>a</mi><mspace width="1em"/><mi>b</mi><mphantom><mi>c</mi></mphantom>', r"a\quad b"),
        ('<menclose notation="box"><mi>a</mi></menclose><maction><mi>b</mi><mi>c</mi></maction>', r"\boxed{a}b"),
        (f'<semantics>{_X}<annotation encoding="MathType">junk</annotation></semantics>', "x"),
        (f'<semantics>{_X}<annotation encoding="application/x-tex">\\xi</annotation></semantics>', r"\xi"),
        ("<mi>日</mi><mi>س</mi>", "日س"),
        ("<unknown><mi>a</mi></unknown>", "a"),
        # content
        ("<apply><eq/><apply><power/><ci>x</ci><cn>2</cn></apply><cn>4</cn></apply>", "x^{2} = 4"),
        ("<apply><times/><apply><plus/><ci>a</ci><ci>b</ci></apply><ci>c</ci></apply>", "(a + b) c"),
        ("<apply><divide/><cn>1</cn><apply><root/><ci>x</ci></apply></apply>", r"\frac{1}{\sqrt{x}}"),
        (_SUM, r"\sum_{i = 1}^{n} i"),
        ("<apply><int/><bvar><ci>x</ci></bvar><apply><sin/><ci>x</ci></apply></apply>", r"\int \sin(x) \, dx"),
        ("<apply><ci>f</ci><ci>x</ci><pi/></apply>", r"f(x, \pi)"),
        ("<set><cn>1</cn><infinity/></set>", r"\{1, \infty\}"),
        ("<matrix><matrixrow><cn>1</cn><cn>2</cn></matrixrow></matrix>", r"\begin{pmatrix} 1 & 2 \end{pmatrix}"),
        (_PIECES, r"\begin{cases} 0 & x < 0 \\ x & \text{otherwise} \end{cases}"),
        ("<apply/><apply><minus/></apply>", "-"),
    ],
)  # fmt: skip
def test_mathml(inner: str, expected: str) -> None:
    assert latex(inner) == expected


_NAMES = """
mi mn mo mrow mfrac msup msubsup munderover mover mroot msqrt mtable mtr mtd mfenced mmultiscripts semantics
apply plus root sum bvar piecewise interval mprescripts menclose
"""
_TAGS = st.sampled_from(_NAMES.split())


@given(
    st.recursive(st.sampled_from(["", "x", "−", "{", "\\", "<none/>"]), lambda inner: st.tuples(_TAGS, inner, inner))
)
@settings(deadline=None, max_examples=150)
def test_any_tree_gives_latex(tree: object) -> None:
    def markup(node: object) -> str:
        return f"<{node[0]}>{markup(node[1])}{markup(node[2])}</{node[0]}>" if isinstance(node, tuple) else str(node)

    assert latex(markup(tree)) == latex(markup(tree))


def test_deep_and_wide_formulas_end() -> None:
    assert latex("<mrow>" * 20_000 + "<mi>x</mi>") == "x"
    assert latex("<msqrt>" * 3000 + "<mi>x</mi>").startswith(r"\sqrt{\sqrt{")
    assert len(latex("<mi>x</mi><mo>+</mo>" * 20_000)) > 60_000


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ""),
        ("x^2+1", "x^{2} + 1"),
        ("sum_(i=1)^n i^3=((n(n+1))/2)^2", r"\sum_{i = 1}^{n} i^{3} = \left( \frac{n (n + 1)}{2} \right)^{2}"),
        ("(a+b)/(c-d)", r"\frac{a + b}{c - d}"),
        ("[[a,b],[c,d]]", r"\left[ \begin{matrix} a & b \\ c & d \end{matrix} \right]"),
        ("((n),(k))", r"\left( \begin{matrix} n \\ k \end{matrix} \right)"),
        ("sqrt2 root(3)(x) hat x bb(A) abs(x)", r"\sqrt{2} \sqrt[3]{x} \hat{x} \mathbf{A} |x|"),
        ("lim_(x->oo) f(x)/g(x)", r"\lim_{x \to \infty} \frac{f(x)}{g(x)}"),
        ('x >= alpha "if so" != RR', r"x \ge \alpha \text{if so} \ne \mathbb{R}"),
        ("{x|x in ZZ}", r"\{x | x \in \mathbb{Z}\}"),
        ("sin^2 x", r"\sin^{2} x"),
        ("x_", "x_{}"),
        (")", ")"),
        ("1/", r"\frac{1}{}"),
        ("(", r"\left(  \right."),
    ],
)
def test_ascii_math(source: str, expected: str) -> None:
    assert ascii_math_to_latex(source) == expected


@given(st.text(alphabet="xy12+-/^_()[]{}|,:\"'. \\=<>~@sqrtfac日", max_size=60))
@settings(deadline=None)
def test_any_ascii_math_gives_latex(source: str) -> None:
    assert ascii_math_to_latex(source) == ascii_math_to_latex(source)


@pytest.mark.parametrize("piece", ["(", "[", "((", "x/", "_", "sqrt ", "[[a,", "frac ", ")"])
def test_nested_ascii_math_ends(piece: str) -> None:
    assert isinstance(ascii_math_to_latex(piece * 3000), str)


def test_scripts_inside_a_formula_are_not_its_text() -> None:
    deep = "<mrow>" * 80 + "<script>var unseen</script>" + "</mrow>" * 80
    assert latex(f"<mi>x</mi><mtext>a<style>unseen</style></mtext>{deep}") == r"x\text{a}"


@pytest.mark.parametrize(
    "tag", ["apply", "apply><ci>f</ci", "apply><plus/", "mover", "munder", "msub", "interval", "list", "mfenced"]
)
def test_each_part_is_written_once(tag: str) -> None:
    """Twice a level would be 2^60 times in all; found by the fuzzer."""
    assert isinstance(latex(f"<{tag}>" * 70 + "<mi>x</mi>"), str)
