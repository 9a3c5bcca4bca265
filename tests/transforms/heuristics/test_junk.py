"""Pages that are no documents, and documents that look a little like them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
import yaml

from schemas.records import Document
from transforms.heuristics.junk import PLAIN, SEARCH, SIGN_IN, TAGS, FilterJunk, JunkConfig, kind_of_address
from transforms.heuristics.notice_phrases.table import ROWS
from transforms.step import Draft

PROSE = "The harbour master keeps a book in which every ship is entered with its cargo and the day it left.\n"
TOPICS = ["tides", "harbours", "ships", "lamps", "ropes", "sails", "winds"]
NOTICES = yaml.safe_load(Path(__file__).with_name("notices.yaml").read_text(encoding="utf-8"))
JUNK, HEADLINES = (
    [(language, page["reason"], page["text"]) for language, of in NOTICES.items() for page in of[kind]]
    for kind in ("pages", "headlines")
)
ABOUT = [(language, text) for language, of in NOTICES.items() for text in of["about"]]
PAGE = Document(id="1", text=PROSE * 3, url="https://example.org/a", language="en")


def reason(page: Document, **settings: object) -> str:
    draft = Draft(page)
    FilterJunk(JunkConfig(**settings)).run([draft], Counter())  # type: ignore[arg-type]
    return draft.drop.reason if draft.drop else ""


def with_text(text: str, **changes: object) -> Document:
    return dataclasses.replace(PAGE, text=text, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://www.ecosia.org/search?q=tides", SEARCH),
        ("https://shop.example/catalogsearch?query=shoes", SEARCH),
        ("https://example.org/?s=tides", SEARCH),
        ("https://example.org/search/red+shoes", SEARCH),
        ("https://zh.example.org/w/index.php?search=x&title=Special:Search", SEARCH),
        ("https://example.de/suche?text=boot", SEARCH),
        ("https://example.org/blog/search-engines-explained", PLAIN),
        ("https://example.org/research/?p=12", PLAIN),
        ("https://docs.example.org/search", PLAIN),  # what it is about may be searching
        ("https://example.org/article?s=12", PLAIN),
        ("https://example.org/index.php?q=", PLAIN),
        ("https://example.org/users/login", SIGN_IN),
        ("https://example.org/wp-login.php?redirect=1", SIGN_IN),
        ("https://example.org/how-to-login", PLAIN),
        ("https://example.org/login/why-passwords-fail", PLAIN),
        ("https://example.org/tag/boats", TAGS),
        ("https://example.org/2024/tagging", PLAIN),
        ("https://[broken", PLAIN),
        ("", PLAIN),
    ],
)
def test_addresses(url: str, kind: str) -> None:
    assert kind_of_address(url) == kind


def test_a_document_stays() -> None:
    assert reason(PAGE) == ""


def test_searches_and_tags_go() -> None:
    assert reason(with_text(PROSE, url="https://example.org/search?q=x")) == "search_results"
    assert reason(with_text(PROSE, url="https://example.org/search?q=x"), drop_search_results=False) == ""
    tags = with_text(PROSE, url="https://example.org/tag/x", page_kind="listing")
    assert reason(tags) == "tag_list"
    assert reason(dataclasses.replace(tags, page_kind="article")) == ""  # /archive/2014/ of a newspaper


@pytest.mark.parametrize(
    "line",
    ["207 Rezepte gefunden", "9,590,000 results", "12 repository results", "3.120 Ergebnisse"],
)
def test_a_line_that_counts_hits_is_of_a_search(line: str) -> None:
    assert reason(with_text(f"{line}\n{PROSE}", language="de")) == "search_results"
    assert reason(with_text(f"The search gave {line}\n{PROSE}")) == ""
    assert reason(with_text(f"{line} were not what they had hoped for\n{PROSE}")) == ""


@pytest.mark.parametrize("line", ["3 Results", "2. Ergebnisse", "4 Résultats.", "404 Not Found"])
def test_a_heading_counts_no_hits(line: str) -> None:
    assert reason(with_text(f"{PROSE * 3}{line}\n{PROSE}", language="de")) == ""


@pytest.mark.parametrize(
    "form",
    [
        "Sign in\nEmail\nPassword\nRemember me\nForgot your password?",
        "Username or e-mail address *\nPassword *\nLog in with Google",
        "Email Password Remember me Forgot your password?",  # all in one line
        "User name\nPassword\nDon’t have an account?\nCreate a new account",
    ],
)
def test_sign_in_pages(form: str) -> None:
    assert reason(with_text(f"{form}\n{PROSE}")) == "sign_in_page"
    assert reason(with_text(f"{form}\n{PROSE * 3}")) != "sign_in_page"  # 60 words of something else; 50 may be
    assert reason(with_text(f"{form}\n{PROSE * 3}"), max_other_words=60) == "sign_in_page"


def test_an_address_makes_a_form_unless_there_is_prose() -> None:
    page = with_text("Welcome back\nTides of the week", url="https://example.org/login")
    assert reason(page) == "sign_in_page"
    assert reason(dataclasses.replace(page, text=PROSE * 3)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Set up the router\nConnect the cable and open a browser.\nUsername: admin\nPassword: admin\nClick Log in.",
        "Reset a Windows password\nForgot your password?\nType a wrong one and press Enter; a link shows up.",
        "Yesterday I tried to log in to my bank. Forgot your password? asked the page. Remember me, I had ticked.",
    ],
)
def test_texts_about_signing_in_stay(text: str) -> None:
    assert reason(with_text(f"{text}\n{PROSE * 2}")) == ""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("404", "error_page"),
        ("Page not found - Harbour News", "error_page"),
        ("Sorry, that page does not exist", "error_page"),
        ("Access denied", "error_page"),
        ("Just a moment...", "error_page"),
        ("Error 500", "error_page"),
        ("The page you are looking for is no longer available.", "error_page"),
        ("Index of /pub", "error_page"),
        ("Verify you are human", "error_page"),
        ("This item does not exist", "error_page"),
        ("Under construction", "error_page"),
        ("Please enable JavaScript to view this website.", "error_page"),
        ("You need to enable JavaScript to run this app.", "error_page"),
        ("This domain is for sale", "parked_domain"),
        ("harbour-lamps.com is for sale!", "parked_domain"),
        ("Domain parked by its registrar", "parked_domain"),
        ("No results found for “lamps”", "search_results"),
        ("Your search did not match any documents.", "search_results"),
        ("Sorry, no posts matched your criteria.", "search_results"),
    ],
)
def test_notices(line: str, why: str) -> None:
    assert reason(with_text(f"{line}\n{PROSE}")) == why
    assert reason(with_text(f"{PROSE}\n{PROSE}\n{PROSE}\n{line}")) == ""  # not in the first lines
    assert reason(with_text(f"{line}\n{PROSE * 3}")) == ""  # a text that begins with the words
    assert reason(with_text(f"“{line},” said the screen, and I went home.\n{PROSE}")) == ""


def test_what_an_error_page_says_to_the_reader_is_no_other_prose() -> None:
    advice = (
        "The page you are looking for might have been removed, had its name changed, or is temporarily unavailable. "
        "Please check the spelling of the address. You can go back to the home page or try the search above. If you "
        "think that the link was broken by us, please contact us and tell us how the page got lost on its way to you.\n"
    )
    assert reason(with_text(f"Page not found\n{advice}")) == "error_page"
    assert reason(with_text(f"Page not found\n{advice}{PROSE * 3}")) == ""


def test_long_texts_are_no_notices() -> None:
    links = "".join(f"{first} of {second}\n" for first in TOPICS for second in TOPICS)
    assert reason(with_text(f"Page not found\n{links}")) == "error_page"
    assert reason(with_text(f"Page not found\n{links}"), max_form_words=100, max_word_fraction=1.0) == ""
    assert reason(with_text("No results found"), drop_search_results=False) == ""


@pytest.mark.parametrize(
    "consent",
    [
        "We and our partners store cookies on your device to personalise what you see, with your consent.",
        "This website uses cookies so that we can provide you with the best user experience possible.",
        "By clicking “Accept all”, you consent to the use of all the cookies.",
        "These cookies are necessary for the website to function and cannot be switched off.",
    ],
)
def test_consent_texts(consent: str) -> None:
    assert reason(with_text(f"{consent}\n" * 3 + PROSE)) == "consent_text"
    assert reason(with_text(f"{consent} " * 3 + PROSE)) == "consent_text"  # sentences count, not paragraphs
    assert reason(with_text(f"{consent} " + PROSE * 3)) == ""
    assert reason(with_text(f"{consent}\n" * 3 + PROSE), max_consent_words=20) == ""  # a policy is longer


@pytest.mark.parametrize(
    "text",
    [
        "Cream the butter with the sugar and fold in the flour. These cookies keep for a week. We use salted butter "
        "in our cookies. Bake the cookies until the edges are golden, and accept that the first tray is for the cook.",
        "Scouts begin to sell cookies this week. Our troop sold 900 boxes of cookies last year, said the leader, and "
        "our partners in the shops sold more. You can order cookies online. The money from cookies pays the camp.",
        "PHP keeps a session by means of a cookie. We use the cookie to find the session on the server. The cookie "
        "ends when the browser closes. Set the Secure flag, so that your cookies travel over HTTPS alone.",
        "To clear your cookies in Chrome, open Settings and click Privacy. Tick Cookies and choose a time range. You "
        "can block cookies, but then you are signed out of sites. In Safari click Manage Website Data to drop cookies.",
        "The court held that a ticked box is no valid consent to cookies. The banner of the lottery had let partners "
        "place cookies. Consent must be active, the judges wrote, and users must be told how long cookies work.",
    ],
)
def test_texts_about_cookies_stay(text: str) -> None:
    assert reason(with_text(text)) == ""


@pytest.mark.parametrize("language", ["", "und", "its own"])
@pytest.mark.parametrize(("own", "why", "text"), JUNK)
def test_junk_of_other_languages_goes(own: str, why: str, text: str, language: str) -> None:
    """A document of unknown language is tried in all languages of its script."""
    assert reason(with_text(text, language=own if language == "its own" else language)) == why


@pytest.mark.parametrize("language", ["", "und", "its own"])
@pytest.mark.parametrize(("own", "text"), ABOUT)
def test_texts_about_junk_stay_in_other_languages(own: str, text: str, language: str) -> None:
    page = with_text(text, language=own if language == "its own" else language)
    assert reason(page, max_word_fraction=1.0, max_commas_per_word=1.0) == ""


def test_every_language_of_the_table_has_texts() -> None:
    """Of each kind: another row cannot come without them."""
    kinds = {"consent_text", "error_page", "parked_domain", "search_results", "sign_in_page"}
    for language in ROWS.keys() - {"en"}:
        assert {why for own, why, _ in JUNK if own == language} == kinds
        assert any(own == language for own, _ in ABOUT)


@pytest.mark.parametrize(("own", "why", "text"), HEADLINES)
def test_first_lines_of_notices_and_forms(own: str, why: str, text: str) -> None:
    assert reason(with_text(text, language=own)) == why


@pytest.mark.parametrize("line", ["424", "$499+", "460 votes", "$400 - $2,000+", "Offline", "#404", "503 boats"])
def test_a_number_alone_is_no_error(line: str) -> None:
    """Prices and counts in the first lines of a list."""
    assert reason(with_text(f"{line}\n{PROSE}")) == ""


def test_privacy_of_others_is_no_consent() -> None:
    family = "Die Familie bat darum, ihre Privatsphäre zu respektieren, und wir danken für Ihre Zustimmung."
    assert reason(with_text(family, language="de")) == ""


def test_a_language_without_a_row_is_not_judged_by_another() -> None:
    assert reason(with_text("Page not found\nTides", language="fi")) == ""


def test_interface_texts() -> None:
    buttons = "12 comments\nShare\nSign in\nAdd to cart\nPosted by anna on May 3\nRead more »\n"
    assert reason(with_text(PROSE * 4 + buttons)) == "interface_text"
    assert reason(with_text(PROSE * 40 + buttons)) == ""
    assert reason(with_text(PROSE * 4 + buttons, language="de")) == ""  # the phrases are English


@pytest.mark.parametrize("byline", ["By: Tom on May 3, 2019", "Posted by anna on May 3", "From: ben", "Author: Eva"])
@pytest.mark.parametrize("after", ["", "Reply\nQuote\n", "3 likes\nReport\n"])
def test_threads_are_no_interface(byline: str, after: str) -> None:
    post = "The pump leaks after a night of frost."
    assert reason(with_text(f"{byline}\n{post}\n{after}" * 3)) == ""
    assert reason(with_text(f"{byline}\n{post}\n{after}" * 3 + "Sign in\nAdd to cart\nCheckout")) == "interface_text"


def test_a_byline_that_heads_nothing_is_interface() -> None:
    assert reason(with_text("The pump leaks after a night of frost.\nPosted by anna on May 3")) == "interface_text"


def test_one_label_over_a_paragraph_is_a_heading() -> None:
    assert reason(with_text(f"Forgot your password?\n{PROSE * 2}")) == ""
    assert reason(with_text(f"{PROSE * 2}Forgot your password?")) == "interface_text"


@pytest.mark.parametrize("word", ["shoes", "lamps"])
def test_stuffed_keywords(word: str) -> None:
    text = f"cheap {word} online, buy {word} at once " * 6 + PROSE
    assert reason(with_text(text)) == "stuffed_keywords"
    assert reason(with_text(text), max_word_occurrences=12) == ""
    assert reason(with_text(text), max_word_occurrences=11) == "stuffed_keywords"
    words = ", ".join(f"term{chr(97 + n)}{chr(97 + n % 7)}" for n in range(26))
    assert reason(with_text(words)) == "stuffed_keywords"


def test_numbers_between_commas_are_no_keywords() -> None:
    numbers = "the values are 1, 3, 5, 7, 9, 11, 13, 15, 17 and then 19, 21, 23, 25, 27, 29, 31"
    assert reason(with_text(numbers)) == ""
    assert reason(with_text("red, blue, " + numbers), max_commas_per_word=0.05) == "stuffed_keywords"


@pytest.mark.parametrize(
    "text",
    [
        "I am a heavy coffee user and I want to know what is in my coffee, so that I would like to grow coffee at "
        "home. Is it possible to grow coffee in a flat?",
        "Coffee beans are what matters: exchange the coffee for arabica coffee, which need not be single source "
        "coffee. A good start for a decent cup of coffee is a grinder, and coffee from a shop that roasts coffee.",
    ],
)
def test_a_short_text_may_repeat_what_it_is_about(text: str) -> None:
    assert reason(with_text(text)) == ""
    assert reason(with_text(text), max_word_occurrences=0) == "stuffed_keywords"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Der Pr\ufffdsident sprach \ufffdber die L\ufffdnder. " * 4, "replacement_characters"),
        ("The shipâ€™s captain didnâ€™t say whatâ€™s next. " * 4, "mojibake"),
        ("Nous Ã©tions trÃ¨s fatiguÃ©s ce jour lÃ . " * 4, "mojibake"),
        ("Äàííûé òåêñò íàïèñàí ïî-ðóññêè è ïðî÷èòàí íåâåðíî. " * 4, "mojibake"),
        ("Nous étions très fatigués, à Nîmes, où l’été ne finit jamais ; ça s’arrête là. " * 4, ""),
        ("Über Öl und Äpfel spricht man “gern”—aber nicht zu lang. " * 4, ""),
    ],
)
def test_damaged_encodings(text: str, said: str) -> None:
    text = "\n".join(f"{text} {n}" for n in ("one two", "three four", "five six"))
    assert reason(with_text(text, language="fr"), max_word_fraction=1.0) == said


PLAIN_TEXT = "The harbour was quiet and they had more of the fish that the boats bring. "  # 15 words, 8 frequent ones
LEET = str.maketrans("aeiost", "431057")


@pytest.mark.parametrize(
    ("n_leet", "said"),
    [(1, "digits_for_letters"), (0, "")],
)
def test_digits_for_letters(n_leet: int, said: str) -> None:
    text = PLAIN_TEXT * (9 - n_leet) + PLAIN_TEXT.lower().translate(LEET) * n_leet
    assert reason(with_text(text), max_word_fraction=1.0) == said


def test_the_limit_of_digits_for_letters_is_inclusive() -> None:
    text = "7h3 " + "word " * 49
    page = with_text(text)
    assert reason(page, max_word_fraction=1.0) == ""
    assert reason(page, max_word_fraction=1.0, max_leet_fraction=0.019) == "digits_for_letters"
    assert reason(with_text(f"0f {text}"), max_word_fraction=1.0) == "digits_for_letters"


@pytest.mark.parametrize(
    "words", ["i7 a5 b3 1n 15 70 45 MP3 4K", "7h15 8h45 7h30", "1st 2nd 10th 3D", "e4 Nf3 d5 exd5"]
)
def test_names_of_things_times_and_numbers_are_no_letters_in_disguise(words: str) -> None:
    assert reason(with_text(f"{words} " * 20), max_word_fraction=1.0) == ""


def test_what_the_extractor_doubts() -> None:
    page = dataclasses.replace(PAGE, page_kind="product", extraction_confidence=0.3)
    assert reason(page) == "doubtful_extraction"
    assert reason(dataclasses.replace(page, extraction_confidence=0.5)) == ""
    assert reason(dataclasses.replace(page, extraction_confidence=0.0)) == ""  # it does not tell
    assert reason(dataclasses.replace(page, page_kind="article")) == ""
    assert reason(page, min_confidence={}) == ""
