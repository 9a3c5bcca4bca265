"""Whether tiktoken gives exactly the ids of a tokenizer.json: a proof, token by token."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# Patterns that both libraries' regular expressions were found to cut alike, around every code point there is.
_AGREED_PATTERNS = (LLAMA3_PATTERN, GPT2_PATTERN)

_NEVER_IN_UTF8 = frozenset((0xC0, 0xC1, *range(0xF5, 0x100)))


def spells_all(ranks: Mapping[bytes, int]) -> bool:
    """Say whether there is a rank for every byte that UTF-8 can hold."""
    return all(bytes([b]) in ranks for b in range(256) if b not in _NEVER_IN_UTF8)


def word_pattern(pre_tokenizer: Any) -> str:
    """Return the word pattern of a byte-level pre-tokenizer; '' when it is of another kind."""
    if not isinstance(pre_tokenizer, dict):
        return ""
    steps = pre_tokenizer["pretokenizers"] if pre_tokenizer.get("type") == "Sequence" else [pre_tokenizer]
    if not steps or steps[-1].get("type") != "ByteLevel" or steps[-1].get("add_prefix_space", True):
        return ""
    uses_own = steps[-1].get("use_regex", True)
    if len(steps) == 1 and uses_own:
        return GPT2_PATTERN
    split = steps[0]
    whole = split.get("type") == "Split" and split.get("behavior") == "Isolated" and not split.get("invert")
    return str(split["pattern"].get("Regex", "")) if len(steps) == 2 and whole and not uses_own else ""


@functools.cache
def byte_of_letter() -> dict[str, int]:
    """Return the byte that each letter of GPT-2's byte alphabet represents."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(shown)]
    return {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


def exact_ranks(spec: Mapping[str, Any]) -> dict[bytes, int] | None:
    """Return the ranks with which tiktoken gives exactly the ids of this tokenizer.json; None when it may not.

    tiktoken merges the adjacent pair whose bytes joined have the lowest rank; `tokenizers` merges the listed pair that
    comes first in the list. They agree when every token, spelled alone with the tokens of lower rank, ends as two
    parts, that pair is listed, and the list has these pairs in the order of rank. Then, by induction on rank, no other
    two parts of a token ever come to stand side by side.
    """
    model = spec["model"]
    plain = model.get("type") == "BPE" and not any(
        model.get(key) for key in ("continuing_subword_prefix", "end_of_word_suffix", "byte_fallback")
    )
    only_special = all(token["special"] for token in spec["added_tokens"])
    if (
        not plain
        or spec.get("normalizer")
        or not only_special
        or word_pattern(spec.get("pre_tokenizer")) not in _AGREED_PATTERNS
    ):
        return None
    letters, added = byte_of_letter(), {token["content"] for token in spec["added_tokens"]}
    try:
        ranks = {bytes(letters[c] for c in token): n for token, n in model["vocab"].items() if token not in added}
    except KeyError:
        return None
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model.get("merges", ())]
    order = {tuple(bytes(letters[c] for c in half) for half in pair): n for n, pair in enumerate(pairs)}
    return ranks if spells_all(ranks) and _agree(ranks, order.get) else None


def _agree(ranks: Mapping[bytes, int], place: Callable[[tuple[bytes, ...]], int | None]) -> bool:
    last = -1
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) == 1:
            continue
        at = place(_spell(token, ranks, rank))
        if at is None or at <= last:
            return False
        last = at
    return True


def _spell(token: bytes, ranks: Mapping[bytes, int], below: int) -> tuple[bytes, ...]:
    """Return `token` merged from its bytes by the ranks under `below`, the lowest and leftmost pair first."""
    parts = [token[n : n + 1] for n in range(len(token))]
    while len(parts) > 2:
        joined = [ranks.get(a + b, below) for a, b in itertools.pairwise(parts)]
        lowest = min(joined)
        if lowest >= below:
            break
        at = joined.index(lowest)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return tuple(parts)
