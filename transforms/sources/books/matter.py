"""What is in a book's file and is not of the book: credits, transcriber's notes, tables of contents, captions.

Each rule looks only where such matter is: credits near an end, contents near the beginning, notes under their heading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from schemas.blocks import HEADING, TABLE_ROW
from transforms.sources.books.settings import BooksReadConfig
from transforms.sources.pieces import Piece

CREDITS_AT: Final = 24  # blocks from either end within which credits are looked for
FRONT_SHARE: Final = 0.25  # of the blocks: where a table of contents can begin
BACK_SHARE: Final = 0.8  # of the characters: a note behind it runs to the end of the book
LONG_CHARS: Final = 240  # a block that is longer is no entry of a table of contents

_CREDITS: Final = re.compile(
    r"\W*(?:(?:produced|prepared|transcribed|scanned|digiti[sz]ed|proofread|proofed|created|typed|converted|edited|"
    r"updated) (?:by|and|for|from)\b.{0,400}$|e-?texts? (?:was )?(?:prepared|produced|scanned|created|transcribed)|"
    r"html (?:version|file)|this (?:e-?text|e-?book|file|html file|text) (?:was|is|has been) (?:first |originally )?"
    r"(?:produced|prepared|created|scanned|transcribed|converted|typed)|credits\s*:|images? (?:generously|kindly)|"
    r"\(?this (?:file|book) was produced from|(?:note|notice): project gutenberg|"
    r"(?:end|ende|fin|fine) of (?:the |this )?project gutenberg|(?:an? )?(?:online )?distributed proofread|cover$)",
    re.IGNORECASE | re.DOTALL,
)
_OF_GUTENBERG: Final = re.compile(
    r"gutenberg\.(?:org|net)|pgdp\.net|project gutenberg (?:volunteer|literary|volumes)|"
    r"\[project gutenberg e-?book \d|\bPG EBOOK",
    re.IGNORECASE,
)
_NOTE: Final = re.compile(
    r"\W*(?:(?:original|additional|e-?text) )?(?:transcri(?:ber|ption|bers)\W{0,2}s?\W{0,2} ?(?:end-?)?notes?|"
    r"transcription notes?|note (?:of|from|by) (?:the )?transcriber|anmerkung(?:en)? (?:zur|des) transkri\w+|"
    r"notes? (?:de|sur la|du) transcri\w+|opmerkingen van de bewerker|nota del trascrittore|notas? del? transcriptor)",
    re.IGNORECASE,
)
_INLINE_NOTE: Final = re.compile(
    r"\s?\[(?:transcriber\W{0,2}s? ?(?:end)?notes?|tr\. ?notes?|t\. ?n\.|anmerkung des transkribierers)\s*:"
    r"[^\[\]]{0,1500}\]",
    re.IGNORECASE,
)
_ABOUT_TEXT: Final = re.compile(
    r"transcri|e-?texts?\b|proofread|typograph|misprint|spelling|punctuation|hyphen|footnote|italic|printer|unicode|"
    r"utf-8|html\b|project gutenberg|corrected|illustrations? (?:have|has|were|was)|page numbers?|scann|"
    r"original (?:edition|text|book)",
    re.IGNORECASE,
)
_CONTENTS: Final = re.compile(
    r"\W*(?:the )?(?:table of )?contents(?: of (?:vol|volume|book|part)\b.{0,20})?\W*$|"
    r"\W*(?:list of )?(?:illustrations|plates|maps)\W*$|\W*(?:chapter|chap\.)\s+page\W*$|"
    r"\W*(?:inhalt|inhaltsverzeichnis|table des matières|table|indice|índice|inhoud|sisällys|innehåll)\W*$",
    re.IGNORECASE,
)
_ENTRY: Final = re.compile(
    r"\W*(?:chapter|chap\.|book|part|volume|vol\.|canto|act|scene|letter|section|stave|preface|introduction|prologue|"
    r"epilogue|appendix|kapitel|buch|teil|chapitre|livre|capitolo|parte|cap[íi]tulo|page|[IVXLC]{1,8}\b\.?|\d{1,3}\.)(?:\s|$|\W)"
    r"|.{2,90}[.\s–—-]\s?(?:\d{1,4}|[ivxlc]{2,7}|frontispiece|facing page.*)\.?$|page$",
    re.IGNORECASE,
)
_ILLUSTRATION: Final = re.compile(
    r"\s?\[(?:Illustrations?|Illus\.?|Image|Frontispiece|Abbildung|Illustrazione|Ilustraci[óo]n)\b"
    r"(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,2000}\]",
    re.IGNORECASE,
)
_PAGE_NUMBER: Final = re.compile(
    r"\s?\[(?:Pg|Page|p\.|S\.|Seite)\s*[\divxlc]{1,6}\]|\s?\{(?:p\. ?)?\d{1,4}\}", re.IGNORECASE
)
_EMPHASIS: Final = re.compile(r"(?<![\w_])_(?=\S)|(?<=[^\s_])_(?![\w_])")
_BOLD: Final = re.compile(r"(?<![\w=])=(?=\w)([^=\n]{1,200}?)(?<=\S)=(?![\w=])")
_LETTER: Final = re.compile(r"[^\W_]")


def without_captions(text: str, counts: Counter[str]) -> str:
    """Return plain text without [Illustration: ...], which may have blank lines inside."""
    text, n = _ILLUSTRATION.subn("", text)
    counts["images_removed"] += n
    return text


def of_the_book(pieces: Sequence[Piece], config: BooksReadConfig, counts: Counter[str]) -> list[Piece]:
    """Return the blocks that are the book's own; what is taken away is counted by kind."""
    kept = _without_credits(list(pieces), counts)
    if config.transcriber_notes == "drop":
        kept = _without_notes(kept, counts)
    if config.contents == "drop":
        kept = _without_contents(kept, counts)
    cleaned = [replace(piece, text=_inline(piece.text, config, counts)) for piece in kept]
    return [piece for piece in cleaned if _LETTER.search(piece.text)]


