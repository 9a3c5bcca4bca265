"""Pages to blocks: where text is cut, what is not walked, what each block knows of its place."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.parsing.outline import Outline
from transforms.extraction.parsing.walk import outline


def walked(body: str) -> Outline:
    return outline(LexborHTMLParser(f"<html><head><title>T</title></head><body>{body}</body></html>"))


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("<p>one</p><p>two</p>", ["one", "two"]),
        ("<div>one <b>two</b> three<p>four</p>five</div>", ["one two three", "four", "five"]),
        ("<p>one<br>two</p>", ["one\ntwo"]),
        ("<p>one<br> <br>two</p>", ["one", "two"]),
        ("<p>w<b>or</b>d</p>", ["word"]),
        ("<div><a>Home</a><a>About</a></div>", ["Home About"]),
        ("<p><a>One</a> of l'<a>Academia</a> (<a>2007</a>)<a>two</a></p>", ["One of l'Academia (2007)two"]),
        ("<div><a><b>Home</b> </a><a>About</a><i></i><a>Us</a></div>", ["Home About Us"]),
        ("<ul><li>a<li>b</ul>", ["a", "b"]),
        ("<my-card>a</my-card><my-card>b</my-card>", ["a", "b"]),
        ("<p>| - *</p>", []),
        ("<p>  a \n\t b  </p>", ["a b"]),
        ("<pre>a\n  b</pre>", ["a\n  b"]),
        ("<p>x <math><annotation encoding='application/x-tex'>y^2</annotation></math> z</p>", ["x $y^2$ z"]),
        ("<script>no</script><style>no</style><template>no</template><svg><text>no</text></svg>", []),
        ("<select><option>no</select><textarea>no</textarea><iframe>no</iframe><title>no</title>", []),
        ("<h2>A<span class='mw-editsection'>[<a>edit</a>]</span></h2><p class='headerlink x'>no</p>", ["A"]),
        ("<h2>A<a class=headerlink>#1</a> b</h2>", ["A b"]),
        ("<p>A</p><div id=mw-navigation><ul><li><a>b</a></ul></div>", ["A"]),
        ("<p>one <?php echo 1; ?>two</p><?odd>", ["one two"]),
        ("<noscript><p>shown without scripts</p></noscript>", ["shown without scripts"]),
        ("", []),
    ],
)
def test_blocks(body: str, texts: list[str]) -> None:
    assert walked(body).texts == texts


def test_where_a_block_stands() -> None:
    page = walked("<article class=post><p>one <a href=#>two</a></p><span id=s>three</span></article>")
    tags = page.tags
    assert tags == ["html", "head", "body", "article", "p", "a", "span"]
    assert [tags[owner] for owner in page.owners] == ["p", "span"]
    assert [tags[box] for box in page.boxes] == ["p", "article"]
    assert page.link_chars == [3, 0]
    assert page.parents == [-1, 0, 0, 2, 3, 4, 3]
    assert list(zip(page.starts, page.ends, strict=True))[3:] == [(0, 2), (0, 1), (0, 1), (1, 2)]
    assert list(page.signatures)[3:] == [("article", "post"), ("p", ""), ("a", ""), ("span", " s")]


def test_no_element_ends_behind_the_last_block() -> None:
    page = walked("<h3>1<h4>\\]")
    assert page.texts == ["1"]
    assert max(page.ends) == 1


def test_columns_are_of_one_length() -> None:
    page = walked("<div><p>a<table><tr><td>b<td><a>c</a></table><pre><code>d\ne</code></pre>f</div>")
    assert {len(x) for x in (page.tags, page.parents, page.signature_ids, page.starts, page.ends)} == {len(page.tags)}
    assert {len(x) for x in (page.texts, page.owners, page.boxes, page.link_chars, page.kinds)} == {len(page.texts)}
    assert page.ends[0] == len(page.texts)


@pytest.mark.parametrize("attribute", ["hidden", 'aria-hidden="true"', 'style="color:red; DISPLAY : none"'])
def test_what_may_be_hidden_is_marked(attribute: str) -> None:
    page = walked(f"<div {attribute}>folded</div><div style='display:block'>shown</div>")
    assert page.texts == ["folded", "shown"]
    assert page.hidden == [3]


def test_what_the_head_says() -> None:
    page = outline(
        LexborHTMLParser(
            "<html lang=en-GB><head><title> A\n title </title><meta name=Description content=d><meta name=description"
            ' content=later><meta name=empty><script type="application/ld+json">{"a": 1}</script></head></html>'
        )
    )
    assert (page.title, page.language, page.metas, page.linked_data) == (
        "A title",
        "en-GB",
        {"description": "d"},
        ['{"a": 1}'],
    )


def test_a_deep_page() -> None:
    page = walked("<div>" * 3000 + "deep" + "</div>" * 3000)
    assert page.texts == ["deep"]
    assert (page.owners, page.parents[-1]) == ([3002], 3001)  # below html and body, beside head
