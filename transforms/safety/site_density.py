"""Sites that are bad on the whole: a measure is averaged over the documents of a site, and all of them go together.

Llama 3 report, arXiv:2407.21783, section 3.1.1: domains that hold much personal data or adult content are removed, and
dirty words are counted to find "adult websites that are not covered by domain block lists". The report gives no limits;
those here are ours.

An example of a rule across documents: one file, two pure functions and what the mean is of. The measure is one that an
earlier stage stored (`dirty_words.dirty_words_per_word`), so no text is measured again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.identity import keyed_hash
from schemas.settings import setting, validate
from transforms.dedup.keys_over_limit import KeysOverLimit, Total
from transforms.dedup.sites import site_of
from transforms.shuffle.hash_blocks import Block
from transforms.step import Draft, Drop

SCALE = 1_000_000  # a measure is added up in millionths: whole numbers add up to the same in any order


@dataclass(frozen=True, kw_only=True)
class SiteDensityConfig:
    """Which measure, and what a site may have of it on average."""

    step: str = setting("dirty_words", "the step whose measure is averaged")
    measure: str = setting("dirty_words_per_word", "the field of its column; a number")
    max_mean: float = setting(0.01, "mean over the documents of a site, at most (ours)", ge=0)
    min_documents: int = setting(5, "documents from which a site is judged (ours)", ge=1)

    def __post_init__(self) -> None:
        validate(self)


def keys(draft: Draft, config: SiteDensityConfig) -> list[tuple[int, int]]:
    """Return the document's site and its measure; nothing without an address or a measure."""
    site, column = site_of(draft.document.url), draft.stored[config.step]
    value = column[config.measure] if column else None
    return [(keyed_hash("site", site), round(value * SCALE))] if site and value is not None else []


def over(totals: Block, config: SiteDensityConfig) -> npt.NDArray[np.bool_]:
    """Return which sites are judged and over the limit."""
    means = totals["weight"] / totals["count"] / SCALE
    judged: npt.NDArray[np.bool_] = (totals["count"] >= config.min_documents) & (means > config.max_mean)
    return judged


def decide(draft: Draft, found: Mapping[int, Total], config: SiteDensityConfig) -> Drop:
    """Drop a document of such a site."""
    (total,) = found.values()
    mean = total.weight / total.count / SCALE
    return Drop("site_over_limit", mean, config.max_mean, site_of(draft.document.url))


def site_density(config: SiteDensityConfig, name: str = "site_density") -> KeysOverLimit:
    """Return the survey."""
    return KeysOverLimit(name, keys, over, decide, config, needs=(f"{config.step}.{config.measure}",))
