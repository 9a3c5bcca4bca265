"""Lines that occur in too many documents.

Llama 3 report, section 3.1.1: "we remove lines that appeared more than 6 times in each bucket of 30M documents",
similar to ccNet (Wenzek et al. 2020), which removes every copy, the first included, and so do we. Our interpretation,
where the report is silent: a line is the text between two newlines; two lines are the same when ccNet's
`normalize_for_dedup` gives the same string; the bucket is a keyed hash of the document id, within each language;
documents are counted (or occurrences, by config: ccNet's way, which takes a chronicle's lines for boilerplate, because
figures become 0). Lines that are empty once normalised are neither counted nor dropped.

Short lines of a text are frequent by nature: "Ingredients" is a heading of a thousand recipes, "Yes." an answer of a
thousand talks, "him." the end of a wrapped sentence. So code is spared (`by_blocks`), and of lines with fewer than
`min_words` words are those outside paragraphs, speech, what begins with a small letter or is indented, and what has no
letter. The others go where they are furniture: in a menu, which is `menu_lines` frequent lines in a row, or where all
lines up to an end of the text are frequent.

A line travels as a 64-bit key that mixes its hash with its language and bucket; no text leaves its document.
Deviation from ccNet: BLAKE2b instead of SHA-1.

A later run over the same dataset continues the buckets of the earlier ones (`Buckets`): the bucket that is not full
takes its documents first, and the counts of its lines are carried over (transforms/shuffle/known_rows.py). Counts of
full buckets are not stored: no later document falls into one. What an earlier run has written is not changed, even if
some of its lines are frequent by now.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from schemas.blocks import CODE, PARAGRAPH
from schemas.identity import keyed_hash
from schemas.settings import setting, validate
from transforms.shuffle.hash_blocks import (
    Block,
    GroupBlocks,
    Hashes,
    Piece,
    Pieces,
    make_block,
    read_block,
    run_lengths,
    run_starts,
    split_block,
    split_by,
    to_piece,
    to_pieces,
)
from transforms.shuffle.known_rows import KnownRows
from transforms.step import Edit
from transforms.text.replacements import explained_lines
from transforms.text.view import TextView, split_words

LINE = np.dtype([("key", "<u8"), ("count", "<u4"), ("open", "u1")])  # open: later runs may add to its bucket
KEY = np.dtype([("key", "<u8")])
COUNTED = np.dtype([("key", "<u8"), ("count", "<u4")])  # a line of an open bucket: what a run leaves for later ones
_PLACED = np.dtype([("key", "<u8"), ("part", "<u4"), ("count", "<u4"), ("open", "u1")])

MAX_COUNT = 2**32 - 1  # far above any limit
BUCKET_SALT = "line bucket"
_LONGEST_WORD = 15  # characters, blank included, of which no short line has more a word on average
_SPEECH = frozenset("\"“„«»‚‘'「『—–-")
NO_KEY = 0  # of a line that is empty once normalised

# ccNet, text_normalizer.py, UNICODE_PUNCT; ASCII punctuation is not in it and stays. Its "１" is a digit, a 0 by then.
_PUNCTUATION = "，。、„”“«»」「《》´∶：？！（）；–—．～’…━〈〉【】％►"
_CONTROL = [code for code in (*range(32), *range(127, 160)) if code != 0x0A]
_ASCII_TABLE = {**dict.fromkeys(code for code in _CONTROL if code < 128), **dict.fromkeys(map(ord, "123456789"), "0")}
_DIGIT = re.compile(r"\d")
_REMOVED = re.compile(f"[{_PUNCTUATION}{''.join(map(chr, _CONTROL))}]")


@dataclass(frozen=True, kw_only=True)
class LinesConfig:
    """Which lines are boilerplate."""

    max_copies: int = setting(6, "copies in its bucket up to which a line is kept (Llama 3)", ge=1)
    bucket_docs: int = setting(30_000_000, "documents of a bucket (Llama 3)", ge=1)
    count_documents: bool = setting(
        True, "count the documents that hold a line, not its occurrences: a chronicle repeats itself (ccNet: false)"
    )
    by_blocks: bool = setting(True, "spare code, and short lines that are text; false: every line, as ccNet")
    min_words: int = setting(10, "words from which on a line can be boilerplate wherever it is (ours)", ge=1)
    menu_lines: int = setting(3, "frequent lines in a row, blank ones aside, of which short ones go, too (ours)", ge=1)

    def __post_init__(self) -> None:
        validate(self)


def normal_lines(lines: Sequence[str]) -> list[str]:
    """Return ccNet's normal form of each line: stripped, lower case, digits 0, its punctuation and controls deleted.

    `lines` hold no newline. All are normalised in one pass over their joined text: a newline is no letter, so it keeps
    them apart in every step, final sigma included.
    """
    text = "\n".join([line.strip() for line in lines]).lower()
    text = text.translate(_ASCII_TABLE) if text.isascii() else _REMOVED.sub("", _DIGIT.sub("0", text))
    return text.split("\n") if lines else []


def judged_lines(view: TextView, config: LinesConfig) -> list[str]:
    """Return the lines of a text, with '' for those that are spared."""
    lines = view.text.split("\n")
    if not config.by_blocks:
        return lines
    return [
        "" if kind == CODE or ((kind != PARAGRAPH or _is_text(line)) and _is_short(line, config)) else line
        for line, kind in zip(lines, view.kinds_of_raw_lines, strict=True)
    ]


def _is_short(line: str, config: LinesConfig) -> bool:
    return len(line) < _LONGEST_WORD * config.min_words and len(split_words(line)) < config.min_words


def _is_text(line: str) -> bool:
    """Say whether a short line is speech, goes on from the one before it, is indented, or has no letter."""
    first = line[:1]
    return first.isspace() or first.islower() or first in _SPEECH or not any(map(str.isalpha, line))


def line_keys(lines: Sequence[str], language: str, bucket: int) -> Hashes:
    """Return the key of each line in its language and bucket, NO_KEY for lines that are empty once normalised."""
    hashes = line_hashes(lines)
    keys = hashes ^ salt_of(language, bucket)
    keys[hashes == NO_KEY] = NO_KEY
    return keys


def line_hashes(lines: Sequence[str]) -> Hashes:
    """Return the hash of each normalised line, NO_KEY for lines that are empty once normalised."""
    digests = [_digest(line) if line else bytes(8) for line in normal_lines(lines)]
    return np.frombuffer(b"".join(digests), "<u8")


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of a run's documents of one language: `before` documents are of earlier runs, `n_docs` of this one.

    Earlier documents fill buckets of `bucket_docs` in turn. The first of this run is the one that they leave unfull;
    the documents that are in it already and those of the run share ceil(their sum / bucket_docs) buckets.
    """

    bucket_docs: int
    n_docs: int
    before: int = 0

    def of(self, doc_id: str) -> int:
        """Return the number of a document's bucket."""
        return self.drawn(keyed_hash(BUCKET_SALT, doc_id))

    def drawn(self, draw: int) -> int:
        """Return the number of the bucket of a document whose id has the hash `draw` under BUCKET_SALT."""
        in_first = self.before % self.bucket_docs
        number = max(1, math.ceil((in_first + self.n_docs) / self.bucket_docs))
        return self.before // self.bucket_docs + draw % number

    def is_open(self, bucket: int) -> bool:
        """Return whether documents of later runs may fall into a bucket."""
        return bucket >= (self.before + self.n_docs) // self.bucket_docs


