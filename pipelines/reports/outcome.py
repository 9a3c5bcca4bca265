"""How a command ended: what a metrics file and a notification tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

GO_ON = "stopped; run the same command again to go on"
DONE, ERROR, USAGE, HELD, EMPTY, STOPPED, TERMINATED = 0, 1, 2, 3, 4, 130, 143
_WORDS = {DONE: "done", USAGE: "usage", HELD: "held", EMPTY: "empty", STOPPED: "stopped", TERMINATED: "stopped"}
KINDS = ("done", "empty", "error", "held", "nothing_new", "stopped", "usage")  # every value of Outcome.kind


@dataclass(frozen=True)
class Outcome:
    """The end of one command, whatever it was."""

    command: str  # its name: run
    output: str  # the dataset's folder
    started_at: datetime  # with its time zone
    wall_s: float
    exit_code: int
    message: str  # one line for a person: the error, or what was done
    new_inputs: int  # inputs that were in no committed run before this one; 0 when there was nothing to do
    run: str  # name of the run in the dataset; '' when none was made

    @property
    def kind(self) -> str:
        """One word for a monitor, of KINDS; an exit code that is not in the table is an error."""
        if self.exit_code == DONE and not self.new_inputs:
            return "nothing_new"
        return _WORDS.get(self.exit_code, "error")
