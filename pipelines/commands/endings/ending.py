"""How a command ends: the exit code and the line of every error, and who is notified."""

from __future__ import annotations

import shlex
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType

import typer

from pipelines.reports.metrics import check_metrics, write_metrics
from pipelines.reports.notify import check_notify, notify
from pipelines.reports.outcome import DONE, EMPTY, ERROR, GO_ON, HELD, STOPPED, TERMINATED, USAGE, Outcome
from schemas.errors import ConfigError, EmptyRunError, LockHeldError, WinnowError

BROKEN_PIPE = 141  # nobody reads what is printed; as a shell gives it


class TerminatedError(BaseException):
    """SIGTERM; no library's `except Exception` takes it for an error of its own."""


def exit_of(error: BaseException) -> tuple[int, str] | None:
    """Return the exit code of an error and the line that tells of it; None for one that nobody foresaw."""
    if isinstance(error, WinnowError):
        codes = ((LockHeldError, HELD), (EmptyRunError, EMPTY), (ConfigError, USAGE))
        return next((code for kind, code in codes if isinstance(error, kind)), ERROR), str(error)
    if isinstance(error, (typer.Abort, KeyboardInterrupt)):
        return STOPPED, GO_ON
    if isinstance(error, TerminatedError):
        return TERMINATED, GO_ON
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE, ""
    if isinstance(error, OSError):
        return ERROR, f"{error.filename or 'a file'}: {error.strerror or error}"
    if isinstance(error, typer.TyperException):
        return error.exit_code, error.format_message()
    return None


def _check_startable(hook: str) -> None:
    """Raise ConfigError for a hook that is neither an address nor a program: hours later nobody would be notified."""
    protocol, separator, _ = hook.partition("://")
    if separator and protocol.isalpha():
        if protocol not in ("http", "https"):
            raise ConfigError(f"--notify {protocol}://...: expected a command, or an https:// address")
        return
    words = shlex.split(hook)
    if words and shutil.which(words[0]) is None:
        raise ConfigError(f"--notify {words[0]}: there is no such program")


@dataclass
class Ending:
    """Reports any end of a command to a metrics file and a hook; a context manager around the command."""

    command: str
    output: str
    metrics: str | None = None  # path of the metrics file
    hook: str | None = None  # command, or address of a web hook
    message: str = ""  # what was done
    new_inputs: int = 0
    run: str = ""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.monotonic)

    def __enter__(self) -> Ending:
        return self

    def check(self) -> None:
        """Raise ConfigError when the file or the hook cannot be used."""
        if self.metrics is not None:
            check_metrics(self.metrics)
        if self.hook is not None:
            check_notify(self.hook)
            _check_startable(self.hook)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        code, message = DONE, self.message
        if error is not None:
            code, message = exit_of(error) or (ERROR, f"internal error: {type(error).__name__}: {error}")
        wall_s = time.monotonic() - self.started
        line = " ".join(message.split())
        outcome = Outcome(self.command, self.output, self.started_at, wall_s, code, line, self.new_inputs, self.run)
        if self.metrics is not None:
            write_metrics(self.metrics, self.output, outcome)
        if self.hook is not None:
            notify(self.hook, outcome)
