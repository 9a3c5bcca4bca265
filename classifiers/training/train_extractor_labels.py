"""Labels for blocks of a page: the share of a block's words that a gold text holds, each gold word given out once.

Long blocks first: they are matched by runs of words (at least MIN_RUN of them) and fix where the gold text is in the
page. A short block ("Home", "$ 20") matches only as a whole, and where several could claim the same gold words, the one
whose neighbours lie nearest in the gold gets them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

WORD = re.compile(r"\w+")
MIN_RUN = 4  # words of a run that is no coincidence (our value)
MAX_PLACES = 2000  # where a short block is looked for


def words_of(text: str) -> list[str]:
    """Return the words of a text as the benchmark counts them."""
    return WORD.findall(text.lower())


def label_blocks(blocks: Sequence[str], gold: str) -> list[float]:
    """Return for each block the share of its words that the gold holds, 0..1."""
    bags = [words_of(block) for block in blocks]
    target = words_of(gold)
    free = [True] * len(target)
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at in range(len(target) - MIN_RUN + 1):
        places[tuple(target[at : at + MIN_RUN])].append(at)
    matched = [0] * len(bags)
    spans: list[tuple[int, int] | None] = [None] * len(bags)
    order = sorted(range(len(bags)), key=lambda block: (-len(bags[block]), block))
    long_blocks = [block for block in order if len(bags[block]) >= MIN_RUN]
    for block in long_blocks:
        near = _expected(spans, block, len(target))
        runs = _match_runs(bags[block], target, free, places, near)
        matched[block] = sum(length for _, length in runs)
        if matched[block] * 2 >= len(bags[block]):
            spans[block] = (runs[0][0], runs[-1][0] + runs[-1][1])
    _match_short(bags, target, free, spans, matched)
    return [found / len(bag) if bag else 0.0 for found, bag in zip(matched, bags, strict=True)]


def _expected(spans: Sequence[tuple[int, int] | None], block: int, size: int) -> tuple[int, int]:
    """Return between which gold positions a block should lie: after its last matched neighbour, before its next."""
    low, high = 0, size
    for at in range(block - 1, max(-1, block - 60), -1):
        if (span := spans[at]) is not None:
            low = span[1]
            break
    for at in range(block + 1, min(len(spans), block + 60)):
        if (span := spans[at]) is not None:
            high = span[0]
            break
    return low, high


def _off(position: int, near: tuple[int, int]) -> int:
    low, high = near
    if low > high:
        low, high = high, low
    return max(0, low - position, position - high)


def _match_runs(
    bag: list[str],
    target: list[str],
    free: list[bool],
    places: dict[tuple[str, ...], list[int]],
    near: tuple[int, int],
) -> list[tuple[int, int]]:
    """Take runs of the block's words out of the gold; return (gold position, length) of each."""
    runs: list[tuple[int, int]] = []
    at = 0
    while at + MIN_RUN <= len(bag):
        best = (0, 0, 0)
        for place in places.get(tuple(bag[at : at + MIN_RUN]), ()):
            length = 0
            while (
                at + length < len(bag)
                and place + length < len(target)
                and free[place + length]
                and bag[at + length] == target[place + length]
            ):
                length += 1
            if length >= MIN_RUN:
                best = max(best, (length, -_off(place, near), -place))
        length, _, place = best
        if not length:
            at += 1
            continue
        runs.append((-place, length))
        for taken in range(-place, -place + length):
            free[taken] = False
        near = (-place + length, near[1])
        at += length
    return runs


def _match_short(
    bags: list[list[str]],
    target: list[str],
    free: list[bool],
    spans: list[tuple[int, int] | None],
    matched: list[int],
) -> None:
    """Give what is left of the gold to blocks that no run matched, the whole block or nothing, nearest first."""
    starts: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(target):
        if free[at]:
            starts[word].append(at)
    claims: list[tuple[int, int, int, int]] = []
    for block, bag in enumerate(bags):
        if not bag or matched[block] or len(bag) > 3 * MIN_RUN:
            continue
        near = _expected(spans, block, len(target))
        claims += [
            (_off(place, near), -len(bag), block, place)
            for place in starts.get(bag[0], ())[:MAX_PLACES]
            if target[place : place + len(bag)] == bag and all(free[place : place + len(bag)])
        ]
    for _, _, block, place in sorted(claims):
        end = place + len(bags[block])
        if not matched[block] and all(free[place:end]):
            matched[block] = len(bags[block])
            free[place:end] = [False] * (end - place)
