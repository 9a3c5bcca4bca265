"""What a span of personal data is, its groups, and how the finds of several detectors become one list."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

EMAILS, IP_ADDRESSES, LOGINS, SECRETS = "emails", "ip_addresses", "logins", "secrets"
CARDS, IBANS, NATIONAL_IDS, PHONES = "cards", "ibans", "national_ids", "phones"
GROUPS = (EMAILS, IP_ADDRESSES, LOGINS, SECRETS, CARDS, IBANS, NATIONAL_IDS, PHONES)
NUMBERS = (CARDS, IBANS, NATIONAL_IDS, PHONES)

# Confidence: what share of such finds is right, roughly, as read on real pages (LOG.md).
PROVEN = 1.0  # a form that nothing else has, or a checksum and a word that names it
LIKELY = 0.9  # a valid value, and a word or a form that speaks for it
POSSIBLE = 0.6  # a valid value alone; a word alone

_start = attrgetter("start")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters and what it holds."""

    start: int
    end: int
    kind: str  # email, ipv4, ipv6, card, us_ssn, github_token...
    group: str = EMAILS  # one of GROUPS
    confidence: float = PROVEN  # 0 to 1


def merged(spans: list[Span], more: Iterable[Span]) -> list[Span]:
    """Return `spans` and those of `more`, in any order, that overlap none of them or of each other, in order.

    Of two in `more` that overlap the one that starts first is taken; of one start, the one that was yielded first.
    """
    starts = [span.start for span in spans]
    added: list[Span] = []
    for span in sorted(more, key=_start):  # stable: a detector yields a whole number before its parts
        place = bisect_right(starts, span.start)
        before = max(spans[place - 1].end if place else 0, added[-1].end if added else 0)
        after = starts[place] if place < len(starts) else span.end
        if before <= span.start and span.end <= after:
            added.append(span)
    return sorted(spans + added) if added else spans
