"""Nothing was found for what `winnow show` was asked: say what there is instead."""

from __future__ import annotations

import difflib

from pipelines.reports.records import Chains
from pipelines.reports.show import Query
from schemas.errors import RunError

_SHOWN = 40  # of what there is


def refuse_absent(chains: Chains, query: Query) -> None:
    """Raise RunError when a reason, language or source that was asked for is in no stage of the runs, with those that
    are there."""
    counts = [manifest.counts for chain in chains.values() for manifest, _ in chain]
    fates = [fate for each in counts for fate in each.fates]
    edited = {name.partition(":")[2] or name for each in counts for name in each.edits}
    reasons = {fate.reason for fate in fates if fate.reason}
    there = {
        "--reason": (query.reason, edited if query.table == "edits" else reasons),
        "--language": (query.language, {fate.language for fate in fates if fate.language}),
        "--source": (query.source, {fate.source for fate in fates if fate.source}),
    }
    for option, (asked, known) in there.items():
        if asked and asked not in known:
            raise RunError(f"{option} {asked}: no record has it; {_there_are(asked, known)}")


def _there_are(asked: str, known: set[str]) -> str:
    if not known:
        return "there is none"
    names = sorted(known)
    close = difflib.get_close_matches(asked, names, n=1)
    shown = [*close, *(name for name in names if name not in close)][:_SHOWN]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there are {', '.join(shown)}{more}"
