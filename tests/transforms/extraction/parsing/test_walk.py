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


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("<p>Every <x-term>buoy</x-term> sends its position.</p>", ["Every buoy sends its position."]),
        ("<p>By <b>two</b> <x-a>old</x-a> <x-b>students</x-b></p>", ["By two old students"]),
        ("<p>Thank <g-emoji>x</g-emoji><!-- c --> you</p>", ["Thank x you"]),
        ("<div>on <relative-time>May 1</relative-time> again</div>", ["on May 1 again"]),
        ("<p>said Professor<x-person>Malone</x-person>, who</p>", ["said Professor Malone, who"]),
        ("<p>under<x-mark>stand</x-mark>ing</p>", ["understanding"]),
        ("<li>Open <x-link><a>settings</a></x-link></li>", ["Open settings"]),
        ("<p>Press <button>Save</button> to keep it.</p>", ["Press Save to keep it."]),
        ("<p>Then press <button>Save</button></p>", ["Then press Save"]),
        ("<p><button>Save</button> keeps it.</p>", ["Save keeps it."]),
        # boxes all the same
        ("<x-card>a</x-card> <x-card>b</x-card>", ["a", "b"]),
        ("<li><x-label>Size</x-label> <x-value>4</x-value></li>", ["Size", "4"]),
        ("<div>text <x-card><h3>a</h3><p>b</p></x-card> more</div>", ["text", "a", "b", "more"]),
        ("<div>Sign up <button>Go</button></div>", ["Sign up", "Go"]),
        ("<p>All is said. <button>Share</button></p>", ["All is said.", "Share"]),
        ("<p><button>Reply</button> Ann wrote</p>", ["Reply", "Ann wrote"]),
    ],
)
def test_pieces_of_a_sentence(body: str, texts: list[str]) -> None:
    assert walked(body).texts == texts


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('<p>Born <span style="display:none">(1871-05-14)</span>14 May</p>', "Born 14 May"),
        ('<p><span style="DISPLAY: none;">Smith, J</span><b>J Smith</b></p>', "J Smith"),
        ("<p>one <span hidden>two</span> three</p>", "one three"),
        ('<p>one <i style="visibility:hidden">two</i>three</p>', "one three"),
        ('<p>one <span style="visibility:hidden">' + "two " * 99 + "</span></p>", "one"),
        ('<p>one <span style="position:absolute; left:-9999px">two <a>three</a></span> four</p>', "one four"),
        ('<p>one <a href="#" style="display:none">two</a> <a>three</a></p>', "one three"),
        (
            '<p>one <span style="font-size:0">two</span><br>three<span style="display:none">four</span></p>',
            "one\nthree",
        ),
        ('<p>one <span style="display:none">' + "<a>cheap pills</a> " * 30 + "</span></p>", "one"),
        ('<p>one <span style="display:none">' + "spam " * 99 + "</span> two</p>", "one two"),
    ],
)
def test_hidden_pieces_of_a_sentence_are_not_written(body: str, shown: str) -> None:
    page = walked(body)
    assert page.shown == {0: shown}
    assert page.texts[0] != shown  # what the model is asked about


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<p>one <span class=sr-only>two</span> three</p>", "one three"),
        ("<p>one <a>more<span class='visually-hidden link'> about one</span></a></p>", "one more"),
        ("<p><b class=visuallyhidden>Price:</b> one</p>", "one"),
    ],
)
def test_what_is_for_screen_readers_alone_is_not_written(body: str, shown: str) -> None:
    assert walked(body).shown == {0: shown}


