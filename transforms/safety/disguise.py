"""Words in disguise: digits and signs for letters (leet), letters of other scripts that look alike (homoglyphs).

A word counts as disguised only where the disguise is inside it: `sh1t`, `p0rn`, not `A55` or `MP3`, which are names of
things; and a word that mixes scripts, or is written in one of Unicode's alphabets for mathematics or in full width, is
read as what it looks like. Not read: letters left out or replaced by a star, letters with blanks between them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MIN_CHARS = 4  # shorter ones are abbreviations and models of telephones

_LEET = re.compile(r"[a-z]+(?:[0134579@$!]+[a-z]+)+")
_LETTERS = str.maketrans("0134579@$!", "oieastgasi")
_LETTERS_WITH_L = str.maketrans("0134579@$!", "oleastgasi")  # 1 and ! are i or l
# Small letters of Cyrillic, Greek and Armenian that look like Latin ones (Unicode's confusables.txt, a selection).
_ALIKE = str.maketrans("авеһіјкмопрѕтухүԁԛԝьαγεικνορτυχωօսոց", "abehijkmonpstyxydqwbayeikvoptuxwoung")


def plain_forms(word: str) -> Iterator[str]:
    """Yield what a normal word (small letters, no punctuation at its edges) reads as, where that is another word."""
    if len(word) < MIN_CHARS or (word.isascii() and word.isalpha()):
        return
    if word.isascii():
        if _LEET.fullmatch(word):
            first, second = word.translate(_LETTERS), word.translate(_LETTERS_WITH_L)
            yield first
            if second != first:
                yield second
        return
    latin = unicodedata.normalize("NFKC", word).lower()
    alike = latin.translate(_ALIKE)
    if alike.isascii() and alike.isalpha() and (latin.isascii() or any(map(str.isascii, latin))):
        yield alike
