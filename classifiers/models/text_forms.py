"""The forms in which a text is given to a fastText classifier; the same in training and in scoring.

fastText takes words as white space separates them: "Idiot!" and "idiot" have nothing in common. On a few thousand
short comments that costs more than any other setting: the form `words` raises the area under the ROC curve of
insults (Impermium 2012) from .84 to .88 (LOG.md, 2026-11-30).
"""

from __future__ import annotations

import re
import unicodedata

RAW = "raw"
WORDS = "words"
FORMS = (RAW, WORDS)

_MARKS = re.compile(r"[^\w\s]+|_+")


def in_form(text: str, form: str, max_chars: int) -> str:
    """Return the first `max_chars` characters of `text` in `form`, one of FORMS.

    `raw` is the text as it is; `words` is in lower case, compatibility characters replaced (NFKC: full-width letters
    are Latin ones), runs of punctuation words of their own, one space between words.
    """
    text = text[:max_chars]
    if form == RAW:
        return text
    spaced = _MARKS.sub(r" \g<0> ", unicodedata.normalize("NFKC", text).lower())
    return " ".join(spaced.split())
