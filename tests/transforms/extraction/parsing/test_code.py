from __future__ import annotations

from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from transforms.extraction.parsing.code import is_code_block, may_be_code
from transforms.extraction.parsing.listing import code_of

_CODE = "def f(x):\n    if x:\n\n        return 1"


def first(html: str) -> LexborNode:
    body = LexborHTMLParser(f"<body>{html}</body>").body
    assert body is not None
    child = body.first_child
    assert child is not None
    return child


_LISTINGS = (Path(__file__).parents[1] / "data" / "listings.txt").read_text().removeprefix("=== ").split("\n=== ")


@pytest.mark.parametrize(("name", "html"), [listing.split("\n", 1) for listing in _LISTINGS])
def test_listing_is_exact(name: str, html: str) -> None:
    """Each highlighter's markup of the same four lines."""
    node = first(html)
    assert may_be_code(node.tag or "", node.attributes)
    assert is_code_block(node)
    assert code_of(node) == _CODE, name


@pytest.mark.parametrize(
    "html",
    [
        "<code>x = 1</code>",
        "<p>prose</p>",
        '<div class="highlight"><pre>x</pre></div>',  # the walk meets the `pre` next
        '<div class="highlight"><p>An important note.</p></div>',
        '<div class="barcode">123<br>456</div>',
        '<div class="code">Promo code<br>for you</div>',
        '<div class="fragment"><h2>Title</h2><div class="line">x</div></div>',
        '<div class="postcode line">x</div>',
        "<kbd>Ctrl</kbd>",
        '<blockquote class="bbCodeBlock">He said (once);<br>she left;</blockquote>',
        '<code class="docutils literal">f(a,\nb)</code>',
        '<h4 class="code-header">fn f()<br>where</h4>',
        '<div class="code">Total: 5;<br></div>',  # one line of what calls itself code may be anything
        '<div class="codeBlock">Use it today<br></div>',
        '<div class="codeBlock"><table><tr><td>x = 1;<td>y = 2;<tr><td>z = 3;<td>w = 4;</table></div>',
        '<div class="code-block">The code of this house says that\nnobody may enter (ever) without\nshoes.</div>',
        '<div class="snippet">\n    Holidays in the sun\n    with friends\n    Read more</div>',
        '<div class="code-list">\n  <a>News</a>;\n  <a>Sport</a>;\n  <a>More</a>;</div>',
        "<table><tr><td>1<td>apple<tr><td>2<td>pears<tr><td>3<td>plums</table>",
        "<table><tr><td>1<td>a();<td>x<tr><td>2<td>b();<td>y<tr><td>3<td>c();<td>z</table>",
        "<table><tr><td>1<td>a = 1;<tr><td>3<td>b = 2;<tr><td>4<td>c = 3;</table>",
    ],
)
def test_what_is_no_listing(html: str) -> None:
    assert not is_code_block(first(html))


def test_code_whose_source_is_wrapped_stays_in_its_line() -> None:
    paragraph = first("<p>Use <code>git\nstatus</code> now</p>")
    code = paragraph.css_first("code")
    assert code is not None
    assert not is_code_block(code)


@pytest.mark.parametrize(
    ("html", "code"),
    [
        ("<pre></pre>", ""),
        ("<pre>\n\n\n</pre>", ""),
        ("<pre>  a\n\tb</pre>", "  a\n\tb"),
        ("<pre>a\r\nb&#13;c</pre>", "a\nb\nc"),
        ("<pre>1 apple\n2 pears\n4 plums</pre>", "1 apple\n2 pears\n4 plums"),
        ("<pre>1 2\n2 4</pre>", "1 2\n2 4"),
        ("<pre><b>1</b> x\n<b>2</b> y</pre>", "1 x\n2 y"),
        ("<pre><code><i>2</i><b>a</b><i>3</i><b>b</b></code></pre>", "2a3b"),
        ("<pre>a <span style='user-select:none'>$</span> ls</pre>", "a $ ls"),
        ("<pre><div>1</div><div>2</div><div>3</div></pre>", "1\n2\n3"),
        ("<pre>&lt;script&gt;x&lt;/script&gt;<script>y</script></pre>", "<script>x</script>"),
        ("<pre>a<style>b</style>c<template>d</template></pre>", "ac"),
        ("<pre>سلام\n  日本</pre>", "سلام\n  日本"),
        ('<div class="codebox">gp:&nbsp;f(x, 20)<br><div>&nbsp;</div></div>', "gp: f(x, 20)"),
        (
            '<div class="codeBlock"><table><tr><td>if (x) {<tr><td>&nbsp;&nbsp;y();<tr><td>}</table></div>',
            "if (x) {\n  y();\n}",
        ),
    ],
)
def test_edges(html: str, code: str) -> None:
    assert is_code_block(first(html))
    assert code_of(first(html)) == code


def test_deep_and_long_listings() -> None:
    deep = "<span>" * 5000 + "x" + "</span>" * 5000
    assert code_of(first(f"<pre>{deep}\n  y</pre>")) == "x\n  y"
    assert code_of(first("<pre>" + "<div>a</div>" * 20_000 + "</pre>")).count("\n") == 19_999
