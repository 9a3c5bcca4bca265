"""Writers that are contexts: what they have begun is finished at the end, and let go after an error."""

from __future__ import annotations

import contextlib
from types import TracebackType


class Finishing:
    """A writer with its open files on `_stack`: at the end of its `with` block it finishes them.

    After an error nothing more is written, so that atomic files do not appear. What fails in `_finish`, on a full disk,
    leaves no unfinished file either.
    """

    _stack: contextlib.ExitStack

    def _finish(self) -> None:
        """Write what is left, while the files are open."""
        raise NotImplementedError  # each writer has its own

    def _note(self) -> None:
        """Take down what only closed files tell; nothing by default."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._finish()
        self._note()
