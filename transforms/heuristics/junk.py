"""Pages that are no documents: search results, sign-in forms, error pages, lists of tags, consent texts, texts of
stuffed keywords or interface, damaged encodings, and what the extractor itself doubts.

Ours: no report names such rules, and users of every open corpus complain of what they let through. Each has a reason of
its own in the ledger. What a rule goes by:

search_results      the address: a path that names a search, or a query whose name says so; a line that counts hits; or
                    its first lines say that nothing was found
sign_in_page        the labels of a form that asks for a password, or an address that names one, and hardly any prose
error_page          its first lines are those of an error or a check of the visitor, and there is hardly any other prose
parked_domain       the same, of a domain that is for sale or awaits its site
tag_list            a listing whose address names tags, labels or an archive
consent_text        most sentences are the site's about its cookies, its partners and the reader's consent; it is short
interface_text      many of the lines are buttons, counts and prompts ("Reply", "3 comments", "Add to cart")
stuffed_keywords    one word is too frequent, or the text is a list of words between commas
digits_for_letters  frequent English words are written with digits for letters ("7h3", "w1th"): spam in disguise
replacement_characters, mojibake   bytes that were read in a wrong encoding
doubtful_extraction the extractor expects of the text a word F1 below the limit for its kind of page

A text about searches, forms, errors or cookies has the words of such a page: notices.py tells them apart, in eleven
languages (notice_phrases.py). Pieces of interface are told in English alone.

Cost: one pass over the lines; the addresses are of a few dozen characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from schemas.blocks import CODE, TABLE_ROW
from schemas.records import Document
from schemas.settings import PerLanguage, setting, validate
from transforms.heuristics import notices
from transforms.heuristics import page_phrases as phrases
from transforms.settings_read import settings_read_by
from transforms.step import Draft, Drop, check_scripts, settings_for, settings_in
from transforms.text.sentences import ends_with_terminal
from transforms.text.view import TextView, ratio

SEARCH, SIGN_IN, TAGS, PLAIN = "search", "sign_in", "tags", ""

_REASONS = {notices.ERROR: "error_page", notices.PARKED: "parked_domain", notices.NO_RESULTS: "search_results"}
_MIN_LABELS = 2  # of a form; one can be a heading
_INTERFACE_CHARS = 80  # longest line that may be a piece of interface
_MIN_POSTS = 2  # under a byline: a thread, whose bylines and "Reply" are no interface
_MIN_COUNTED_WORDS = 10  # of fewer, none is frequent
_LIST_WORD_CHARS = 4  # of a word whose frequency counts


@dataclass(frozen=True, kw_only=True)
class JunkConfig:
    """Which pages are no documents. Limits of what is kept, inclusive; all values are ours."""

    drop_search_results: bool = setting(True, "drop pages whose address is that of a search, or that count their hits")
    drop_tag_lists: bool = setting(True, "drop listings whose address names tags, labels or an archive")
    max_form_words: int = setting(300, "words of a form or a notice, at most: what has more is about it", ge=0)
    max_other_words: int = setting(
        50, "words of sentences in a form or a notice that say something else, at most: what has more is about it", ge=0
    )
    max_consent_fraction: float = setting(
        0.4, "share of the characters in sentences of a site about its cookies and your consent, at most", ge=0, le=1
    )
    max_consent_words: int = setting(600, "words of a consent text, at most: what has more is about it", ge=0)
    max_interface_fraction: float = setting(
        0.25, "share of the lines that are buttons and prompts, at most", ge=0, le=1
    )
    max_word_fraction: float = setting(0.09, "share of the words that are one word of 4 letters or more", ge=0, le=1)
    max_word_occurrences: int = setting(10, "occurrences of a word up to which its share is not judged", ge=0)
    max_commas_per_word: float = setting(0.2, "commas per word, at most", ge=0)
    max_leet_fraction: float = setting(
        0.02, "share of the words that are frequent English ones with digits for letters, at most", ge=0, le=1
    )
    max_replacement_fraction: float = setting(0.002, "share of characters that are U+FFFD, at most", ge=0, le=1)
    max_mojibake_fraction: float = setting(0.005, "share of characters of misread bytes, at most", ge=0, le=1)
    min_confidence: dict[str, float] = setting(
        {"collection": 0.5, "listing": 0.5, "product": 0.45},
        "word F1 that the extractor expects of its text, at least, by kind of page; others are not judged by it",
    )

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class JunkStats:
    """What the rules look at. Fractions are 0 to 1."""

    address: str  # search, sign_in, tags or ''
    n_words: int  # in scripts without spaces: those of English that say as much
    notice: str  # what the first lines announce: error, parked, no_results or ''
    counts_results: bool  # a line says how many results there are
    n_labels: int  # different labels of a form, in a text that has the word for a password
    n_other_words: int  # of sentences that are of no form or notice; -1 where there is neither
    consent_fraction: float
    interface_fraction: float
    n_top_word: int  # occurrences of the most frequent word
    top_word_fraction: float
    commas_per_word: float  # none behind a digit
    leet_fraction: float  # of the words of prose
    replacement_fraction: float
    mojibake_fraction: float


@dataclass(frozen=True)
class FilterJunk:
    """The step: it looks at the address and the extractor's doubts, too."""

    settings: JunkConfig | PerLanguage[JunkConfig]
    name: str = "junk"
    resources: Sequence[str] = ()
    stats: type = JunkStats

    def __post_init__(self) -> None:
        check_scripts(self.name, self.settings)

    def open(self) -> None:
        """Nothing to open."""

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            config = settings_for(self.settings, draft.view)
            stats = measure(draft.view, config, draft.document.url)
            draft.measures[self.name] = stats
            draft.drop = decide(stats, draft.document, config)

    @property
    def measured_with(self) -> frozenset[str] | None:
        return settings_read_by(measure)

    def redecide(self, stats: JunkStats, document: Document, script: str) -> Drop | None:
        return decide(stats, document, settings_in(self.settings, document.language, script))


