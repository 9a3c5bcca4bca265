"""Texts made for one rule: spam that one published heuristic is meant for, mathematics, code, personal data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from demo_web.dice import Deck, Dice
from demo_web.lexicons.lexicon import phrases
from demo_web.lexicons.lexicon_en import ENGLISH
from demo_web.texts import LEXICONS, Article, Writer, write_article

_NOUNS = phrases("""
    heron; ferry; lantern; orchard; quarry; anchor; barrel; candle; dredger; engine; furnace; glacier; harbour; island;
    journal; kettle; ladder; meadow; needle; oyster; pillar; quiver; river; saddle; timber; urchin; valley; wagon;
    yarn;
    zephyr; bucket; copper; drift; ember; flask; granite; hinge; ivory; jetty; kiln""")

_MATHS = phrases(r"""
    if we set \({a}^2 + {b}^2 = {k}\), the curve is a circle around the origin;
    the sum \(1 + 2 + \dots + {a}\) is equal to \({a}({a} + 1)/2\), as a drawing of dots in a triangle shows at once;
    let \({a} > 0\) and choose \({b}\) so small that \({a}{b} < 1/{k}\);
    the derivative of \({a}^3\) with respect to \({a}\) is \(3{a}^2\), and that of \(\sin {b}\) is \(\cos {b}\);
    by the theorem of Pythagoras we find \({c} = \sqrt {a} + {k}\), which is never a whole number;
    suppose that \({a}\) is even, so that \({a} = 2{b}\) for some whole number \({b}\), and the proof is complete;
    the matrix has the eigenvalues \(\lambda_1 = {k}\) and \(\lambda_2 = -{a}\);
    in the limit \({a} \to \infty\) the second term vanishes and only \({b}/{c}\) is left;
    the probability that none of the {k} balls is red equals \((1 - {a})^{b}\);
    the integral \(\int {a}^2 d{a}\) is solved by \({a}^3/3 + {c}\), where the constant is free;
    it follows from \({a} \leq {b}\) and \({b} \leq {c}\) that \({a} \leq {c}\), so the relation is transitive;
    the area under the parabola \({b} = {a}^2\) between 0 and {k} was known to the ancients;
    multiplying both sides by \({a} - {b}\) gives \({a}^2 - {b}^2 = {k}\), and the claim follows;
    the prime factors of {k} can be found by trying every number up to \(\sqrt {k}\);
    an easy induction on \({a}\) shows that \(2^{a} > {a}\) holds for all of them;
    the series \(1 + {a} + {a}^2 + \dots\) converges to \(1/(1 - {a})\) when \(|{a}| < 1\)""")

_CODE_PROSE = phrases("""
    the function below walks over the list and adds up what it finds; we name the variable after what it counts;
    notice that the loop ends early when the list is empty; the second version is shorter but not any faster;
    a test with three values is enough to find the mistake; the result is printed once, at the very end;
    running the program twice must give the same output; the index starts at zero and that is the usual trap;
    a reader should be able to guess the type from the name; it is better to return a value than to change a global;
    the error message tells you which line to look at; keep the function small so that it fits on one screen""")

_NO_GRAMMAR = phrases("""
    cheap watches; designer bags; best price; buy online; free shipping; discount code; hotel deals; flight tickets;
    car insurance; home loans; credit card; weight loss; hair growth; phone cases; laptop parts; garden tools;
    running shoes; wedding dresses; movie downloads; music lessons; job offers; stock tips; poker bonus;
    lottery numbers""")

_BULKY = phrases("""
    internationalization; telecommunications; counterproductive; institutionalization; uncharacteristically;
    electromagnetically; misrepresentation; disproportionately; incomprehensibility; interchangeability;
    environmentalists; compartmentalization; constitutionality; industrialization; commercialization;
    oversimplification; straightforwardness; responsibilities; administratively; photosynthetically; neurotransmitters;
    characterization; procrastination; unquestionably; superconductivity; thermodynamically; authoritarianism;
    misunderstandings; recommendations; enthusiastically; counterrevolution; indistinguishable; biotechnological""")

_SHORT_ADJECTIVES = phrases("red; old; shy; wet; big; sad; odd; dry; hot; raw; tin; new; wan; fat; coy; mad")
_SHORT_NOUNS = phrases("fox; owl; hen; cat; ant; elk; pig; bee; cow; ram; emu; yak; rat; jay; doe; cub")
_SHORT_JOINTS = phrases("and one; with her; for one; near his; like our; past her; plus two")

_LOREM = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore."


def _paragraphs(dice: Dice, count: int) -> tuple[str, ...]:
    return Writer(ENGLISH, dice).article(count).blocks


def _too_few_words(dice: Dice) -> tuple[str, ...]:
    # With a title of at most 13 words still under 50, and enough for a language identifier to be sure.
    writer = Writer(ENGLISH, dice)
    few = f"{writer.sentence()} {writer.sentence()} {writer.sentence()}".split()[:28]
    return (" ".join(few).rstrip(".,;?") + ".",)


def _mean_word_too_long(dice: Dice) -> tuple[str, ...]:
    deck = Deck(_BULKY, dice)
    triples = [[" ".join(deck.draw() for _ in range(3)) for _ in range(3)] for _ in range(6)]
    return tuple("The " + " and ".join(triple) + "." for triple in triples)


def _too_many_hashes(dice: Dice) -> tuple[str, ...]:
    return tuple(
        " ".join(f"#{word}" if i % 4 == 0 else word for i, word in enumerate(block.split()))
        for block in _paragraphs(dice, 4)
    )


def _too_many_ellipsis_lines(dice: Dice) -> tuple[str, ...]:
    writer = Writer(ENGLISH, dice)
    return tuple(writer.sentence()[:-1] + ("..." if i % 3 else ".") for i in range(18))


def _too_many_bullets(dice: Dice) -> tuple[str, ...]:
    writer = Writer(ENGLISH, dice)
    return tuple("• " + writer.sentence() for _ in range(20))


def _too_few_stop_words(dice: Dice) -> tuple[str, ...]:
    deck = Deck(_NO_GRAMMAR, dice)
    return tuple(" ".join(deck.draw() for _ in range(12)) + "." for _ in range(8))


def _too_few_alphabetic_words(dice: Dice) -> tuple[str, ...]:
    writer = Writer(ENGLISH, dice)
    return tuple(
        f"{writer.sentence()[:-1]} " + " ".join(str(dice.between(10, 9999)) for _ in range(12)) + "." for _ in range(10)
    )


def _repeated_ngrams(dice: Dice) -> tuple[str, ...]:
    writer = Writer(ENGLISH, dice)
    same = writer.fill("{s} {v} {p}")
    return tuple(f"{writer.fill('{O}')}, {same}, and {same}, and {writer.fill('{c}')}." for _ in range(10))


def _repeated_lines(dice: Dice) -> tuple[str, ...]:
    # One block with breaks: trafilatura leaves out a paragraph it has just seen, but keeps the lines of a verse.
    same = [Writer(ENGLISH, dice).fill("{S} {v}, {r}.") for _ in range(2)]
    return (*_paragraphs(dice, 2), "<p>" + "<br>".join(same * 7) + "</p>")


def _top_ngram(dice: Dice) -> tuple[str, ...]:
    writer, thing = Writer(ENGLISH, dice), dice.pick(_NO_GRAMMAR)
    return tuple(
        f"The {thing} and {thing} of {writer.fill('{s}')} with {thing} to {thing} that {thing} have {thing}."
        for _ in range(10)
    )


def _lorem_ipsum(dice: Dice) -> tuple[str, ...]:
    return (*_paragraphs(dice, 3), _LOREM)


def _curly_bracket(dice: Dice) -> tuple[str, ...]:
    name = dice.pick(_NOUNS)
    code = f"The function {name}(x) {{ return x + {dice.between(2, 99)}; }} was left in the text by mistake."
    return (*_paragraphs(dice, 3), code)


def _too_few_lines_with_punctuation(dice: Dice) -> tuple[str, ...]:
    return tuple(block.rstrip(".?!") for block in _paragraphs(dice, 9))


def _too_many_short_lines(dice: Dice) -> tuple[str, ...]:
    # Seven words in under 30 characters, so that C4's rule for lines does not take them away one by one.
    few, things, joints = (Deck(cards, dice) for cards in (_SHORT_ADJECTIVES, _SHORT_NOUNS, _SHORT_JOINTS))
    pairs = ((few.draw(), things.draw(), joints.draw(), few.draw(), things.draw()) for _ in range(40))
    return tuple(f"One {' '.join(pair)}." for pair in pairs)


def _too_few_sentences(dice: Dice) -> tuple[str, ...]:
    writer = Writer(ENGLISH, dice)
    return ("The story goes that " + ", and ".join(writer.fill("{s} {v} {p}") for _ in range(9)) + ".",)


SPAM: Mapping[str, Callable[[Dice], tuple[str, ...]]] = {
    "too_few_words": _too_few_words,
    "mean_word_too_long": _mean_word_too_long,
    "too_many_hashes": _too_many_hashes,
    "too_many_ellipsis_lines": _too_many_ellipsis_lines,
    "too_many_bullets": _too_many_bullets,
    "too_few_stop_words": _too_few_stop_words,
    "too_few_alphabetic_words": _too_few_alphabetic_words,
    "repeated_ngrams": _repeated_ngrams,
    "repeated_lines": _repeated_lines,
    "top_ngram": _top_ngram,
    "lorem_ipsum": _lorem_ipsum,
    "curly_bracket": _curly_bracket,
    "too_few_lines_with_punctuation": _too_few_lines_with_punctuation,
    "too_many_short_lines": _too_many_short_lines,
    "too_few_sentences": _too_few_sentences,
}


def write_spam(rule: str, *seed: str) -> Article:
    """Return an English page that the heuristic `rule` is meant for."""
    dice = Dice(*seed)
    writer = Writer(ENGLISH, dice)
    title = " ".join(dice.shuffled(_NO_GRAMMAR)[:3]) if rule == "too_few_stop_words" else writer.title()
    return Article("en", title, SPAM[rule](dice))


def write_maths(*seed: str) -> Article:
    """Return English prose with TeX between \\( and \\), as MathJax reads it, and one displayed formula; no braces."""
    dice = Dice(*seed)
    writer, deck = Writer(ENGLISH, dice), Deck(_MATHS, dice)
    blocks = []
    for _ in range(5):
        a, b, c = dice.shuffled("abhmnpqrstuvwxyz")[:3]
        drawn = [deck.draw() for _ in range(2)]
        maths = [s[0].upper() + s[1:] for s in (_formula(s, a, b, c, dice.between(3, 97)) for s in drawn)]
        blocks.append(f"{writer.sentence()} {maths[0]}. {writer.sentence()} {maths[1]}.")
    a, b, c = dice.shuffled("abhmnpqrstuvwxyz")[:3]
    blocks.insert(2, rf"\[ {a}^2 + {dice.between(2, 9)}{b} = \int {c} \, d{c} \]")
    return Article("en", writer.title(), tuple(blocks))


def _formula(sentence: str, a: str, b: str, c: str, k: int) -> str:
    return sentence.replace("{a}", a).replace("{b}", b).replace("{c}", c).replace("{k}", str(k))


def write_code(*seed: str) -> Article:
    """Return English prose around two short Python listings; no braces, no comments, no line that others have too."""
    dice = Dice(*seed)
    writer, deck = Writer(ENGLISH, dice), Deck(_CODE_PROSE, dice)
    blocks = []
    for _ in range(5):
        drawn = [s[0].upper() + s[1:] for s in (deck.draw(), deck.draw())]
        blocks.append(f"{drawn[0]}. {writer.sentence()} {drawn[1]}. {writer.sentence()}")
    blocks.insert(3, f"<pre><code>{_listing(dice)}</code></pre>")
    blocks.insert(1, f"<pre><code>{_listing(dice)}</code></pre>")
    return Article("en", writer.title(), tuple(blocks))


def _listing(dice: Dice) -> str:
    thing, place, total, item = dice.shuffled(_NOUNS)[:4]
    return (
        f"def count_{thing}_{place}({thing}_{total}):\n"
        f"    {total}_{place} = {dice.between(0, 9)}\n"
        f"    for {item} in {thing}_{total}.{place}():\n"
        f"        {total}_{place} += {item}.{thing}_{place} * {dice.between(2, 99)}\n"
        f"    return {total}_{place} / {item}_{thing}\n"
    )


EMAIL = {
    "en": "Corrections can be sent to {} at any time.",
    "de": "Korrekturen nimmt {} gerne entgegen.",
    "fr": "Les corrections peuvent être envoyées à {} sans formalité.",
    "es": "Las correcciones se pueden enviar a {} en cualquier momento.",
    "ru": "Исправления можно прислать на {} в любое время.",
}
ADDRESS = {
    "en": "The log of the server names {} as the source of the request.",
    "de": "Das Protokoll des Servers nennt {} als Quelle der Anfrage.",
    "fr": "Le journal du serveur donne {} comme source de la requête.",
    "es": "El registro del servidor da {} como origen de la petición.",
    "ru": "В журнале сервера источником запроса указан {} и ничего больше.",
}
LOCAL = {
    "en": "Inside the house the printer answered at {} as before.",
    "de": "Im Haus selbst antwortete der Drucker wie bisher unter {} auf jede Frage.",
    "fr": "Dans la maison, l'imprimante répondait toujours à l'adresse {} comme avant.",
    "es": "Dentro de la casa, la impresora respondía en {} como siempre.",
    "ru": "Внутри дома принтер по-прежнему отвечал по адресу {} без ошибок.",
}

_NAMES = phrases(
    "marta; jonas; elif; pavel; ines; tomas; aiko; nadia; bruno; sofia; henrik; leila; oskar; vera; mateo; ruth"
)
_SURNAMES = phrases("lindqvist; okafor; moreau; keller; novak; ferrer; tanaka; orlova; bianchi; haddad; nyberg; costa")


def email(dice: Dice) -> str:
    """Return an address under .example, a domain that can never exist (RFC 2606)."""
    first, last = dice.pick(_NAMES), dice.pick(_SURNAMES)
    tail = dice.pick(("", f".{dice.between(2, 99)}", "+letters"))
    return f"{first}{dice.pick(('.', '_', '-'))}{last}{tail}@{dice.pick(_NOUNS)}-mail.example"


def public_ipv4(dice: Dice) -> str:
    """Return a public address: the first octets drawn from are public throughout."""
    first = dice.pick((23, 45, 62, 81, 93, 109, 151, 178, 195, 212))
    return f"{first}.{dice.between(1, 254)}.{dice.between(1, 254)}.{dice.between(1, 254)}"


def public_ipv6(dice: Dice) -> str:
    """Return a global unicast address."""
    groups = ":".join(f"{dice.between(0x100, 0xFFFF):x}" for _ in range(5))
    return f"2a0{dice.between(1, 9)}:{dice.between(0x100, 0xFFF):x}:{groups}:{dice.between(1, 255):x}"


def private_ipv4(dice: Dice) -> str:
    """Return an address that means nothing outside its own network (RFC 1918) and so may stay."""
    start = dice.pick(("10.0", "192.168", "172.16"))
    return f"{start}.{dice.between(0, 254)}.{dice.between(1, 254)}"


def write_cursed(language: str, *seed: str) -> Article:
    """Return an article with one word in twelve replaced by a stand-in for a dirty word."""
    dice, article = Dice(*seed, "curse"), write_article(language, *seed)
    curses = LEXICONS[language].curse
    blocks = []
    for block in article.blocks:
        parts = block.split(" ")
        for i in range(4, len(parts) - 1, 12):
            parts[i] = dice.pick(curses)
        blocks.append(" ".join(parts))
    return Article(language, article.title, tuple(blocks))
