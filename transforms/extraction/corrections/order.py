"""What is put right in a choice of blocks, by the kind of page, in the order in which it is done."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.choice.features import OFF_MAIN, Features
from transforms.extraction.choice.page_kind import (
    ARTICLE,
    DOCUMENTATION,
    FORUM,
    SERIAL,
    declares_article,
    is_surely_article,
    kind_of,
)
from transforms.extraction.corrections.appended import without_appended
from transforms.extraction.corrections.comments import THIRD, with_comments, with_technical_comments, without_comments
from transforms.extraction.corrections.dialogs import without_dialogs
from transforms.extraction.corrections.documentation import with_likely_blocks
from transforms.extraction.corrections.furniture import without_asides
from transforms.extraction.corrections.insets import with_insets
from transforms.extraction.corrections.repeats import without_repeats
from transforms.extraction.corrections.series import without_slivers
from transforms.extraction.corrections.titles import without_title
from transforms.extraction.corrections.unseen import without_unseen
from transforms.extraction.corrections.whole_rows import with_whole_rows
from transforms.extraction.parsing.outline import Mask, Outline


def corrected(
    page: Outline,
    kept: Mask,
    chance: NDArray[np.int64],
    features: Features,
    scores: tuple[int, ...],
    *,
    comments: bool,
) -> Mask:
    """Return a choice put right. `chance`: the blocks' probabilities; `scores`: the page's kind scores; `comments`:
    with all comments under an article or a forum's posts."""
    kind = kind_of(scores)
    if kind == DOCUMENTATION:
        kept = with_likely_blocks(kept, chance, features.column(OFF_MAIN) == 0)
    if kind not in SERIAL:
        kept = without_slivers(kept, features.words, features.series)
    kept = without_unseen(page, without_dialogs(page, kept))
    kept = with_whole_rows(page, without_repeats(page, kept), features.words)
    kept = with_insets(page, kept)
    if kind == ARTICLE:
        kept = without_title(page, without_asides(page, without_appended(page, kept)))
    if comments and kind in (ARTICLE, FORUM):
        return with_comments(page, kept)
    if kind == FORUM:
        return with_technical_comments(page, kept, features.column("in_form") > 0)
    if kind != ARTICLE:
        return kept
    is_sure = is_surely_article(scores) or declares_article(page)
    return without_comments(page, kept, min_left=0 if is_sure else THIRD)