def measure(view: TextView, config: JunkConfig, url: str = "") -> JunkStats:
    """Measure what the rules look at; in a text too long to go for them, no notice, form or consent is looked for."""
    n_chars = len(view.text)
    prose = view.in_words
    address = kind_of_address(url)
    n_words = view.n_words // view.stretch
    is_short = n_words <= config.max_form_words
    notice, n_labels = (notices.notice_of(view), notices.count_labels(view)) if is_short else ("", 0)
    has_other = notice or n_labels or (is_short and address == SIGN_IN)
    n_top_word = _count_top_word(prose)
    return JunkStats(
        address=address,
        n_words=n_words,
        notice=notice,
        counts_results=any(phrases.RESULTS.fullmatch(line.lower()) for line in view.lines if line[0].isdigit()),
        n_labels=n_labels,
        n_other_words=notices.count_other_words(view) if has_other else -1,
        consent_fraction=notices.consent_fraction(view) if n_words <= config.max_consent_words else 0.0,
        interface_fraction=_interface_fraction(view) if view.is_english else 0.0,
        n_top_word=n_top_word,
        top_word_fraction=ratio(n_top_word, len(prose.word_ids)) if n_top_word else 0.0,
        commas_per_word=ratio(_count_commas(prose.text), prose.n_words),
        leet_fraction=_leet_fraction(prose if 2 * prose.n_words >= view.n_words else view),
        replacement_fraction=ratio(view.text.count("\ufffd"), n_chars),
        mojibake_fraction=0.0
        if view.text.isascii()
        else ratio(sum(map(len, phrases.MOJIBAKE.findall(view.text))), n_chars),
    )