def count_lines(keys: Iterable[tuple[Hashes, bool]], config: LinesConfig) -> Block:
    """Return the LINE block of one part from the `line_keys` of each document and whether its bucket is open."""
    documents: tuple[list[Hashes], list[Hashes]] = ([], [])
    for document, is_open in keys:
        documents[is_open].append(np.unique(document) if config.count_documents else document)
    return np.concatenate([_counted(some, is_open) for is_open, some in enumerate(documents)])


def _counted(documents: list[Hashes], is_open: int) -> Block:
    distinct, counts = np.unique(np.concatenate([np.zeros(0, np.uint64), *documents]), return_counts=True)
    real = distinct != NO_KEY
    return make_block(LINE, key=distinct[real], count=counts[real], open=is_open)


def drop_lines(view: TextView, bucket: int, frequent: Hashes, config: LinesConfig) -> Edit:
    """Remove every line whose key is in `frequent`, a sorted array; counts the lines and their characters."""
    lines = view.text.split("\n")
    keys = line_keys(judged_lines(view, config), view.language, bucket)
    places = np.searchsorted(frequent, keys)
    dropped = np.zeros(len(lines), np.bool_)
    inside = places < len(frequent)
    dropped[inside] = (frequent[places[inside]] == keys[inside]) & (keys[inside] != NO_KEY)
    if config.by_blocks and dropped.any():
        dropped &= ~_amid_text(lines, dropped, config)
    n_dropped = int(dropped.sum())
    if not n_dropped:
        return Edit()
    kept = [None if gone else line for line, gone in zip(lines, dropped.tolist(), strict=True)]
    reasons = ["frequent_lines" if gone else "" for gone in dropped.tolist()]
    n_chars = sum(len(lines[at]) for at in np.flatnonzero(dropped).tolist())
    replaced, explained = explained_lines(view.text, kept, reasons)
    return Edit(replaced, {"frequent_lines": n_dropped, "frequent_line_chars": n_chars}, explained)