def _inline(text: str, config: BooksReadConfig, counts: Counter[str]) -> str:
    if "[" in text or "{" in text:
        if config.captions == "drop":
            text = without_captions(text, counts)
        if config.transcriber_notes == "drop":
            text, n = _INLINE_NOTE.subn("", text)
            counts["notes_removed"] += n
        text, n = _PAGE_NUMBER.subn("", text)
        counts["page_numbers_removed"] += n
    if config.emphasis == "drop":
        text = _EMPHASIS.sub("", text) if "_" in text else text
        text = _BOLD.sub(r"\1", text) if "=" in text else text
    return text.strip(" \n")


def _without_credits(pieces: list[Piece], counts: Counter[str]) -> list[Piece]:
    def is_credit(place: int, piece: Piece) -> bool:
        if CREDITS_AT <= place < len(pieces) - CREDITS_AT or len(piece.text) > 4 * LONG_CHARS:
            return False
        return bool(_CREDITS.match(piece.text) or _OF_GUTENBERG.search(piece.text))

    kept: list[Piece] = []
    in_table = False  # of Project Gutenberg's volumes
    for place, piece in enumerate(pieces):
        in_table = piece.kind == TABLE_ROW and (in_table or is_credit(place, piece))
        if not in_table and not is_credit(place, piece):
            kept.append(piece)
    counts["credits_removed"] += len(pieces) - len(kept)
    return kept


def _without_notes(pieces: list[Piece], counts: Counter[str]) -> list[Piece]:
    total = sum(len(piece.text) for piece in pieces) or 1
    kept: list[Piece] = []
    before = 0  # characters
    place = 0
    while place < len(pieces):
        piece = pieces[place]
        is_note = bool(_NOTE.match(piece.text)) and (
            piece.kind == HEADING or len(piece.text) < 60 or ":" in piece.text[:60]
        )
        if not is_note:
            kept.append(piece)
            before += len(piece.text)
            place += 1
            continue
        first = place
        place += 1
        if before > BACK_SHARE * total:
            place = len(pieces)
        else:
            while place < len(pieces) and pieces[place].kind != HEADING and _ABOUT_TEXT.search(pieces[place].text):
                place += 1
        counts["notes_removed"] += place - first
    return kept


def _without_contents(pieces: list[Piece], counts: Counter[str]) -> list[Piece]:
    known = Counter(_normal(line) for piece in pieces for line in piece.text.split("\n") if len(line) <= LONG_CHARS)
    kept: list[Piece] = []
    place = 0
    while place < len(pieces):
        piece = pieces[place]
        at_front = place <= max(40, FRONT_SHARE * len(pieces))
        if not (at_front and len(piece.text) < 60 and _CONTENTS.match(piece.text)):
            lines = piece.text.split("\n")
            if at_front and len(lines) > 2 and _CONTENTS.match(lines[0]) and _is_entry(lines[1:], known):
                counts["contents_removed"] += 1
            else:
                kept.append(piece)
            place += 1
            continue
        first, seen = place, set[str]()
        place = last = first + 1
        while place < len(pieces) and place - last < 3:
            lines = pieces[place].text.split("\n")
            if max(map(len, lines)) > LONG_CHARS or (len(lines) == 1 and _normal(lines[0]) in seen):
                break  # prose, or the first heading of the book itself
            if _is_entry(lines, known):
                last = place + 1
            seen.update(name for line in lines for name in _names(line))
            place += 1
        place = last
        if place == first + 1:
            kept.append(piece)  # nothing below it is a list: it is a heading of something else
        else:
            counts["contents_removed"] += place - first
    return kept


def _is_entry(lines: Sequence[str], known: Counter[str]) -> bool:
    """Return whether a block is of a list of contents: its lines look like entries, or come again as headings."""
    if max(map(len, lines)) > LONG_CHARS:
        return False
    return 2 * sum(bool(_ENTRY.match(line)) or known[_normal(line)] > 1 for line in lines) >= len(lines)


def _names(entry: str) -> list[str]:
    """Return what the heading of an entry can be: all of it, without its page, its number alone, its title alone."""
    line = _normal(entry)
    title = re.sub(r"\s(?:\d{1,4}|[ivxlc]{1,7})$", "", line)
    number = re.match(r"(?:(?:chapter|book|part|letter|stave|act) )?(?:[ivxlc]{1,8}|\d{1,3})\b", title)
    parts = [number[0], title[number.end() :].strip()] if number else []
    return [name for name in (line, title, *parts) if name]


def _normal(line: str) -> str:
    return re.sub(r"[\W_]+", " ", line).strip().lower()
