"""The heading that repeats an article's title, which is kept apart from the text (`Extracted.title`) and put before it
from there (`texts.titled`), in the same place on every page.

On held-out pages the model leaves it out of 425 articles and keeps it in ten: putting it into the former costs .0017 of
word F1, taking it out of the latter gains .0001, and two copies of an article no longer differ by a line.
"""

from __future__ import annotations

from itertools import compress

from transforms.extraction.declared.titles import normal
from transforms.extraction.parsing.outline import Mask, Outline

_HEADING = "h1"


def without_title(outline: Outline, kept: Mask) -> Mask:
    """Return a choice of an article's blocks without the first heading that is the page's title or a part of it; all of
    it when nothing else was chosen."""
    titles = [_words_of(title) for title in (outline.title, outline.metas.get("og:title", ""))]
    for block in compress(range(len(outline.texts)), kept.tolist()):
        if _HEADING not in (outline.tags[outline.boxes[block]], outline.tags[outline.owners[block]]):
            continue
        heading = _words_of(outline.texts[block])
        if any(heading in title for title in titles):
            left = kept.copy()
            left[block] = False
            return left if left.any() else kept
    return kept


def _words_of(text: str) -> str:
    """Return the words of a text, a blank before and after each: what is looked for in it is whole words."""
    return f" {normal(text)} "