def _amid_text(lines: Sequence[str], frequent: npt.NDArray[np.bool_], config: LinesConfig) -> npt.NDArray[np.bool_]:
    """Return which frequent lines are short, in a run of too few to be a menu, with other lines on both sides."""
    spared = np.zeros(len(lines), np.bool_)
    written = np.array([at for at, line in enumerate(lines) if line.strip()], np.int64)
    for is_frequent, run in itertools.groupby(written.tolist(), lambda at: bool(frequent[at])):
        if is_frequent:
            places = list(run)
            is_at_end = places[0] == written[0] or places[-1] == written[-1]
            if len(places) < config.menu_lines and not is_at_end:
                spared[places] = [_is_short(lines[at], config) for at in places]
    return spared


def frequent_rows(placed: Block, max_copies: int, counted: Block | None = None) -> Block:
    """Return the rows whose key has more than `max_copies` copies over all parts; rows are sorted by key.

    Copies that earlier runs `counted`, COUNTED rows in any order, count as well.
    """
    starts = run_starts(placed["key"])
    if not len(starts):
        return placed
    totals = np.add.reduceat(placed["count"].astype(np.int64), starts)
    if counted is not None and len(counted):
        keys = placed["key"][starts]
        at = np.searchsorted(keys, counted["key"])
        met = keys[np.minimum(at, len(keys) - 1)] == counted["key"]
        np.add.at(totals, at[met], counted["count"][met].astype(np.int64))
    return placed[np.repeat(totals > max_copies, run_lengths(starts, len(placed)))]


def open_lines(placed: Block) -> Block:
    """Return the COUNTED rows of the lines of open buckets; rows are sorted by key."""
    placed = placed[placed["open"] == 1]
    starts = run_starts(placed["key"])
    if not len(starts):
        return np.zeros(0, COUNTED)
    counts = np.minimum(np.add.reduceat(placed["count"].astype(np.uint64), starts), MAX_COUNT)
    return make_block(COUNTED, key=placed["key"][starts], count=counts)


def _digest(line: str) -> bytes:
    return hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=8).digest()


@functools.cache
def salt_of(language: str, bucket: int) -> np.uint64:
    return np.uint64(keyed_hash("line", f"{language}:{bucket}"))


class FindFrequentLines(beam.PTransform[Pieces, Pieces]):
    """Find, for each part, those of its line keys that have more than `max_copies` copies in the whole corpus.

    In: PCollection[tuple[int, bytes]], (part, LINE block without repeated keys), any number of blocks for a part.
    Out: PCollection[tuple[int, bytes]], (part, sorted u8 keys), one element for each part that has any.
    Order: none. Retry: writes the same files again. Cost: one shuffle of 17 bytes for each distinct line of a part, one
    of what is frequent; a file of 12 bytes for each distinct line of an open bucket. `known` is of COUNTED rows: the
    lines that earlier runs counted, read; those of this one, written.
    """

    def __init__(self, config: LinesConfig, known: KnownRows, n_partitions: int) -> None:
        super().__init__()
        self.config = config
        self.known = known
        self.n_partitions = n_partitions

    def expand(self, lines: Pieces) -> Pieces:
        max_copies, known, n_partitions = self.config.max_copies, self.known, self.n_partitions

        def place(piece: Piece) -> Iterator[Piece]:
            part, block = piece[0], read_block(piece[1], LINE)
            placed = make_block(_PLACED, key=block["key"], part=part, count=block["count"], open=block["open"])
            return split_block(placed, "key", n_partitions)

        def select(piece: Piece) -> Iterator[Piece]:
            placed = read_block(piece[1], _PLACED)
            known.write(piece[0], n_partitions, open_lines(placed))
            frequent = frequent_rows(placed, max_copies, known.find(placed["key"]))
            return split_by(make_block(KEY, key=frequent["key"]), frequent["part"])

        def distinct(piece: Piece) -> Piece:
            return piece[0], np.unique(np.frombuffer(piece[1], "<u8")).tobytes()

        frequent: Pieces = (
            lines
            | "SplitByKey" >> to_pieces(place)
            | "GroupByKeyRange" >> GroupBlocks(_PLACED)
            | "SelectFrequent" >> to_pieces(select)
            | "GroupByPart" >> GroupBlocks(KEY)
            | "Distinct" >> to_piece(distinct)
        )
        return frequent
