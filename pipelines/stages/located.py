"""Errors of a source, with the place where they were raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from schemas.errors import BadRecord, RunError
from transforms.sources.strings import storable_path

Item = TypeVar("Item")


def located(items: Iterable[Item], offset_of: Callable[[Item], int], path: str, stage: str) -> Iterator[Item]:
    """Yield what a source gives of a file; RunError naming file, byte and stage where it raises BadRecord.

    A source answers for each record with an item. One that raises instead has lost its place, so the run ends; without
    the place nobody could find the record.
    """
    offset = 0
    try:
        for item in items:
            offset = offset_of(item)
            yield item
    except BadRecord as error:
        raise RunError(
            f"{storable_path(path)}: at or behind byte {offset}, stage {stage}: the source raised {error}; a source"
            " must give Broken, and a reader a Text with its failure"
        ) from error
