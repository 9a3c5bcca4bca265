"""Errors of a source, with the place where they were raised; and files that cannot be read any further."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from schemas.errors import BadRecord, ChangedInputError, InputError, RunError
from transforms.sources.items import Part
from transforms.sources.strings import storable_path

UNREADABLE = "unreadable_input"  # cause: the file could be listed, but not be read to its end

Item = TypeVar("Item")


def located(items: Iterable[Item], offset_of: Callable[[Item], int], part: Part, stage: str) -> Iterator[Item]:
    """Yield what a source gives of a part; RunError naming file, byte and stage where it raises BadRecord.

    A source answers for each record with an item. One that raises instead has lost its place, so the run ends; without
    the place nobody could find the record.
    """
    offset = 0
    try:
        for item in items:
            offset = offset_of(item)
            yield item
    except BadRecord as error:
        path, byte = part.locate(offset)
        raise RunError(
            f"{storable_path(path)}: at or behind byte {byte}, stage {stage}: the source raised {error}; a source"
            " must give Broken, and a reader a Text with its failure"
        ) from error


def to_the_last(items: Iterable[Item], lost: Callable[[InputError], Iterable[Item]] | None) -> Iterator[Item]:
    """Yield what a source gives of a file; where the file cannot be read any further, what `lost` makes of that.

    Without `lost` the InputError goes on to the caller; a file that is another one by now is an error in any case.
    """
    try:
        yield from items
    except InputError as error:
        if lost is None or isinstance(error, ChangedInputError):
            raise
        yield from lost(error)
