"""What the head of an edition of Project Gutenberg says of its book: fields like `Title: Middlemarch`."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from transforms.sources.dates import parse_date

HEAD_CHARS: Final = 1 << 16  # of an edition's text within which its head ends; with small print it is some 20 kB

_FIELD: Final = re.compile(
    r"^[ \t]*(Title|Author|Editor|Translator|Language|Release Date|Posting Date|Last Updated?|Character set encoding)"
    r"s?[ \t]*:[ \t]*(\S[^\n]*(?:\n[ \t]{2,}(?![A-Z][\w ]{1,24}:)\S[^\n]*)*)",
    re.MULTILINE | re.IGNORECASE,
)
_NUMBER: Final = re.compile(
    r"\[\s*(?:Project Gutenberg )?e-?(?:book|text)\s*(?:#|no\.?|number)?\s*(\d{1,6})\s*\]", re.IGNORECASE
)
_UPDATED: Final = re.compile(r"\[?(?:Most recently updated|Last updated?)\s*:\s*([^\]\n]{4,40})\]?", re.IGNORECASE)
_FILE: Final = re.compile(r"(?:pg)?(\d{1,6})(?:-(?:0|8|h|images|readme))*(?:\.\w+)+$", re.IGNORECASE)
_COPYRIGHTED: Final = re.compile(
    r"this (?:is|file is) a \*?copyrighted\*? project gutenberg|\bcopyrighted project gutenberg|"
    r"the small print!? for copyright(?:ed)?\b|posted with (?:the )?permission of the copyright holder",
    re.IGNORECASE,
)
_FREE: Final = re.compile(
    r"for the use of anyone\s+anywhere|public domain|almost\s+no\s+restrictions|for copyright protected etexts",
    re.IGNORECASE,
)
_ORDINAL: Final = re.compile(r"(\d)(?:st|nd|rd|th)\b")
_OLD_TITLE: Final = re.compile(
    r"^[\s*]*(?:The |This is the )?Project Gutenberg(?:'s|’s)?(?: (?:EBook|Etext|E-text|eBook))? (?:of|Edition of)?\s*"
    r"([^\n]{2,120}?)(?:,? by ([^\n]{3,80}?))?[\s*]*$",
    re.MULTILINE | re.IGNORECASE,
)

# Names of languages as editions give them, in English and some in their own; ISO 639 codes of the identifier.
LANGUAGES: Final = {
    "english": "en", "french": "fr", "français": "fr", "german": "de", "deutsch": "de", "italian": "it",
    "spanish": "es", "portuguese": "pt", "dutch": "nl", "finnish": "fi", "swedish": "sv", "danish": "da",
    "norwegian": "no", "icelandic": "is", "latin": "la", "greek": "el", "chinese": "zh", "japanese": "ja",
    "esperanto": "eo", "tagalog": "tl", "polish": "pl", "czech": "cs", "hungarian": "hu", "catalan": "ca",
    "russian": "ru", "welsh": "cy", "romanian": "ro", "bulgarian": "bg", "serbian": "sr", "croatian": "hr",
    "slovenian": "sl", "slovak": "sk", "ukrainian": "uk", "hebrew": "he", "arabic": "ar", "sanskrit": "sa",
    "galician": "gl", "frisian": "fy", "irish": "ga", "breton": "br", "occitan": "oc", "friulian": "fur",
    "cebuano": "ceb", "afrikaans": "af", "estonian": "et", "lithuanian": "lt", "yiddish": "yi", "interlingua": "ia",
    "scottish gaelic": "gd", "turkish": "tr", "persian": "fa", "korean": "ko", "hindi": "hi", "telugu": "te",
    "tamil": "ta", "bengali": "bn", "neapolitan": "nap", "walloon": "wa", "asturian": "ast", "iloko": "ilo",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The fields of a head; '' and 0 for what it does not say."""

    title: str = ""
    author: str = ""
    translator: str = ""
    number: int = 0
    language: str = ""  # ISO 639; '' too where it names several, or one that we do not know
    charset: str = ""
    licence: str = ""  # public_domain_us, copyrighted, or '' where there is no head
    released: datetime | None = None
    updated: datetime | None = None


def parse_head(text: str, file_name: str = "") -> Head:
    """Return what the first HEAD_CHARS of an edition say, and of the number what the file's name does."""
    text = text[:HEAD_CHARS].replace("\r\n", "\n").replace("\r", "\n")
    fields: dict[str, str] = {}
    for found in _FIELD.finditer(text):
        fields.setdefault(found[1].lower().removesuffix("d"), " ".join(found[2].split()))
    number = _NUMBER.search(text)
    named = _FILE.fullmatch(posixpath.basename(file_name))
    old = _OLD_TITLE.search(text[:2000]) if "title" not in fields else None
    updated = _UPDATED.search(text)
    return Head(
        title=fields.get("title", "") or (old[1].strip(" ,*") if old else ""),
        author=fields.get("author", "") or ((old[2] or "").strip(" ,*") if old else ""),
        translator=fields.get("translator", ""),
        number=int(number[1]) if number else int(named[1]) if named else 0,
        language=_language(fields.get("language", "")),
        charset=fields.get("character set encoding", "").split(" ")[0].strip(".,").lower(),
        licence=_licence(text),
        released=_date(fields.get("release date", "") or fields.get("posting date", "")),
        updated=_date(updated[1]) if updated else _date(fields.get("last update", "")),
    )


def address(number: int) -> str:
    """Return the address of a book at Project Gutenberg; '' of none."""
    return f"https://www.gutenberg.org/ebooks/{number}" if number else ""


def _licence(text: str) -> str:
    if "utenberg" not in text:
        return ""
    if _COPYRIGHTED.search(text):
        return "copyrighted"
    return "public_domain_us" if _FREE.search(text) else ""


def _language(names: str) -> str:
    name = names.split("(")[0].strip(" .").lower()
    if name in LANGUAGES.values():
        return name
    return LANGUAGES.get(name, "")


def _date(text: str) -> datetime | None:
    """Return the day in texts like `June, 2001 [eBook #2701]` (the first of the month), `May 22, May 5, 2008`."""
    text = _ORDINAL.sub(r"\1", text.split("[")[0]).strip(" ,.")
    found = re.search(r"([A-Z][a-z]{2,8})\.?\s*(?:(\d{1,2})\s*,?)?\s*,?\s*(\d{4})\s*$", text)
    if found:
        return parse_date(f"{found[2] or 1} {found[1][:3]} {found[3]} 00:00:00")
    return parse_date(text) if re.match(r"\d{4}-\d{1,2}-\d{1,2}", text) else None
