"""The error tree. A message is one line that names what is wrong, the value found and what is allowed.

WinnowError            anything raised on purpose; the command line prints it without a stack trace
 +- ConfigError        a setting, a flag or a model file is wrong; raised before any worker starts; exit code 2
 +- InputError         an input cannot be listed or opened at all
 +- RunError           the output folder, a committed stage or the ledger is in a wrong state
 |   +- LockHeldError  another process works in the output folder
 |   +- EmptyRunError  a run came to its end and has kept nothing
 +- BadRecord          one record is broken: caught at the edge that reads it, goes to `failed` with its cause
"""

from __future__ import annotations


class WinnowError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(WinnowError):
    """A setting is wrong: says the key, the value and what is allowed."""


class InputError(WinnowError):
    """An input cannot be listed or opened."""


class ChangedInputError(InputError):
    """An input is no longer the file that was read before: what was read of it must be read again."""


class RunError(WinnowError):
    """A run, its folder or its ledger is not in the state it must be in."""


class LockHeldError(RunError):
    """Another process holds the lock of the output folder: names it; has an exit code of its own."""


class EmptyRunError(RunError):
    """A run came to its end with no document: says why; has an exit code of its own."""


class BadRecord(WinnowError):  # noqa: N818  the house's word
    """One record cannot be read or processed.

    `cause` is a short snake_case word that becomes the key in the ledger (`truncated_member`), `detail` a sentence
    for a person. Neither may hold text of the record: no personal data in logs or ledgers.
    """

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause
        self.detail = detail

    def __reduce__(self) -> tuple[type[BadRecord], tuple[str, str]]:
        return BadRecord, (self.cause, self.detail)
