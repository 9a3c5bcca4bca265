"""What pages that are no documents say, and what their addresses look like: the word lists of junk.py.

Phrases are matched in lower case at the start of a line unless they begin with \\b; addresses by whole path segments.
They are ours, collected from pages; another language needs its own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

SEARCH_PATHS: Final = frozenset(
    (
        "search", "searches", "search.php", "search.asp", "search.aspx", "search.html", "search.jsp", "search.cgi",
        "search.naver", "searchresults", "search-results", "search_results", "suche", "suchen", "recherche",
        "rechercher", "buscar", "busca", "busqueda", "cerca", "ricerca", "zoeken", "sok", "sök", "haku", "szukaj",
        "hledat", "pesquisa", "arama", "поиск", "special:search",
    )
)  # fmt: skip
# A query of these names is a search wherever it stands, one of the others under a path of a search or a bare domain.
SEARCH_KEYS: Final = frozenset(
    ("search", "query", "keyword", "keywords", "searchword", "search_query", "searchterm", "suche")
)
SHORT_SEARCH_KEYS: Final = frozenset(("q", "s", "k", "p", "wd", "w", "term", "terms", "text", "word"))
SIGN_IN_PATHS: Final = frozenset(
    (
        "login", "login.php", "login.aspx", "login.html", "signin", "sign-in", "sign_in", "log-in", "log_in", "logon",
        "wp-login.php", "signup", "sign-up", "sign_up", "register", "register.php", "registration", "lostpassword",
        "forgot-password", "password-reset", "reset-password",
    )
)  # fmt: skip
TAG_PATHS: Final = frozenset(
    (
        "tag", "tags", "tagged", "label", "labels", "archive", "archives", "keyword", "keywords", "schlagwort",
        "etiqueta", "etiquetas",
    )
)  # fmt: skip


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# A whole line that counts hits, in ten languages. "3 Results" heads a chapter, "404 Not Found" an error.
RESULTS: Final = re.compile(
    r"(?!\d\s\w+[.:]?$|\d+ not found)\d(?:[\d.,\s]*\d)?\s+(?:[^\W\d_]+ ){0,2}(?:gefunden|found|results?|treffer"
    r"|suchergebnisse|ergebnisse|résultats?|resultados|risultati|resultaten|wyników|träffar)"
    r"(?: (?:found|gefunden|trouvés|encontrados|for .{1,60}))?[.:]?"
)
INTERFACE: Final = _any_of(
    # counts: "3 comments"
    r"(?:\d[\d,.k]* )?(?:comments?|replies|likes?|shares?|views?|votes?|points?|retweets?|followers)\W*$",
    r"(?:\d[\d,.k]* )?(?:answers?|reviews?|results?)\W*$",
    r"results? \d+.{0,25}$|page \d+(?: of \d+)?\W*$|\d+ (?:of \d+ )?(?:people|person|users?|customers?) found\b",
    # prompts to write and to read
    r"(?:no|leave a|post a|add a|write a|view all|show|read|hide) (?:new |your )?(?:comments?|reply|replies|reviews?)\b"
    r".{0,20}$",
    r"(?:read|see|view|learn|load) more\b.{0,12}$|click here\b.{0,40}$|reply to (?:thread|post|topic)",
    r"was this (?:review|helpful|page)\b",
    # accounts
    r"(?:sign|log)[ -]?(?:in|up|out)\b.{0,40}$|(?:please )?(?:log|sign) in to\b|forgot|remember me$",
    r"you (?:are not|must be|need to be) (?:logged|signed)\b|(?:create|register) (?:an |your |a new )?account\b",
    r"(?:user ?name|password|e-?mail(?: address)?)\W*\*?$|enter your (?:e-?mail|name|search|zip)\b",
    # shops
    r"add to (?:cart|bag|basket|wish ?list|compare|favou?rites)\b|(?:shopping )?(?:cart|bag|basket)\b.{0,20}$",
    r"check ?out$|buy now$|(?:in|out of) stock$|select (?:a|an|your|size|colou?r|options?)\b.{0,30}$",
    r"(?:sort|filter|order)(?:ed)? by\b.{0,30}$|show(?:ing)? (?:all|more|less|\d).{0,30}$",
    # ways through a site
    r"[«»<>‹›←→\s]*(?:previous|prev|next|back|older|newer)\b.{0,40}$|(?:skip|jump|go|return|back) to\b.{0,25}$",
    r"(?:share|tweet|email|print|pin|like|follow|reply|quote|report|edit|delete|subscribe|download|search)\W*$",
    r"(?:menu|home|close|submit|go|skip|cancel|send|save|permalink|advertisement|sponsored|loading|translate)\W*$",
    r"(?:flag|upvote|downvote|contact us|about us|site ?map|faq|help)\W*$|subscribe (?:to|now|via)\b.{0,30}$",
    r"(?:share|follow|like|join|find) (?:this|us|me|on|via|with|to)\b.{0,25}$",
    # what stands around posts
    r"(?:posted|submitted|written|published|updated|last (?:edited|modified|updated)) (?:by|on|in|at)\b.{0,50}$",
    r"join(?:ed)?(?: date)?\W.{0,18}$|(?:all )?times? (?:are|is) gmt\b",
    r"(?:filed under|categories|category|tags?|tagged|labels?|topics?|location|posts|ratings?|type|date|by|from)"
    r"\s*[:»|]\s?.{0,60}$",
    # feet of pages
    r"©|\(c\)|copyright|all rights reserved|powered by\b.{0,30}$|(?:terms|privacy)\b.{0,40}$",
)
BYLINE: Final = _any_of(  # who wrote what follows, and when
    r"(?:posted|submitted|written|published|updated|last (?:edited|modified|updated)) (?:by|on|in|at)\b",
    r"(?:by|from|date|author|location|posts|join(?:ed)?(?: date)?)\s*[:»|]",
)
OF_POSTS: Final = _any_of(  # what every post of a thread has around it
    BYLINE.pattern,
    r"(?:reply|quote|report|like|share|edit|permalink|upvote|downvote|flag)\W*$",
    r"(?:\d[\d,.k]* )?(?:likes?|replies|points?|votes?|comments?|shares?)\W*$",
)
# UTF-8 read as windows-1252, and Cyrillic or Han bytes read as Latin-1.
MOJIBAKE: Final = re.compile(
    "[À-ÿ](?:(?<=[ÃÂÅÄÐÑ])[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|(?<=â)(?:€.|[\u0080-\u0084])|(?<=ï)(?:»¿|¿½)"
    "|[À-ÿ]{4,}(?!\\w))"
)

# Frequent English words whose spellings with digits are neither numbers nor names of things, as "i7" and "b3" are.
_FREQUENT: Final = (
    "the", "and", "that", "with", "have", "for", "are", "from", "this", "was", "not", "you", "they", "which", "their",
    "there", "when", "what", "would", "about", "some", "them", "then", "these", "has", "had", "been", "more", "into",
    "than", "only", "other",
)  # fmt: skip
_DIGITS: Final = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}
_TIME_OF_DAY: Final = re.compile(r"\dh\d\d")  # French: 7h15 is no "this"


def _spellings(word: str) -> Iterator[str]:
    """Yield a word with digits for some of its letters."""
    for letters in itertools.product(*((letter, _DIGITS.get(letter, letter)) for letter in word)):
        spelling = "".join(letters)
        if spelling != word and not spelling.isdigit() and not _TIME_OF_DAY.fullmatch(spelling):
            yield spelling


LEET: Final = frozenset({"0f"}.union(*map(_spellings, _FREQUENT)))