def decide(stats: JunkStats, document: Document, config: JunkConfig) -> Drop | None:
    """Return why the page must go, by the first rule that it breaks."""
    if config.drop_search_results and (stats.address == SEARCH or stats.counts_results):
        return Drop("search_results")
    bare = 0 <= stats.n_other_words <= config.max_other_words
    if bare and (stats.address == SIGN_IN or stats.n_labels >= _MIN_LABELS):
        return Drop("sign_in_page", stats.n_other_words, config.max_other_words)
    if bare and stats.notice and (stats.notice != notices.NO_RESULTS or config.drop_search_results):
        return Drop(_REASONS[stats.notice], stats.n_other_words, config.max_other_words)
    if config.drop_tag_lists and stats.address == TAGS and document.page_kind in ("listing", "collection"):
        return Drop("tag_list")
    if stats.consent_fraction > config.max_consent_fraction:
        return Drop("consent_text", stats.consent_fraction, config.max_consent_fraction)
    repeated = stats.top_word_fraction if stats.n_top_word > config.max_word_occurrences else 0.0
    for reason, value, high in (
        ("interface_text", stats.interface_fraction, config.max_interface_fraction),
        ("stuffed_keywords", repeated, config.max_word_fraction),
        ("stuffed_keywords", stats.commas_per_word, config.max_commas_per_word),
        ("digits_for_letters", stats.leet_fraction, config.max_leet_fraction),
        ("replacement_characters", stats.replacement_fraction, config.max_replacement_fraction),
        ("mojibake", stats.mojibake_fraction, config.max_mojibake_fraction),
    ):
        if value > high:
            return Drop(reason, value, high)
    least = config.min_confidence.get(document.page_kind, 0.0)
    if 0 < document.extraction_confidence < least:  # 0: it does not tell
        return Drop("doubtful_extraction", document.extraction_confidence, least)
    return None


def kind_of_address(url: str) -> str:
    """Return what an address says of its page: SEARCH, SIGN_IN, TAGS or PLAIN."""
    try:
        parts = urlsplit(url.lower())
    except ValueError:
        return PLAIN
    path = [piece for piece in parts.path.split("/") if piece]
    keys = {key for key, value in parse_qsl(parts.query, max_num_fields=None) if value}
    if phrases.SEARCH_KEYS & keys or "special:search" in parts.query:
        return SEARCH
    if (not path or not phrases.SEARCH_PATHS.isdisjoint(path)) and (
        phrases.SHORT_SEARCH_KEYS & keys or (path and _is_search(path))
    ):
        return SEARCH
    if path and path[-1] in phrases.SIGN_IN_PATHS:
        return SIGN_IN
    return TAGS if not phrases.TAG_PATHS.isdisjoint(path[:-1]) else PLAIN


def _is_search(path: Sequence[str]) -> bool:
    """Say whether the path holds what was searched for: /search/red+shoes."""
    return len(path) > 1 and path[-2] in phrases.SEARCH_PATHS


def _interface_fraction(view: TextView) -> float:
    lines = [line for line, kind in zip(view.lines, view.kinds_of_lines, strict=True) if kind not in (CODE, TABLE_ROW)]
    found = {
        n for n, line in enumerate(lines) if len(line) <= _INTERFACE_CHARS and phrases.INTERFACE.match(line.lower())
    }
    if not found:
        return 0.0
    heads = [n for n in range(len(lines) - 1) if n + 1 not in found and _is_sentence(lines[n + 1])]
    if len(found) == 1 and not found.isdisjoint(heads):  # "Forgot your password?" over the paragraph about it
        return 0.0
    bylines = sum(
        len(lines[n]) <= _INTERFACE_CHARS and phrases.BYLINE.match(lines[n].lower()) is not None for n in heads
    )
    if bylines >= _MIN_POSTS:
        of_posts = {n for n in found if phrases.OF_POSTS.match(lines[n].lower())}
        return ratio(len(found - of_posts), len(lines) - len(of_posts))
    return ratio(len(found), len(lines))


def _is_sentence(line: str) -> bool:
    return ends_with_terminal(line) or len(line) > _INTERFACE_CHARS


def _count_commas(text: str) -> int:
    """Count commas but those behind a digit: 1, 3, 5, 7 are no keywords."""
    return sum(not before[-1:].isdigit() for before in text.split(",")[:-1])


def _leet_fraction(view: TextView) -> float:
    """Return the share of the words that are frequent English ones with digits for letters.

    Of a text that is mostly code all is looked at: where blocks are guessed, such words are taken for it.
    """
    found = phrases.LEET & view.vocabulary.keys()
    return ratio(sum(int(view.word_counts[view.vocabulary[word]]) for word in found), view.n_words)


def _count_top_word(view: TextView) -> int:
    """Count the most frequent word of some letters; scripts without spaces have none."""
    if view.unspaced or len(view.word_ids) < _MIN_COUNTED_WORDS:
        return 0
    counts, words = view.word_counts, list(view.vocabulary)
    for at in (-counts).argsort(kind="stable")[:60].tolist():
        word = words[at]
        if len(word) >= _LIST_WORD_CHARS and word.isalpha():
            return int(counts[at])
    return 0
