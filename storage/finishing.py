"""The end of a writer's `with` block: what it has begun is finished, or let go after an error."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import TracebackType

Raised = type[BaseException] | BaseException | TracebackType | None  # what `__exit__` gets, three of them


def finish_or_let_go(stack: contextlib.ExitStack, finish: Callable[[], None], *raised: Raised) -> bool:
    """Close the files on `stack`, after `finish` has written what is left; return whether all of it is written.

    After an error nothing more is written, so that atomic files do not appear. What fails in `finish`, on a full disk,
    leaves no unfinished file either.
    """
    if raised[0] is not None:
        stack.__exit__(*raised)  # type: ignore[arg-type]
        return False
    with stack:
        finish()
    return True
