"""What a page is called, without the name of its site, and when a text can be called so."""

from __future__ import annotations

import pytest

from transforms.extraction.declared.titles import title_of
from transforms.extraction.page import outline_of

TITLE = "A crane with oranges in the air"
URL = "https://www.harbour-notes.example/2024/crane"


def title(head: str, body: str = "<p>Text.</p>", url: str = URL) -> tuple[str, bool]:
    return title_of(outline_of(f"<html><head>{head}</head><body>{body}</body></html>"), url)


@pytest.mark.parametrize(
    "head",
    [
        f"<title>{TITLE}</title>",
        f"<title>{TITLE} | Harbour Notes</title>",
        f"<title>{TITLE} - Harbour Notes</title>",
        f"<title>{TITLE} – Harbour Notes</title>",
        f"<title>{TITLE} · Harbour Notes</title>",
        f"<title>{TITLE} :: harbour-notes.example</title>",
        f"<title>{TITLE} - www.harbour-notes.example</title>",
        f"<title>Harbour Notes: {TITLE} | Harbour Notes</title><meta property=og:title content='{TITLE}'>",
        f"<title>Harbour Notes » {TITLE}</title>",
        f"<title>{TITLE} | Harbour Notes | Harbour Notes Online</title>",
        f"<title>{TITLE} | {TITLE}</title>",
        f"<title>{TITLE} | Harbour Notes - {TITLE} - Harbour Notes</title>",
        f"<title>{TITLE} | The Quay</title>",  # no name that is known, behind a bar
        f"<title>{TITLE} - The Quay</title><meta property=og:site_name content='The Quay'>",
        f"<title>{TITLE} - The Quay</title><meta name=twitter:site content='@TheQuay'>",
        f"<title>{TITLE} - The Quay</title><script type=application/ld+json>"
        '{"publisher": {"@type": "Organization", "name": "The Quay"}}</script>',
        f"<title>Home</title><meta property=og:title content='{TITLE} | The Quay'>",
        f"<title>\n  {TITLE}\n  |\n Harbour Notes\n</title>",
        f"<title>{TITLE}</title><title>Another</title>",
        "<title>A crane with oranges in the a\u00adir\u200b | Harbour Notes</title>",
        "<meta name=twitter:title content='A crane with oranges in the air'>",
        "<title>A crane with &lt;em&gt;oranges&lt;/em&gt; in the air</title>",
    ],
)
def test_the_name_of_the_site_is_cut(head: str) -> None:
    assert title(head) == (TITLE, True)


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        ("<title>Consulting or insurance - What to choose</title>", "Consulting or insurance - What to choose"),
        ("<title>Well-being - a guide</title>", "Well-being - a guide"),
        ("<title>Spring–summer 2025</title>", "Spring–summer 2025"),
        ("<title>Contact | The house of the old harbour</title>", "Contact | The house of the old harbour"),
        ("<title>La col·lecció</title>", "La col·lecció"),
        ("<title>Tom &amp; Jerry</title>", "Tom & Jerry"),
        ("<meta property=og:title content='Tom &amp;amp; Jerry&amp;#8217;s'>", "Tom & Jerry’s"),
        ("<title>The &lt;b&gt; element</title>", "The <b> element"),
        ("<title>cafÃ© crÃ¨me Ã  la carte</title>", "café crème à la carte"),
        ("<title>كيف تزرع الطماطم في المنزل | حديقتي</title>", "كيف تزرع الطماطم في المنزل"),
        ("<title>\u202bאיך לגדל עגבניות\u202c - הגינה</title>", "איך לגדל עגבניות - הגינה"),
        (
            "<title>港で見た大きな船の話_港の新聞</title><meta property=og:site_name content=港の新聞>",
            "港で見た大きな船の話",
        ),
    ],
)
def test_what_only_looks_like_the_name_of_a_site_stays(head: str, kept: str) -> None:
    assert title(head) == (kept, True)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f"<h1>{TITLE}</h1>", TITLE),
        (f"<h1>Harbour Notes</h1><h1>{TITLE}</h1>", TITLE),
        (f"<h1><a href=/>{TITLE.upper()}</a></h1>", TITLE.upper()),
        ("<h1>A crane with oranges</h1>", "A crane with oranges"),
        ("<h1>The crane with 300 oranges in the air</h1>", "The crane with 300 oranges in the air"),
        ("<h1>The Quay</h1>", TITLE),  # a part of it, but not the first: the name of the site
        ("<h1>Subscribe to our letters</h1>", TITLE),
        ("<h1></h1>", TITLE),
        ("<h1>" + f"<p>{TITLE}</p>" * 50, TITLE),  # never closed
    ],
)
def test_the_heading_that_goes_with_the_title_is_preferred(body: str, found: str) -> None:
    assert title(f"<title>{TITLE} - The Quay of the old town of Bergen</title>", body)[0].split(" - ")[0] == found


def test_without_a_title_the_only_heading_is_one() -> None:
    assert title("", f"<h1>{TITLE}</h1>") == (TITLE, True)
    assert title("", f"<h1>{TITLE}</h1><h1>Another</h1>") == ("", False)
    assert title("<title>Home</title>", f"<h1>{TITLE}</h1>") == (TITLE, True)
    assert title("", "") == ("", False)
    assert title("<title> \n</title>", "") == ("", False)


@pytest.mark.parametrize(
    "name",
    [
        "Home", "HOME | Harbour Notes", "Home - Harbour Notes", "Untitled", "untitled document", "Index", "Startseite",
        "Accueil", "Inicio", "Главная страница", "首页", "ホーム", "404 Not Found", "Page not found",
        "Just a moment...", "Harbour Notes", "harbour-notes.example",
        "https://www.harbour-notes.example/2024/crane", "www.example.org",
        "crane.html", "draft_3.docx", "* * *", "2024", "-",
    ],
)  # fmt: skip
def test_what_is_no_title_is_told_apart(name: str) -> None:
    found, is_heading = title(f"<title>{name}</title>")
    assert found == " ".join(name.split())  # the page says so all the same
    assert not is_heading


def test_a_title_is_bounded() -> None:
    long = " ".join(f"word{n}" for n in range(2000))
    assert len(long) > 10_000
    found, is_heading = title(f"<title>{long}</title>")
    assert 450 < len(found) <= 500
    assert long.startswith(found + " ")
    assert not is_heading
    assert title("<title>" + "語" * 20_000 + "</title>") == ("語" * 500, False)
    assert title("<title>" + "&amp;" * 20_000 + "</title>")[0] == "&" * 500


@pytest.mark.parametrize("piece", ["| ", " - ", "<b>", "&lt;i&gt;", "_語", "a.b-", "www.", "\u202e", "Ã©"])
def test_a_title_made_to_hurt_takes_no_time(piece: str) -> None:
    title(f"<title>{piece * 50_000}</title>", "<h1>" * 5000 + "x")
