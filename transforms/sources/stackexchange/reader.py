"""The texts of questions: each is read with its answers, whose addresses its header has.

Answers lie anywhere behind their question. A window of questions is read at a time: the places of all their posts are
sorted, and what lies close together is read at once, so that a file is gone through forward in pieces, and no more than
a window is held.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Final, NamedTuple

from schemas.errors import BadRecord, ChangedInputError
from schemas.records import Header
from storage.files import open_read
from transforms.sources.items import Part
from transforms.sources.source import Text
from transforms.sources.stackexchange.post import Post, parse_row
from transforms.sources.stackexchange.settings import ThreadConfig
from transforms.sources.stackexchange.site import Site
from transforms.sources.stackexchange.thread import StackExchangeFacts, thread_of

WINDOW_BYTES: Final = 8 << 20  # of posts that are held at a time, and one question's more
GAP_BYTES: Final = 1 << 16  # between two posts that are read at once: less than a seek on a disk or a request costs
READ_BYTES: Final = 1 << 20  # read at once


class _Place(NamedTuple):
    path: str
    offset: int
    length: int


@dataclass(frozen=True)
class ThreadReader:
    """Reads questions with their answers."""

    settings: ThreadConfig
    facts: ClassVar[type | None] = StackExchangeFacts
    cpu_ms: ClassVar[float] = 0.6  # a question with two answers

    def open(self) -> None:
        """Nothing is held between parts."""

    def close(self) -> None:
        """Nothing is held between parts."""

    def read(self, part: Part, headers: Mapping[int, Header]) -> Iterator[Text]:
        """Yield the text of each of `headers`. ChangedInputError when a file has other posts in these places."""
        with contextlib.ExitStack() as stack:
            files: dict[str, BinaryIO] = {}
            for window in _windows(headers):
                places = {row: _places(part, headers[row]) for row in window}
                wanted = sorted({place for some in places.values() for place in some})
                for path in sorted({place.path for place in wanted} - files.keys()):
                    files[path] = stack.enter_context(open_read(path))
                found = dict(_fetched(files, wanted))
                for row in window:
                    yield self._text(headers[row], [_post(found[place], place) for place in places[row]], part)

    def _text(self, header: Header, posts: Sequence[Post], part: Part) -> Text:
        question, *answers = posts
        site = Site(header.record_id.rpartition(":")[0])
        if f"{site.name}:{question.id}" != header.record_id or any(
            post.number("ParentId") != question.id for post in answers
        ):
            raise _changed(part.path, header.offset)
        size = sum(post.size for post in posts)
        try:
            thread = thread_of(question, answers, site, self.settings)
        except BadRecord as error:
            return Text(row=header.row, text="", size=size, failure=error)
        edits = {"read:answers_left_out": thread.left_out} if thread.left_out else {}
        return Text(row=header.row, text=thread.text, blocks=thread.blocks, facts=thread.facts, edits=edits, size=size)


def _places(part: Part, header: Header) -> list[_Place]:
    """Return where a question and its answers are, in this order."""
    pieces: Sequence[Any] = header.pieces
    return [
        _Place(part.path, header.offset, header.length),
        *(_Place(piece["path"] or part.path, piece["offset"], piece["length"]) for piece in pieces),
    ]


def _windows(headers: Mapping[int, Header]) -> Iterator[list[int]]:
    """Yield the rows of `headers`, in order, in runs whose posts have about `WINDOW_BYTES`."""
    window: list[int] = []
    size = 0
    for row in sorted(headers):
        header = headers[row]
        window.append(row)
        size += header.length + sum(piece["length"] for piece in header.pieces)
        if size >= WINDOW_BYTES:
            yield window
            window, size = [], 0
    if window:
        yield window


def _fetched(files: Mapping[str, BinaryIO], wanted: Sequence[_Place]) -> Iterator[tuple[_Place, bytes]]:
    """Yield the bytes at sorted places, reading each file forward."""
    at = 0
    while at < len(wanted):
        first = wanted[at]
        stop, end = at + 1, first.offset + first.length
        while (
            stop < len(wanted)
            and wanted[stop].path == first.path
            and wanted[stop].offset - end <= GAP_BYTES
            and wanted[stop].offset + wanted[stop].length - first.offset <= READ_BYTES
        ):
            end = max(end, wanted[stop].offset + wanted[stop].length)
            stop += 1
        stream = files[first.path]
        stream.seek(first.offset)
        data = stream.read(end - first.offset)
        for place in wanted[at:stop]:
            yield place, data[place.offset - first.offset :][: place.length]
        at = stop


def _post(data: bytes, place: _Place) -> Post:
    try:
        post = parse_row(data)
    except BadRecord:
        raise _changed(place.path, place.offset) from None
    if post.size != place.length:
        raise _changed(place.path, place.offset)
    return post


def _changed(path: str, offset: int) -> ChangedInputError:
    return ChangedInputError(f"{path}: has changed since it was read first, at byte {offset}")
