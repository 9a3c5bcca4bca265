"""Articles, adverts and their edits, drawn from the lexicons: prose that the published filters take for prose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demo_web.dice import Deck, Dice
from demo_web.lexicons.lexicon import Lexicon
from demo_web.lexicons.lexicon_de import GERMAN
from demo_web.lexicons.lexicon_en import ENGLISH
from demo_web.lexicons.lexicon_es import SPANISH
from demo_web.lexicons.lexicon_fr import FRENCH
from demo_web.lexicons.lexicon_other import FINNISH, JAPANESE, POLISH
from demo_web.lexicons.lexicon_ru import RUSSIAN

KEPT = (ENGLISH, GERMAN, FRENCH, SPANISH, RUSSIAN)
UNWANTED = (POLISH, FINNISH, JAPANESE)
LEXICONS: Mapping[str, Lexicon] = {lexicon.code: lexicon for lexicon in KEPT + UNWANTED}

SHINGLE = 5  # words of a shingle in `jaccard`


@dataclass(frozen=True, slots=True)
class Article:
    """The main text of a page: what an extractor should return, a title and one line for each block.

    A block that starts with "<" is markup already (`<pre>` with code).
    """

    language: str
    title: str
    blocks: tuple[str, ...]


class _Slots(dict[str, str]):
    """Fills the slots of one template, each from the deck of its letter."""

    def __init__(self, decks: Mapping[str, Deck], dice: Dice) -> None:
        super().__init__()
        self._decks, self._dice, self._rest = decks, dice, ""

    def __missing__(self, key: str) -> str:
        if key == "y":
            return str(self._dice.between(1802, 2018))
        if key == "n":
            return str(self._dice.between(3, 60))
        if key == "x":
            return self._rest
        phrase = self._decks[key.lower()].draw()
        if key in "vV":
            phrase, _, self._rest = phrase.partition("|")
        if "{" in phrase:
            phrase = phrase.format_map(self)
        return phrase if key.islower() else phrase[0].upper() + phrase[1:]


class Writer:
    """Writes in one language; within one text no phrase comes twice before its deck has run out."""

    def __init__(self, lexicon: Lexicon, dice: Dice) -> None:
        self.lexicon, self.dice = lexicon, dice
        self._decks = {letter: Deck(cards, dice) for letter, cards in lexicon.slots.items()}
        self._templates = Deck(lexicon.templates, dice)
        self._adverts = Deck(lexicon.adverts, dice)

    def fill(self, template: str) -> str:
        text = template.format_map(_Slots(self._decks, self.dice))
        for apart, joined in self.lexicon.elisions:
            text = text.replace(apart, joined)
        return text

    def sentence(self) -> str:
        return self.fill(self._templates.draw())

    def advert(self) -> str:
        return self.fill(self._adverts.draw())

    def paragraph(self, sentences: int) -> str:
        return self.lexicon.joiner.join(self.sentence() for _ in range(sentences))

    def title(self) -> str:
        return self.fill("{S} {p}" if self.lexicon.joiner else "{p}{s}")

    def article(self, paragraphs: int) -> Article:
        """Return an article of `paragraphs` blocks of 3 to 5 sentences, 40 to 70 words each."""
        blocks = tuple(self.paragraph(self.dice.between(3, 5)) for _ in range(paragraphs))
        return Article(self.lexicon.code, self.title(), blocks)


def write_article(language: str, *seed: str, paragraphs: int = 0) -> Article:
    """Return the article that `seed` names; 4 to 8 paragraphs unless told."""
    dice = Dice(*seed)
    return Writer(LEXICONS[language], dice).article(paragraphs or dice.between(4, 8))


def write_advert(language: str, *seed: str, paragraphs: int = 4) -> Article:
    """Return an advert: grammatical, loud and empty. It passes the heuristics; a quality classifier should not."""
    dice = Dice(*seed)
    writer = Writer(LEXICONS[language], dice)
    blocks = tuple(" ".join(writer.advert() for _ in range(dice.between(2, 3))) for _ in range(paragraphs))
    return Article(language, writer.fill("{A}"), blocks)


def words(article: Article) -> list[str]:
    return " ".join(article.blocks).split()


def shingles(article: Article) -> set[tuple[str, ...]]:
    """Return the 5-word shingles of the lower-cased words without their punctuation."""
    tokens = [word for raw in words(article) if (word := "".join(c for c in raw.lower() if c.isalnum()))]
    return {tuple(tokens[i : i + SHINGLE]) for i in range(len(tokens) - SHINGLE + 1)}


def jaccard(one: Article, other: Article) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b) if a or b else 0.0


def swap_words(article: Article, changes: int, *seed: str) -> Article:
    """Return the article with `changes` of its words replaced by words of another; sentences keep their ends."""
    dice = Dice(*seed)
    donor = [w for w in words(write_article(article.language, *seed, "donor")) if w.isalpha() and w.islower()]
    blocks = [block.split(" ") for block in article.blocks]
    places = [
        (i, j) for i, block in enumerate(blocks) for j, word in enumerate(block) if word.isalpha() and word.islower()
    ]
    for i, j in dice.shuffled(places)[:changes]:
        blocks[i][j] = dice.pick([word for word in donor if word != blocks[i][j]])
    return Article(article.language, article.title, tuple(" ".join(block) for block in blocks))


def insert_line(article: Article, line: str, place: int) -> Article:
    """Return the article with `line` as a block of its own before block number `place`."""
    return Article(article.language, article.title, (*article.blocks[:place], line, *article.blocks[place:]))


def insert_sentence(article: Article, sentence: str, place: int) -> Article:
    """Return the article with `sentence` at the end of block number `place`."""
    blocks = list(article.blocks)
    blocks[place] = f"{blocks[place]} {sentence}"
    return Article(article.language, article.title, tuple(blocks))
