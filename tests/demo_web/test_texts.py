"""Drawn texts: the grammar leaves nothing unfilled, the edits do what the truth says of them."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_web.dice import Deck, Dice, scattered
from demo_web.markup import N_TEMPLATES, nested, render
from demo_web.special_texts import (
    SPAM,
    private_ipv4,
    public_ipv4,
    public_ipv6,
    write_code,
    write_cursed,
    write_maths,
    write_spam,
)
from demo_web.texts import (
    KEPT,
    LEXICONS,
    Article,
    Writer,
    insert_line,
    insert_sentence,
    jaccard,
    swap_words,
    words,
    write_advert,
    write_article,
)

MODEL = Path(__file__).resolve().parents[2].parent / "shared" / "models" / "lid.176.ftz"


def test_dice_depend_on_their_name_alone() -> None:
    one, same, other = Dice("a", "b"), Dice("a", "b"), Dice("a", "c")
    draws = [one.below(1000) for _ in range(40)]
    assert draws == [same.below(1000) for _ in range(40)]
    assert draws != [other.below(1000) for _ in range(40)]


@settings(deadline=None)
@given(st.text(max_size=20), st.integers(1, 1 << 32))
def test_draws_lie_in_their_range(seed: str, n: int) -> None:
    dice = Dice(seed.encode("utf-8", "replace").decode())
    assert all(0 <= dice.below(n) < n for _ in range(20))


def test_a_deck_repeats_no_card_before_all_were_drawn() -> None:
    deck = Deck("abcdef", Dice("deck"))
    assert sorted(deck.draw() for _ in range(6)) == list("abcdef")
    assert sorted(deck.draw() for _ in range(6)) == list("abcdef")


def test_scattered_order_does_not_depend_on_the_order_given() -> None:
    names = [str(i) for i in range(30)]
    assert scattered("salt", names, names) == scattered("salt", names[::-1], names[::-1]) != names


@pytest.mark.parametrize("language", sorted(LEXICONS))
def test_articles_are_filled_capitalised_and_long_enough(language: str) -> None:
    for i in range(30):
        article = write_article(language, "test", str(i))
        text = "\n".join((article.title, *article.blocks))
        assert not set("{}|") & set(text)
        assert "  " not in text
        assert " ." not in text
        assert all(not block[0].islower() for block in article.blocks)
        assert all(block[-1] in ".?。" for block in article.blocks)
        assert 4 <= len(article.blocks) <= 8
        if language != "ja":
            assert 120 <= len(words(article)) <= 800


@pytest.mark.parametrize("lexicon", LEXICONS.values(), ids=sorted(LEXICONS))
def test_no_phrase_is_there_twice(lexicon: object) -> None:
    slots = lexicon.slots  # type: ignore[attr-defined]
    assert all(len(set(cards)) == len(cards) for cards in slots.values())
    assert all(cards and all(cards) for cards in slots.values())


def test_german_verbs_keep_their_rest() -> None:
    writer = Writer(LEXICONS["de"], Dice("verb"))
    verbs = dict(phrase.split("|") for phrase in LEXICONS["de"].slots["v"] if phrase.split("|")[0] != "baute")
    for _ in range(40):
        verb, _, rest = writer.fill("{v}#{s}#{x}").split("#")
        assert verb == "baute" or rest in LEXICONS["de"].slots["v"][0] or verb in verbs
        assert f"{verb}|{rest}" in LEXICONS["de"].slots["v"]


def test_jaccard_by_hand() -> None:
    one = Article("en", "", ("a b c d e f",))  # shingles abcde, bcdef
    other = Article("en", "", ("A, b c", "d e g."))  # abcde, bcdeg
    assert jaccard(one, other) == pytest.approx(1 / 3)
    assert jaccard(one, one) == 1.0
    assert jaccard(Article("en", "", ()), Article("en", "", ())) == 0.0


def test_swap_words_changes_so_many_words_and_no_more() -> None:
    article = write_article("en", "swap", paragraphs=6)
    changed = swap_words(article, 3, "swap", "again")
    pairs = list(zip(words(article), words(changed), strict=True))
    assert sum(a != b for a, b in pairs) == 3
    assert swap_words(article, 0, "swap") == article


def test_inserted_lines_and_sentences() -> None:
    article = Article("en", "t", ("One.", "Two."))
    assert insert_line(article, "New.", 1).blocks == ("One.", "New.", "Two.")
    assert insert_sentence(article, "New.", 1).blocks == ("One.", "Two. New.")


@pytest.mark.parametrize("language", [lexicon.code for lexicon in KEPT])
def test_cursed_articles_hold_many_stand_ins(language: str) -> None:
    article = write_cursed(language, "curse")
    text = " ".join(words(article))
    found = sum(text.count(word) for word in LEXICONS[language].curse)
    assert found / len(words(article)) > 0.05


@pytest.mark.parametrize("rule", sorted(SPAM))
def test_spam_is_the_same_for_a_seed_and_differs_between_seeds(rule: str) -> None:
    assert write_spam(rule, "a") == write_spam(rule, "a") != write_spam(rule, "b")


def test_maths_and_code_hold_no_braces() -> None:
    for i in range(40):
        text = " ".join((*write_maths("m", str(i)).blocks, *write_code("c", str(i)).blocks))
        assert not set("{}#") & set(text)
    assert sum(block.startswith("<pre><code>def count_") for block in write_code("c").blocks) == 2
    assert any(block.startswith(r"\[ ") for block in write_maths("m").blocks)


def test_addresses_are_public_or_private_as_they_say() -> None:
    dice = Dice("addresses")
    for _ in range(200):
        assert ipaddress.ip_address(public_ipv4(dice)).is_global
        assert ipaddress.ip_address(public_ipv6(dice)).is_global
        assert ipaddress.ip_address(private_ipv4(dice)).is_private


@pytest.mark.parametrize("template", range(N_TEMPLATES))
def test_pages_hold_the_article_escaped_and_what_sites_put_around(template: int) -> None:
    page = render(Article("fr", "L'eau & le vin", ("Un < deux.", "<pre><code>x</code></pre>")), "site", template, "s")
    assert "<p>Un &lt; deux.</p>\n<pre><code>x</code></pre>" in page
    assert "<title>L&#x27;eau &amp; le vin | site</title>" in page
    for furniture in (LEXICONS["fr"].footer, LEXICONS["fr"].related, "Accueil", "cookie"):
        assert furniture.replace("'", "&#x27;") in page or furniture in page
    assert nested(page, 3).count("<font") == 3


@pytest.mark.skipif(not MODEL.exists(), reason="needs lid.176.ftz beside the checkout")
@pytest.mark.parametrize("language", sorted(LEXICONS))
def test_lid_176_is_sure_of_every_language(language: str) -> None:
    fasttext = pytest.importorskip("fasttext")
    model = fasttext.load_model(str(MODEL))
    articles = [write_article(language, "lid", str(i)) for i in range(40)]
    if language in {lexicon.code for lexicon in KEPT}:
        articles += [write_advert(language, "lid", str(i)) for i in range(20)]
    if language == "en":
        articles += [write_spam(rule, "lid") for rule in SPAM]
    for article in articles:
        ((score, label),) = model.f.predict(" ".join(article.blocks) + "\n", 1, 0.0, "strict")
        assert label == f"__label__{language}"
        assert score > 0.65