@pytest.mark.parametrize(
    "body",
    [
        '<p><span style="display:none">the whole of it</span></p>',
        '<p>one <span style="display:none">' + "the rest " * 99 + "</span></p>",  # "read more"
        "<p>one <span class=sr-only><math><mi>x</mi></math></span> two</p>",
        '<p>one <span aria-hidden="true">two</span></p>',  # shown, not read aloud
        '<div>one <span style="display:none"><p>a folded answer</p></span> two</div>',
        '<p>one <span style="font-size:0.9em; left:-1px">two</span></p>',
    ],
)
def test_what_is_no_hidden_piece_is_written(body: str) -> None:
    assert walked(body).shown == {}


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("<p>この<ruby>港<rp>（</rp><rt>みなと</rt><rp>）</rp></ruby>には</p>", ["この港には"]),
        (
            "<p><ruby><rb>年老</rb><rt>としお</rt></ruby>いた<ruby>漁<rt>りょう</rt>師<rt>し</rt></ruby></p>",
            ["年老いた漁師"],
        ),
        ("<p><ruby>东<rtc><rt>dōng</rt></rtc></ruby><ruby>京<rt>jīng</rt></ruby></p>", ["东京"]),
        ("<p>漁協の話では、けが\n  人はなく、</p>", ["漁協の話では、けが人はなく、"]),
        ("<p>国\r\n<b>道</b>\n<i>を</i>回って。\n「はい」</p>", ["国道を回って。「はい」"]),
        ("<div><a>首页</a>\n<a>关于我们</a></div>", ["首页 关于我们"]),  # a menu, not a word
        ("<p><a>国</a>\n道</p>", ["国道"]),
        ("<p>国<br>道を\n回って</p>", ["国\n道を回って"]),
        ("<p>日本 語、\nEnglish\n語</p>", ["日本 語、 English 語"]),
        ("<p>한국\n어</p>", ["한국 어"]),
        ("<p>a\nb 😀\n😀</p>", ["a b 😀 😀"]),
    ],
)
def test_east_asian_lines(body: str, texts: list[str]) -> None:
    assert walked(body).texts == texts


def test_notes_of_latexml_leave_their_sentence_whole() -> None:
    note = (
        "<span class='ltx_note ltx_role_footnote'><sup class=ltx_note_mark>1</sup><span class=ltx_note_outer>"
        "<span class=ltx_note_content><sup class=ltx_note_mark>1</sup>A gap is six hours.</span></span></span>"
    )
    assert walked(f"<p>full of gaps{note}, and filters</p>").texts == ["full of gaps, and filters"]


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("<x-a><template shadowrootmode=open><style>p{}</style><p>in</p><slot></slot></template><p>out</p></x-a>", 2),
        ('<div><template shadowrootmode="closed" data-x="a>b"><p>in</p></template><p>out</p></div>', 2),
        ("<div><template shadowroot=open>in</template></div><p>out</p>", 2),
        ("<div><template>no</template><p>in</p></div><p>out</p>", 2),
        ("<div><template shadowrootmode=open><b-c><template shadowrootmode=open>in</template></b-c></template>out", 2),
    ],
)
def test_declarative_shadow_roots_are_shown(body: str, texts: int) -> None:
    assert walked(body).texts == ["in", "out"][:texts]


