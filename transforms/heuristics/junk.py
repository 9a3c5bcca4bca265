"""Pages that are no documents: search results, sign-in forms, error pages, lists of tags, consent texts, texts of
stuffed keywords or interface, damaged encodings, and what the extractor itself doubts.

Ours: no report names such rules, and users of every open corpus complain of what they let through. Each has a reason of
its own in the ledger. What a rule goes by:

search_results      the address: a path that names a search, or a query whose name says so; or a line that counts hits
sign_in_page        the address names a form, or the text asks for a password, and there is little text
error_page          its first lines are those of an error, a check or a parked domain, and there is little text
tag_list            a listing whose address names tags, labels or an archive
consent_text        most of the prose is about cookies, consent and partners, and there is little of it
interface_text      many of the lines are buttons, counts and prompts ("Reply", "3 comments", "Add to cart")
stuffed_keywords    one word is too frequent, or the text is a list of words between commas
replacement_characters, mojibake   bytes that were read in a wrong encoding
doubtful_extraction the extractor expects of the text a word F1 below the limit for its kind of page

The phrases are English, but for those that count hits. In another language the rules on addresses, hits, keywords,
damage and doubt apply alone.

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
from transforms.heuristics import page_phrases as phrases
from transforms.step import Draft, Drop, check_scripts, settings_for
from transforms.text.view import TextView, ratio

SEARCH, SIGN_IN, TAGS, PLAIN = "search", "sign_in", "tags", ""

_FIRST_LINES = 3
_INTERFACE_CHARS = 80  # longest line that may be a piece of interface
_MIN_COUNTED_WORDS = 10  # of fewer, none is frequent
_LIST_WORD_CHARS = 4  # of a word whose frequency counts


@dataclass(frozen=True, kw_only=True)
class JunkConfig:
    """Which pages are no documents. Limits of what is kept, inclusive; all values are ours."""

    drop_search_results: bool = setting(True, "drop pages whose address is that of a search, or that count their hits")
    drop_tag_lists: bool = setting(True, "drop listings whose address names tags, labels or an archive")
    max_form_words: int = setting(300, "words of a sign-in or error page, at most: what has more is about it", ge=0)
    max_consent_fraction: float = setting(0.5, "share of the prose about cookies and consent, at most", ge=0, le=1)
    max_consent_words: int = setting(600, "words of a consent text, at most: what has more is about it", ge=0)
    max_interface_fraction: float = setting(
        0.25, "share of the lines that are buttons and prompts, at most", ge=0, le=1
    )
    max_word_fraction: float = setting(0.09, "share of the words that are one word of 4 letters or more", ge=0, le=1)
    max_commas_per_word: float = setting(0.2, "commas per word, at most", ge=0)
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
    n_words: int
    is_error: bool
    counts_results: bool  # a line says how many results there are
    asks_password: bool
    consent_fraction: float
    interface_fraction: float
    top_word_fraction: float
    commas_per_word: float
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
            stats = measure(draft.view, draft.document.url)
            draft.measures[self.name] = stats
            draft.drop = decide(stats, draft.document, settings_for(self.settings, draft.view))


def measure(view: TextView, url: str = "") -> JunkStats:
    """Measure what the rules look at."""
    is_english = view.is_english
    lines = view.lines
    n_chars = len(view.text)
    prose = view.in_words
    return JunkStats(
        address=kind_of_address(url),
        n_words=view.n_words,
        is_error=is_english and any(phrases.ERROR.match(line.lower()) for line in lines[:_FIRST_LINES]),
        counts_results=any(phrases.RESULTS.fullmatch(line.lower()) for line in lines if line[0].isdigit()),
        asks_password=is_english and "assword" in view.text and phrases.PASSWORD.search(view.lower) is not None,
        consent_fraction=_consent_fraction(view) if is_english and "ookie" in view.text else 0.0,
        interface_fraction=_interface_fraction(view) if is_english else 0.0,
        top_word_fraction=_top_word_fraction(prose),
        commas_per_word=ratio(prose.text.count(","), prose.n_words),
        replacement_fraction=ratio(view.text.count("\ufffd"), n_chars),
        mojibake_fraction=0.0
        if view.text.isascii()
        else ratio(sum(map(len, phrases.MOJIBAKE.findall(view.text))), n_chars),
    )


def decide(stats: JunkStats, document: Document, config: JunkConfig) -> Drop | None:
    """Return why the page must go, by the first rule that it breaks."""
    little = stats.n_words <= config.max_form_words
    if config.drop_search_results and (stats.address == SEARCH or stats.counts_results):
        return Drop("search_results")
    if little and (stats.address == SIGN_IN or stats.asks_password):
        return Drop("sign_in_page", stats.n_words, config.max_form_words)
    if little and stats.is_error:
        return Drop("error_page", stats.n_words, config.max_form_words)
    if config.drop_tag_lists and stats.address == TAGS and document.page_kind in ("listing", "collection"):
        return Drop("tag_list")
    if stats.n_words <= config.max_consent_words and stats.consent_fraction > config.max_consent_fraction:
        return Drop("consent_text", stats.consent_fraction, config.max_consent_fraction)
    for reason, value, high in (
        ("interface_text", stats.interface_fraction, config.max_interface_fraction),
        ("stuffed_keywords", stats.top_word_fraction, config.max_word_fraction),
        ("stuffed_keywords", stats.commas_per_word, config.max_commas_per_word),
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


def _consent_fraction(view: TextView) -> float:
    prose = [line.lower() for line in view.prose]
    return ratio(sum(len(line) for line in prose if phrases.CONSENT.search(line)), sum(map(len, prose)))


def _interface_fraction(view: TextView) -> float:
    lines = [line for line, kind in zip(view.lines, view.kinds_of_lines, strict=True) if kind not in (CODE, TABLE_ROW)]
    short = [line for line in lines if len(line) <= _INTERFACE_CHARS]
    return ratio(sum(phrases.INTERFACE.match(line.lower()) is not None for line in short), len(lines))


def _top_word_fraction(view: TextView) -> float:
    """Return the share of the most frequent word of some letters; scripts without spaces have none."""
    if view.unspaced or len(view.word_ids) < _MIN_COUNTED_WORDS:
        return 0.0
    counts, words = view.word_counts, list(view.vocabulary)
    for at in (-counts).argsort(kind="stable")[:60].tolist():
        word = words[at]
        if len(word) >= _LIST_WORD_CHARS and word.isalpha():
            return float(counts[at]) / len(view.word_ids)
    return 0.0
