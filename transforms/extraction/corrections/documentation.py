"""Pages of documentation: their code, tables and short headings, of which the model is less sure than of sentences.

The main element of such a page holds little else: next page, supported versions. The choice with the highest
expected F1 leaves a third of a page of examples out to be sure of the rest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.choice.decide import ONE
from transforms.extraction.parsing.outline import Mask

MIN_CHANCE: Final = ONE // 4  # probability above which a block of the main element is kept (our value)


def with_likely_blocks(kept: Mask, chance: NDArray[np.int64], in_main: Mask) -> Mask:
    """Return a choice of blocks with those of the main element that are likelier than MIN_CHANCE; nothing more where
    that is the whole page, which has no main element."""
    return kept if in_main.all() else kept | (in_main & (chance > MIN_CHANCE))