def test_shadow_roots_in_each_other() -> None:
    page = walked("<div><template shadowrootmode=open>a" * 500)
    assert 1 <= len(page.texts) <= 10


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("10<sup>6</sup> readings", "10^6 readings"),
        ("4.7&nbsp;×&nbsp;10<sup>−3</sup>&nbsp;W", "4.7 × 10^−3 W"),
        ("<i>x</i><sup>2</sup> + (a+b)<sup>2</sup>", "x^2 + (a+b)^2"),
        ("2<sup>n</sup> of 25 m<sup>2</sup>, 3km<sup>2</sup>", "2^n of 25 m^2, 3km^2"),
        ("kg/m<span style='vertical-align: super'>3</span>", "kg/m^3"),
        ("Ca<sup>2+</sup> and <sup>14</sup>C", "Ca^2+ and 14C"),
        ("in 1998<sup>2</sup>.", "in 1998 [2]."),
        ("the M1<sup>4</sup>, IP68<sup>2</sup>", "the M1 [4], IP68 [2]"),
        ("survey<sup><a href=#n>1</a></sup> of 10<sup><a href=#m>2</a></sup>", "survey [1] of 10 [2]"),
        ("1,234<sup>a</sup> of them.<sup>1,2</sup> The survey<sup>b</sup>", "1,234 [a] of them. [1,2] The survey [b]"),
        ("said so<sup>[3]</sup> and*<sup>†</sup>", "said so[3] and*†"),
        ("1<sup>st</sup>, 2<sup>nd</sup>, 3<sup>ème</sup>, M<sup>lle</sup>, 1<sup>o</sup>", "1st, 2nd, 3ème, Mlle, 1o"),
        ("Winnow<sup>TM</sup>", "Winnow™"),
        ("3<sup>1</sup>/<sub>2</sub> cups", "3 1/2 cups"),
        ("$19<sup>99</sup> at 8<sup>30</sup> or 18<sup>00</sup>, 20<sup>o</sup>C", "$19.99 at 8:30 or 18:00, 20°C"),
        ("<sup>1</sup>See there", "1 See there"),
        ("Offers<sup>while they last</sup>", "Offers while they last"),
        ("x<sup></sup> y<sup> </sup>", "x y"),
    ],
)
def test_what_is_raised_keeps_its_meaning(body: str, text: str) -> None:
    assert walked(f"<p>{body}</p>").texts == [text]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("a<sup>m+n</sup> = a<sup>m</sup>a<sup>n</sup>.", "a^(m+n) = a^m a^n."),
        ("<i>a</i><sup><i>m</i> + <i>n</i></sup> = <i>a<sup>m</sup></i><i>a</i>", "a^(m+n) = a^m a"),
        ("2<sup>n−1</sup>, (a+b)<sup>2n+1</sup>, x<sup>1/2</sup>", "2^(n−1), (a+b)^(2n+1), x^(1/2)"),
        ("e<sup>iπ</sup>, e<sup>−iωt</sup>, e<sup>ix</sup>, e<sup>(x+y)</sup>", "e^iπ, e^−iωt, e^ix, e^(x+y)"),
        ("e<sup>i(kx − t)</sup>, 10<sup>2n</sup>, f<sup>(n)</sup>(x)", "e^(i(kx−t)), 10^2n, f^(n)(x)"),
        ("sin<sup>2</sup>x + cos<sup>2</sup> x, E = mc<sup>2</sup>", "sin^2 x + cos^2 x, E = mc^2"),
        ("x<sup>2</sup>y, 10<sup>6</sup><b>readings</b>, x<sup>2</sup>, y", "x^2 y, 10^6 readings, x^2, y"),
        # lowered
        (
            "x<sub>1</sub><sup>2</sup> + x<sub><i>i</i></sub><sup>n</sup>, x<sup>2</sup><sub>1</sub>",
            "x1^2 + xi^n, x^2_1",
        ),
        (
            "log<sub>2</sub>8, log<sub>10</sub> 9, ln<sub>b</sub>(x), max<sub>x</sub>y",
            "log_2 8, log_10 9, ln_b(x), max_x y",
        ),
        ("a<sub>n+1</sub> = a<sub>n</sub>, x<sub>1</sub>2, 101<sub>2</sub>", "a_(n+1) = an, x1 2, 101_2"),
        ("H<sub>2</sub>O, CO<sub>2</sub>, C<sub>6</sub>H<sub>12</sub>O<sub>6</sub>", "H2O, CO2, C6H12O6"),
        ("SO<sub>4</sub><sup>2−</sup>, (CH<sub>2</sub>)<sub>3</sub>, La<sub>1-x</sub>Sr", "SO4^2−, (CH2)3, La1-xSr"),
        ("<sup>1</sup>/<sub>2</sub>, $19<sub>99</sub>, word<sub> small</sub>", "1/2, $19.99, word small"),
        # notes and ordinals all the same
        (
            "CO<sub>2</sub><sup>3</sup>, sin<sup><a href=#n>2</a></sup>, don't<sup>4</sup>",
            "CO2 [3], sin [2], don't [4]",
        ),
        (
            "n<sup>th</sup>, n<sup>o</sup>, 2<sup>e</sup>, M<sup>mes</sup>, 12.4<sup>a-c</sup>",
            "nth, no, 2e, Mmes, 12.4 a-c",
        ),
        ("we use it<sup>2</sup> in C++ so<sup>3</sup>, x<sup>ii</sup>", "we use it [2] in C++ so [3], x [ii]"),
    ],
)
def test_terms_are_read_as_terms(body: str, text: str) -> None:
    assert walked(f"<p>{body}</p>").texts == [text]


def test_what_nobody_closed_is_not_raised() -> None:
    page = walked(f"<div>one<sup>2 and<p>a paragraph</p><p>another</p></div><p>x<sup>{'long ' * 40}</sup></p>")
    assert page.texts[:3] == ["one2 and", "a paragraph", "another"]
    assert page.texts[3].startswith("xlong long")


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
