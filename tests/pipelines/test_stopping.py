"""Signals that ask a run to stop, where something swallows what they raise."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest

from pipelines import stopping
from pipelines.stopping import TerminatedError, check_stop, heed_signals


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Leave the process as it was."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    stopping._asked.clear()


@pytest.mark.parametrize(("number", "raises"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, TerminatedError)])
def test_a_swallowed_signal_is_raised_again(number: int, raises: type[BaseException]) -> None:
    heed_signals()
    check_stop()
    with contextlib.suppress(BaseException):
        signal.raise_signal(number)
    with pytest.raises(raises):
        check_stop()
    heed_signals()
    check_stop()


def test_what_a_shell_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heed_signals()
    signal.raise_signal(signal.SIGINT)
    check_stop()
