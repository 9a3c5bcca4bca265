"""Candidate pairs of near copies: members of one bucket, paired.

Every band of a signature is a bucket. A bucket of at most `max_bucket_all_pairs` members gives all its pairs; a larger
one orders them by id and pairs each with the first and with the one before it, which links a family of copies with two
comparisons a member. A new document and documents of earlier runs pair by the same rule: all of them in a bucket that
has at most so many members, old and new; in a larger one the first known one and the last whose id is not larger.

Known documents are never paired with each other: their run has done that. A run leaves the `max_bucket_all_pairs`
smallest ids of each bucket for later runs: more would only matter to a bucket too large for all pairs, and a family of
a million copies would be looked up again by every later member.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.dedup.minhash import MinHashConfig, band_hashes
from transforms.shuffle.hash_blocks import Block, make_block, run_lengths, run_starts, sort_rows, unique_rows

BUCKETED = np.dtype([("bucket", "<u8"), ("id_hi", "<u8"), ("id_lo", "<u8")])
PAIR = np.dtype(
    [
        ("a_hi", "<u8"),
        ("a_lo", "<u8"),
        ("b_hi", "<u8"),
        ("b_lo", "<u8"),
        ("known", "u1"),  # 0: two new documents, a < b; 1: b is of an earlier run, and may even have the id of a
    ]
)
REQUEST = np.dtype([("id_hi", "<u8"), ("id_lo", "<u8"), ("known", "u1"), ("asker", "<u4")])  # asker: a partition


def bucket_rows(signed: Block, config: MinHashConfig) -> Block:
    """Return one row for each band of each document."""
    buckets = band_hashes(signed["signature"], config)
    ids = {name: np.repeat(signed[name], config.bands) for name in ("id_hi", "id_lo")}
    return make_block(BUCKETED, bucket=buckets.ravel(), **ids)


def candidate_pairs(bucketed: Block, max_all_pairs: int) -> Block:
    """Return the distinct pairs of new documents of a canonical block of whole buckets."""
    bucketed = unique_rows(bucketed)
    starts = run_starts(bucketed["bucket"])
    sizes = run_lengths(starts, len(bucketed))
    first, second = [], []
    for size in range(2, max_all_pairs + 1):
        left, right = np.triu_indices(size, k=1)
        begin = starts[sizes == size][:, None]
        first.append((begin + left).ravel())
        second.append((begin + right).ravel())
    for begin, size in zip(starts[sizes > max_all_pairs], sizes[sizes > max_all_pairs], strict=True):
        members = np.arange(begin + 1, begin + size)
        first += [np.full(size - 1, begin), members[:-1]]
        second += [members, members[1:]]
    a, b = bucketed[np.concatenate(first)], bucketed[np.concatenate(second)]
    return _pairs(a, b, known=0)


def pairs_with_known(bucketed: Block, known: Block, max_all_pairs: int) -> Block:
    """Return the distinct pairs of new and known documents of whole buckets; both blocks are in canonical order."""
    new, known = unique_rows(bucketed), unique_rows(known)
    if not len(known):
        return np.zeros(0, PAIR)
    starts = run_starts(new["bucket"])
    sizes = run_lengths(starts, len(new))
    low = np.searchsorted(known["bucket"], new["bucket"], side="left")
    high = np.searchsorted(known["bucket"], new["bucket"], side="right")
    small = np.repeat(sizes, sizes) + high - low <= max_all_pairs
    times = np.where(small, high - low, 0)
    all_new, all_known = np.repeat(np.arange(len(new)), times), np.repeat(low - np.cumsum(times) + times, times)
    all_known += np.arange(len(all_known))
    large = np.flatnonzero(~small & (high > low))
    nearest = np.maximum(_rows_up_to(new, known)[large] - 1, low[large])
    of_new = np.concatenate((all_new, large, large))
    return _pairs(new[of_new], known[np.concatenate((all_known, low[large], nearest))], known=1)


def bucket_heads(bucketed: Block, max_all_pairs: int) -> Block:
    """Return what a run leaves of its buckets: the `max_all_pairs` smallest ids of each bucket of a canonical block."""
    bucketed = unique_rows(bucketed)
    starts = run_starts(bucketed["bucket"])
    sizes = run_lengths(starts, len(bucketed))
    return bucketed[np.arange(len(bucketed)) - np.repeat(starts, sizes) < max_all_pairs]


def _pairs(a: Block, b: Block, known: int) -> Block:
    pairs = make_block(PAIR, a_hi=a["id_hi"], a_lo=a["id_lo"], b_hi=b["id_hi"], b_lo=b["id_lo"], known=known)
    return unique_rows(sort_rows(pairs))


def _rows_up_to(wanted: Block, rows: Block) -> npt.NDArray[np.int64]:
    """Return for each wanted row how many of `rows` are not larger; both are sorted by bucket and id."""
    both = np.concatenate((rows, wanted))  # equal rows keep this order, so a known one comes before its equal
    order = np.lexsort((both["id_lo"], both["id_hi"], both["bucket"]))
    is_row = order < len(rows)
    counts = np.empty(len(wanted), np.int64)
    counts[order[~is_row] - len(rows)] = np.cumsum(is_row)[~is_row]
    return counts


def requests_for(pairs: Block, asker: int) -> Block:
    """Return which ids' signatures the partition `asker` needs to verify its pairs."""
    columns = {f"id_{half}": np.concatenate((pairs[f"a_{half}"], pairs[f"b_{half}"])) for half in ("hi", "lo")}
    known = np.concatenate((np.zeros(len(pairs), np.uint8), pairs["known"]))
    return unique_rows(sort_rows(make_block(REQUEST, **columns, known=known, asker=asker)))
