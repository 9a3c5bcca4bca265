"""Sets of document ids that may be as many as the documents: 36 bytes each, looked up batch by batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_ROW = np.dtype([("id", "S32"), ("group", "<u4")])
_CHUNK = 4096


class Ids:
    """Ids, each with the number of a group. Filled first, then looked up."""

    def __init__(self) -> None:
        self._waiting: list[tuple[bytes, int]] = []
        self._chunks: list[npt.NDArray[np.void]] = []
        self._sorted: npt.NDArray[np.void] | None = None

    def add(self, document_id: str, group: int = 0) -> None:
        self._waiting.append((document_id.encode(), group))
        self._sorted = None
        if len(self._waiting) >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        self._chunks.append(np.array(self._waiting, _ROW))
        self._waiting = []

    def __len__(self) -> int:
        return len(self._waiting) + sum(map(len, self._chunks))

    def groups_of(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the group of each of some ids; -1 of one that is not in the set."""
        if self._sorted is None:
            self._flush()
            self._chunks = [np.sort(np.concatenate(self._chunks), order="id")]
            self._sorted = self._chunks[0]
        names = np.array([name.encode() for name in ids], "S32")
        groups = np.full(len(names), -1, np.int64)
        if len(self._sorted):
            at = np.minimum(np.searchsorted(self._sorted["id"], names), len(self._sorted) - 1)
            found = self._sorted["id"][at] == names
            groups[found] = self._sorted["group"][at[found]]
        return groups
