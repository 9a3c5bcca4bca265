"""Pages made from bytes, and what must hold of any page: for hypothesis and for the fuzzer alike."""

from __future__ import annotations

import itertools

from selectolax.lexbor import LexborHTMLParser

from schemas.errors import BadRecord
from transforms.extraction.extract import page_text
from transforms.extraction.formulas.mathematics import formula_of, may_be_formula
from transforms.extraction.formulas.tex import TexDialect, normalised_tex, tex_dialect
from transforms.extraction.page import outline_of
from transforms.extraction.parsing.code import is_code_block, may_be_code
from transforms.extraction.parsing.listing import code_of
from transforms.extraction.parsing.shown import shown_text
from transforms.extraction.texts.hygiene import clean_unicode
from transforms.extraction.texts.write import blocks_to_write, text_of

SECRET = "qzxunseenqzx"  # stands where no reader sees it, and in no other place of a page
_HIDDEN = [
    f"<script>var {SECRET} = 1;</script>",
    f"<style>.{SECRET} {{ top: 0 }}</style>",
    f"<template>{SECRET} <a>{SECRET}</a></template>",
    f"<!-- {SECRET} -->",
    f'<script type="application/ld+json">{{"articleBody": "{SECRET}"}}</script>',
]
# Without the tags whose content is text whatever it looks like (title, iframe, textarea): no script would be one.
_TAG_NAMES = """
p div span a ul ol li dl dt dd table tr td th thead tbody caption pre code h1 h2 h3 h4 blockquote article main
section nav footer header aside form button b i em strong sub sup br hr img figure figcaption details summary
font center math mrow mi mn mo mfrac msup msubsup munderover mtable mtr mtd semantics annotation apply mjx-
container mjx-math mjx-mi svg g time label noscript video ruby rt tt samp kbd q cite small body html head
"""
_TAGS = _TAG_NAMES.split()
_ATTRIBUTE_LINES = """
class="math"|class="math inline"|class="katex"|class="katex-display"|class="MathJax"|class="MathJax_Preview"
class="code"|class="mwe-math-element"|class="highlight"|class="highlighttable"|class="linenos"|class="line"|class="crayon-syntax"
class="syntaxhighlighter"|class="gutter"|class="comments"|class="post"|class="content"|class="sidebar"|alt="$x^2$"
class="ltx_equation"|alt="\\frac{a}{b}"|src="/latex.php?latex=x%5E2"|src="data:,"|title="x_1"|display="block"
encoding="application/x-tex"|alttext="x^2"|data-tex="x"|data-mathml="<math><mi>x</mi></math>"|colspan=9|rowspan=3
colspan=99999|hidden|style="display:none"|role="presentation"|role=main|aria-hidden=true|itemprop="articleBody"
id="comments"|lang=ar|dir=rtl|href="http://["|href="#"|class="&#xD800;"|width=1|open="("|type="math/tex"|datetime=2020
"""
_ATTRIBUTES = _ATTRIBUTE_LINES.strip().replace("\n", "|").split("|")
_MARKS = [
    "\\(x^2\\)",
    "\\[",
    "\\]",
    "$",
    "$$",
    "`x`",
    "[tex]",
    "[/tex]",
    "\\begin{align}",
    "\\end{align}",
    "{",
    "}",
    "\\",
]
_ODD = [
    "&",
    "&lt;",
    "&#0;",
    "&nbsp;",
    "\n",
    "    ",
    "\t",
    "\r\n",
    "\u200b",
    "\u200d",
    "\u202e",
    "\ufeff",
    "\x00",
    "\ud7ff",
]
_SCRIPTS = ["Ã©", "â€™", "日本語", "سلام", "ไทย", "می\u200cخواهم", "e\u0301", "👩\u200d🚀", "\U0010ffff", "—", "…"]
_PLAIN = [
    "word",
    "Sentence one. ",
    "1",
    "2\n3\n4",
    "if (x) {\n  y;\n}",
    "- ",
    "# ",
    "**b**",
    "```",
    "|",
    "http://a.b/c",
]
_BROKEN = ["x" * 500, "word " * 60, "<", ">", "]]>", "<!", "<?php x ?>", "<?", "</", "<a ", '"', "'"]
_WORDS = [*_PLAIN, *_MARKS, *_ODD, *_SCRIPTS, *_BROKEN]


def page_of(choices: bytes) -> str:
    """Return the page that a string of bytes stands for: two bytes a piece, any bytes a page."""
    pieces: list[str] = []
    for kind, which in zip(choices[::2], choices[1::2], strict=False):
        if kind < 90:
            attributes = " ".join(_ATTRIBUTES[(kind * 7 + which + step) % len(_ATTRIBUTES)] for step in range(kind % 3))
            pieces.append(f"<{_TAGS[which % len(_TAGS)]} {attributes}>")
        elif kind < 150:
            pieces.append(f"</{_TAGS[which % len(_TAGS)]}>")
        elif kind < 240:
            pieces.append(_WORDS[which % len(_WORDS)])
        else:
            pieces.append(f"\"'>{_HIDDEN[which % len(_HIDDEN)]}")  # no tag or comment is open any more
    return "".join(pieces)


def check_text(html: bytes, engine: str) -> str:
    """Extract a page and return its text, or why it is refused: a string or a named error, twice the same."""
    text = outcome(html, engine)
    assert outcome(html, engine) == text, "the same page gave two texts"
    assert "\x00" not in text
    assert text.encode("utf-8").decode("utf-8") == text, "half a surrogate pair came through"
    return text


def outcome(html: bytes, engine: str) -> str:
    """Return a page's text or why it is refused. Engines of others may stumble over a page; ours has no excuse."""
    try:
        return page_text(html, "", "", engine)
    except BadRecord as error:
        if engine == "winnow" and error.cause == "html_unparsable":
            raise AssertionError(str(error)) from error
        return error.cause


def check_page(choices: bytes, engine: str) -> None:
    """Extract the page that bytes stand for: what scripts, styles and templates hold is no text."""
    page = page_of(choices)
    text = check_text(page.encode("utf-8", "surrogatepass"), engine)
    assert SECRET not in text, "what no reader sees came through"


def check_whole(choices: bytes) -> None:
    """Write every block of the page that bytes stand for, those that a model would leave out, too."""
    source = page_of(choices)
    page = outline_of(source)
    text, blocks = text_of(blocks_to_write(page, range(len(page.texts)), tex_dialect(source)))
    bounds = [0, *itertools.chain.from_iterable(span[1:] for span in blocks.spans()), len(text)]
    between = "".join(text[end:start] for end, start in zip(bounds[::2], bounds[1::2], strict=True))
    assert bounds == sorted(bounds), "blocks overlap or go back"
    assert not between.strip(), "something is in no block"
    assert SECRET not in text, "what no reader sees came through"


def check_parts(page: str) -> None:
    """Ask each element of a page whether it is a formula or a listing, and write what it says it is."""
    dialect = TexDialect(page + "MathJax AM_HTML")
    for node in LexborHTMLParser(page).css("*"):
        tag, attributes = node.tag or "", node.attributes
        written = []
        found = formula_of(node) if may_be_formula(tag, attributes) else None
        if found is not None:
            written.append(found.written())
        if may_be_code(tag, attributes) and is_code_block(node):
            written.append(code_of(node))
        if tag == "p":
            written.append(normalised_tex(shown_text(node), dialect))
        assert all(SECRET not in text for text in written), (tag, attributes)
        assert all(clean_unicode(text) == clean_unicode(text) for text in written)
