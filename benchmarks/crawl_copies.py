"""Makes a bigger crawl of a small one: every record N times, each time under a new address and with other words.

    .venv/bin/python -m benchmarks.crawl_copies ARCHIVE OUTPUT.warc.gz N

A copy must be no copy for the steps under test, and cost them what the original costs. So in copy k every word of at
least five ASCII letters in the text of a page is replaced by another one of the archive, of the same length and case:
a permutation of the archive's own vocabulary drawn by a keyed hash of k. Lines, repetitions, word counts and sizes stay
what they were; word 5-grams, lines and digests are others. Copy 0 is the archive as it is. Pages stored compressed or
in UTF-16, and scripts without ASCII letters, keep their text; in copies 1 to N - 1 they are dropped as equal texts.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

MIN_LETTERS = 5
DIGESTS = ("warc-payload-digest", "warc-block-digest")  # no longer true
# Words by which C4's page rules find code, dummy text and notices stay, or other pages would be dropped than before.
RESERVED = frozenset(
    (b"javascript", b"lorem", b"ipsum", b"terms", b"privacy", b"policy", b"cookie", b"cookies", b"browser")
)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_TEXT_WORD = re.compile(
    rb"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>|&\w+;"
    rb"|(?<![A-Za-z0-9_@./\x80-\xff-])([A-Za-z]{%d,24})(?![A-Za-z0-9_@/\x80-\xff])" % MIN_LETTERS,
    re.DOTALL | re.IGNORECASE,
)


@dataclass
class Record:
    """A record with its block cut at the words that copies replace: odd pieces are words."""

    headers: list[tuple[str, str]]
    pieces: list[bytes]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("archive", type=Path)
    arguments.add_argument("output", type=Path)
    arguments.add_argument("copies", type=int)
    given = arguments.parse_args()
    print(f"{given.output}: {copy_crawl(given.archive, given.output, given.copies):,} records")


def copy_crawl(archive: Path, output: Path, copies: int) -> int:
    """Write `copies` copies of `archive`, one after the other, as one file; returns the number of records."""
    records = list(read_records(archive))
    words = {word.lower() for record in records for word in record.pieces[1::2]}
    partial = output.with_name(f".{output.name}.part")
    with partial.open("wb") as stream:
        for number in range(copies):
            table = _Respelling(words, number)
            for record in records:
                block = b"".join(table[piece] if n % 2 else piece for n, piece in enumerate(record.pieces))
                stream.write(gzip.compress(_head(record, number, len(block)) + block + b"\r\n\r\n", 1, mtime=0))
    partial.replace(output)
    return copies * len(records)


def read_records(archive: Path) -> Iterator[Record]:
    with archive.open("rb") as stream:
        for record in ArchiveIterator(stream, no_record_parse=True):
            block = record.raw_stream.read()
            yield Record(record.rec_headers.headers, cut_words(block) if record.rec_type == "response" else [block])


def cut_words(block: bytes) -> list[bytes]:
    """Return the block in pieces, those of odd number the words of its text."""
    head = _HEAD_END.search(block)
    last, pieces = 0, []
    for found in _TEXT_WORD.finditer(block, head.end() if head else 0):
        if found[2] and found[2].lower() not in RESERVED:
            pieces += [block[last : found.start()], found[2]]
            last = found.end()
    return [*pieces, block[last:]]


class _Respelling(dict[bytes, bytes]):
    """The word that stands for each word in one copy, its case kept."""

    def __init__(self, words: Iterable[bytes], copy: int) -> None:
        super().__init__()
        self._others: dict[bytes, bytes] = {}
        by_length: dict[int, list[bytes]] = defaultdict(list)
        for word in sorted(words):
            by_length[len(word)].append(word)
        for alike in by_length.values():
            drawn = sorted(alike, key=lambda word: _digest(copy, word)) if copy else alike
            self._others.update(zip(alike, drawn, strict=True))

    def __missing__(self, word: bytes) -> bytes:
        other = self._others[word.lower()]
        self[word] = other = other.upper() if word.isupper() else other.title() if word[:1].isupper() else other
        return other


def _head(record: Record, copy: int, length: int) -> bytes:
    """Return the WARC header of a record of one copy."""
    lines = ["WARC/1.0"]
    for name, value in record.headers:
        key = name.lower()
        if copy and key in DIGESTS:
            continue
        if copy and key == "warc-record-id":
            value = f"<urn:uuid:{uuid.UUID(bytes=_digest(copy, value.encode()))}>"
        elif copy and key == "warc-target-uri":
            before, mark, after = value.rpartition("://")  # an archive's own address may stand around it
            value = f"{before}{mark}copy{copy}.{after}"
        elif key == "content-length":
            value = str(length)
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode()


def _digest(copy: int, text: bytes) -> bytes:
    return hashlib.blake2b(text, key=b"copy %d" % copy, digest_size=16).digest()


if __name__ == "__main__":
    main()
