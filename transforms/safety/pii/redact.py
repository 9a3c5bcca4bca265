"""Personal data in a text: found as spans with kind and confidence, then replaced, tagged or counted, by group.

`find_spans` asks the detectors in the order of `GROUPS`, one file each; where two claim the same characters the earlier
has them. A span holds offsets only; nothing here logs or prints a match, and an edit is `private`: the table `edits`
has the kind and the place of what was removed, not its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from schemas.blocks import CODE, FORMULA
from schemas.errors import ConfigError
from schemas.settings import setting, validate
from transforms.safety.pii.emails import find_emails, find_obfuscated
from transforms.safety.pii.ip_addresses import find_ipv4, find_ipv6
from transforms.safety.pii.numbers import phones
from transforms.safety.pii.numbers.accounts import find_cards, find_ibans
from transforms.safety.pii.numbers.candidates import as_bytes, find_numbers, find_tokens, plain_signs
from transforms.safety.pii.numbers.national_ids import find_national_ids
from transforms.safety.pii.replacements import plain_value, replacement, tag
from transforms.safety.pii.secrets import find_logins, find_secrets
from transforms.safety.pii.spans import (
    GROUPS,
    NUMBERS,
    PHONES,
    Span,
    merged,
)
from transforms.step import Edit
from transforms.text.view import TextView

MAX_KEY = 48  # bytes: BLAKE2b takes 64, the kind is put before it
REPLACE, TAG, COUNT, LEAVE = "replace", "tag", "count", "leave"
ACTIONS = (REPLACE, TAG, COUNT, LEAVE)
ALL = "all"  # in `max_spans`: spans of all groups together


def _action(default: str, what: str) -> str:
    made: str = setting(default, what, choices=ACTIONS)
    return made


@dataclass(frozen=True, kw_only=True)
class PiiConfig:
    """What becomes of personal data, by group, and when a document has too much of it."""

    emails: str = _action(REPLACE, "e-mail addresses: `replace` by a reserved one, `tag`, `count` alone, or `leave`")
    ip_addresses: str = _action(REPLACE, "public IPv4 and IPv6 addresses")
    logins: str = _action(REPLACE, "`user:password` in addresses")
    secrets: str = _action(REPLACE, "keys of services, private keys, web tokens")
    cards: str = _action(REPLACE, "numbers of payment cards (Luhn, and a word or the form that cards have)")
    ibans: str = _action(REPLACE, "international bank account numbers (mod 97)")
    national_ids: str = _action(REPLACE, "national numbers of persons, by the rules of 26 countries")
    phones: str = _action(LEAVE, "telephone numbers; needs the extra `phones`; most on the web are those of firms")
    columns: bool = setting(True, "also in `url`, `record_id`, `metadata` and what a source tells (`web`: title, ...)")
    obfuscated_emails: bool = setting(False, "also `name (at) host [dot] org`; costs precision")
    min_confidence: float = setting(
        0.8, "how sure a find must be; .6 takes valid numbers without a word that names them (ours)", ge=0, le=1
    )
    tag: str = setting("<{kind}>", "what `tag` writes; {kind} is EMAIL, IPV4, CARD, US_SSN, ...")
    key: str = setting("winnow", "key of the replacements, at most 48 bytes; another key gives other replacements")
    max_spans: dict[str, int] = setting(
        {}, "spans that a document may have, by group, or of `all`; one with more goes (Dolma: all: 5)", ge=0
    )

    def __post_init__(self) -> None:
        validate(self)
        if len(self.key.encode()) > MAX_KEY:
            raise ConfigError(f"key: {len(self.key.encode())} bytes are not allowed; must be <= {MAX_KEY}")
        for group in self.max_spans:
            if group not in (*GROUPS, ALL):
                raise ConfigError(f"max_spans.{group}: unknown; expected one of {', '.join((*GROUPS, ALL))}")
            if all(getattr(self, one) == LEAVE for one in (GROUPS if group == ALL else (group,))):
                left = "every group" if group == ALL else group
                raise ConfigError(
                    f"max_spans.{group}: {left} is `leave`, so none is counted; expected `count`, `replace` or `tag`"
                )
        if self.phones != LEAVE:
            phones.check_installed()


_DEFAULT = PiiConfig()


def redact(view: TextView, config: PiiConfig) -> Edit:
    """Replace or tag every span; the counts are those of the groups that there were any of."""
    pieces, reasons, counts = [], [], dict[str, int]()
    for span in view.once(spans_of, config):
        new = new_text(view.text[span.start : span.end], span, config)
        if new is None:
            continue
        pieces.append((span.start, span.end, new))
        reasons.append(span.kind)
        counts[span.group] = counts.get(span.group, 0) + 1
    return Edit(pieces, counts, reasons, private=True) if pieces else Edit()


def new_text(match: str, span: Span, config: PiiConfig) -> str | None:
    """Return what takes the place of `match`, which `span` is of; None where its group is counted or left."""
    action = getattr(config, span.group)
    if action == TAG:
        return tag(span, config.tag)
    return replacement(match, span, config.key) if action == REPLACE else None


def count_spans(text: str, config: PiiConfig | None = None) -> dict[str, int]:
    """Return how many spans of each group `text` has."""
    counts = dict.fromkeys(GROUPS, 0)
    for span in find_spans(text, config):
        counts[span.group] += 1
    return counts


def spans_of(view: TextView, config: PiiConfig) -> list[Span]:
    """Return the spans of a text in its language; numbers in formulas are none, nor is a phone number in code."""
    spans = find_spans(view.text, config, view.language)
    if not spans or not len(view.blocks):
        return spans
    blocks = view.blocks
    # The block that each span starts in or after: blocks are in order and do not overlap, so no other can hold it.
    places = np.searchsorted(blocks.starts, [span.start for span in spans], "right") - 1
    ends, kinds = blocks.ends[places].tolist(), blocks.kinds[places].tolist()
    return [
        span
        for span, place, end, kind in zip(spans, places.tolist(), ends, kinds, strict=True)
        if place < 0 or span.end > end or not _is_no_data(span, kind)
    ]


def _is_no_data(span: Span, kind: int) -> bool:
    """Say whether a span is none because it is inside a block of that kind."""
    return (kind == FORMULA and span.group in NUMBERS) or (kind == CODE and span.group == PHONES)


def find_spans(text: str, config: PiiConfig | None = None, language: str = "") -> list[Span]:
    """Return the spans of personal data in `text`, in order, none overlapping another.

    A value that is sure in one place is taken in all: a card number is one, too, where no word says so.

    `language` (ISO 639) chooses the countries whose telephone numbers are known; '' is taken for English.
    """
    config = _DEFAULT if config is None else config
    spans: list[Span] = []
    has_at = "@" in text or "\uff20" in text or "%40" in text
    if has_at and config.logins != LEAVE:
        spans = merged(spans, find_logins(text))
    if has_at:  # whatever is asked for: numbers in an address are part of it
        spans = merged(spans, find_emails(text))
    if config.obfuscated_emails:
        spans = merged(spans, find_obfuscated(text))
    if config.ip_addresses != LEAVE:
        spans = merged(merged(spans, find_ipv6(text)), find_ipv4(text))
    for found in _by_candidates(text, config, language):
        spans = merged(spans, found)
    spans = [span for span in spans if getattr(config, span.group) != LEAVE]
    sure = [span for span in spans if span.confidence >= config.min_confidence]
    return sure if len(sure) == len(spans) or not sure else _with_repeats(text, spans, config.min_confidence)


def _with_repeats(text: str, spans: list[Span], min_confidence: float) -> list[Span]:
    """Return the spans that are sure enough, and those of a value that another of them is sure of."""
    values = [(span.group, plain_value(text[span.start : span.end], span.kind)) for span in spans]
    sure = {value for span, value in zip(spans, values, strict=True) if span.confidence >= min_confidence}
    return [span for span, value in zip(spans, values, strict=True) if value in sure]


def _by_candidates(text: str, config: PiiConfig, language: str) -> Iterator[Iterator[Span]]:
    """Yield the finds of the detectors that look at numbers and keys alone, by group."""
    plain = plain_signs(text)
    raw = as_bytes(plain)
    tokens = list(find_tokens(raw))
    if config.secrets != LEAVE:
        yield find_secrets(plain, tokens)
    numbers = list(find_numbers(plain, raw))
    if config.ibans != LEAVE:
        yield find_ibans(plain, numbers)
    if config.cards != LEAVE:
        yield find_cards(plain, numbers)
    if config.national_ids != LEAVE:
        yield find_national_ids(plain, numbers, tokens)
    if config.phones != LEAVE:
        yield phones.find_phones(plain, numbers, language)
