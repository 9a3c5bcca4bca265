"""Wikitext to text and blocks, by hand."""

from __future__ import annotations

import time

import pytest

from transforms.sources.wikipedia.settings import WikipediaReadConfig
from transforms.sources.wikipedia.site import Site
from transforms.sources.wikipedia.wikitext.markup import plain_text

BARE = WikipediaReadConfig(title=False)
TABLES = WikipediaReadConfig(title=False, tables="keep")


def text_of(wikitext: str, config: WikipediaReadConfig = BARE, site: Site | None = None) -> str:
    return plain_text(wikitext, "Title", site or Site(), config).text


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("'''Bold''' and ''italics'', l'''homme''' too.", "Bold and italics, lhomme too."),
        ("[[a|b]] [[c]]s [[d (e)|]] [http://x.org label] [http://x.org] end.", "b cs d label end."),
        ("One.<ref>Note {{cite|x=[[y]]}}</ref> Two.<ref name=z />Three.", "One. Two.Three."),
        ("A<!-- hidden -->B", "AB"),
        ("[[File:x.jpg|thumb|text [[link]] more]]Real text.", "Real text."),
        ("[[Category:Things]]Text.", "Text."),
        ("It is {{convert|5|km|mi}} long, {{lang|de|Haus}}, {{circa|1900}}.", "It is 5 km long, Haus, c. 1900."),
        ("Rome ({{IPA|x}}; {{audio|y}}) is a city.", "Rome is a city."),
        ("Rome ({{IPA|x}}; Italian: Roma) is old.", "Rome (Italian: Roma) is old."),
        ("{{Infobox|a={{b|c={{d}}}}|e=[[f|g]]}}Text after.", "Text after."),
        ("Unclosed {{template of a line\nNext line stays.", "Unclosed Next line stays."),
        ("&lt;b&gt; and &amp;lt; stay, a&nbsp;b", "<b> and &lt; stay, a b"),
        ("<nowiki>'''not bold''' [[x]]</nowiki> end", "'''not bold''' [[x]] end"),
        ("Mass <math>E = mc^2</math> here", "Mass $E = mc^2$ here"),
        ("x<br/>y", "x\ny"),
        ("Two\nlines of one.\n\nAnother.", "Two lines of one.\n\nAnother."),
        ("* one\n* two '''b'''\n** three", "one\ntwo b\nthree"),
        ("__NOTOC__Text.", "Text."),
        ("{| class=x\n|-\n| a || b\n|}\nText.", "Text."),
        ("== Empty ==\n== Full ==\nText.\n=== Sub ===\n== Last ==", "Full\n\nText."),
        ("{{nihongo|Tokyo Tower|東京タワー|Tōkyō tawā}} stands.", "Tokyo Tower (東京タワー, Tōkyō tawā) stands."),
        ("العربية '''نص''' [[رابط|وصلة]].", "العربية نص وصلة."),
        ("10<sup>6</sup> m<sup>2</sup>, 10<sup>-3</sup>, H<sub>2</sub>O", "10^6 m^2, 10^-3, H2O"),
        ("{{Infobox\n| a = b\n| c = d\n\nText.", "Text."),
        (";Term: what it is\n;Alone\n: definition", "Term\nwhat it is\nAlone\ndefinition"),
        ("{{as of|2015|3}}, {{As of|2015|3|1}}", "As of March 2015, As of 1 March 2015"),
        ("", ""),
    ],
)
def test_text(wikitext: str, text: str) -> None:
    assert text_of(wikitext) == text


def test_variants_are_chosen_where_a_wiki_has_them() -> None:
    site = Site(dbname="zhwiki", language="zh")
    assert text_of("在-{zh-hans:计算机; zh-hant:電腦}-上", site=site) == "在计算机上"
    assert text_of("-{H|zh-hans:甲;zh-hant:乙}-文-{A|zh-hans:丙;zh-hant:丁}-", site=site) == "文丙"


def test_blocks() -> None:
    article = plain_text(
        "Intro ''text''.\n== Head ==\n* item\n* other\n<blockquote>Said.</blockquote>\n"
        "<syntaxhighlight lang=py>\ndef f():\n    return '''x'''\n</syntaxhighlight>\n:<math>a+b</math>\n"
        "{|\n! h1 !! h2\n|-\n| 1 || 2\n|}",
        "Name", Site(), WikipediaReadConfig(tables="keep"),
    )  # fmt: skip
    assert [(kind, article.text[a:b]) for kind, a, b in article.blocks.spans()] == [
        ("heading", "Name"),
        ("paragraph", "Intro text."),
        ("heading", "Head"),
        ("list_item", "item"),
        ("list_item", "other"),
        ("quotation", "Said."),
        ("code", "def f():\n    return '''x'''"),
        ("formula", "$$a+b$$"),
        ("table_row", "h1\th2"),
        ("table_row", "1\t2"),
    ]


def test_a_page_of_markup_alone_has_no_text() -> None:
    assert plain_text("{{Infobox}}[[Category:x]]", "Title").text == ""


def test_sections_can_be_dropped() -> None:
    config = WikipediaReadConfig(title=False, drop_sections=("See also",))
    assert text_of("A.\n== See also ==\n* [[x]]\n=== more ===\nB\n== C ==\nD.", config) == "A.\n\nC\n\nD."


@pytest.mark.parametrize(
    "piece", ["{{", "[[", "{|", "<ref>", "<!--", "[[File:x|", "'''", "{{a|", "<math>", "(((", "{{{", "}}", "== ", "-{"]
)
def test_hostile_markup_is_linear(piece: str) -> None:
    started = time.process_time()
    plain_text(piece * 30_000 + "text", "Title")
    plain_text(f"{piece}x\n" * 20_000, "Title")
    assert time.process_time() - started < 8
