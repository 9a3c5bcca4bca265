"""The journal of answers: an append-only file of JSON lines, on the disk before a question counts as answered.

The first line names the job. A process that is killed leaves at most one line cut short, which the next one removes; of
the answers that are whole no question is asked again. An answer that was still on its way is.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from classifiers.teacher.judges.judge import Answer
from schemas.errors import RunError
from storage.files import sync_to_disk

_FIELDS = frozenset(field.name for field in dataclasses.fields(Answer))


class Journal:
    """The answers of one job, by id. A context manager: the file is open within it."""

    def __init__(self, path: Path, key: str) -> None:
        """`key` says what the answers depend on. RunError when the file holds answers of another job."""
        self.path, self.key = path, key
        self.answers: dict[str, Answer] = {}

    def __enter__(self) -> Journal:
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        try:
            end = self._read()
            self._file.truncate(end)
            if not end:
                self._write([json.dumps({"journal": 1, "key": self.key})])
            if is_new:
                sync_to_disk(self.path.parent)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, answers: Iterable[Answer]) -> None:
        """Put answers on record; when this returns they are on the disk."""
        new = list(answers)
        self._write([json.dumps(dataclasses.asdict(answer), ensure_ascii=False) for answer in new])
        self.answers.update((answer.id, answer) for answer in new)

    def _write(self, lines: list[str]) -> None:
        self._file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> int:
        """Read the whole lines; return the byte after the last of them, 0 when there is nothing to keep."""
        self._file.seek(0)
        lines = self._file.read().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            lines.pop()  # cut short by a kill
        plain = [self._parse(number, line) for number, line in enumerate(lines, 1)]
        if not plain or not self._is_ours(plain[0], len(plain) > 1):
            return 0
        answers = (Answer(**{name: one[name] for name in one.keys() & _FIELDS}) for one in plain[1:])
        self.answers = {answer.id: answer for answer in answers}
        return sum(map(len, lines))

    def _parse(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            plain = json.loads(line)
        except ValueError:
            plain = None
        if isinstance(plain, dict):
            return plain
        raise RunError(f"{self.path}: line {number} is damaged; remove the folder and label again")

    def _is_ours(self, head: dict[str, Any], has_answers: bool) -> bool:
        """Return whether the file is of our job; False for one of another job to which nothing was answered."""
        if head.get("journal") != 1:
            raise RunError(f"{self.path}: is no journal of answers; give a new folder")
        if head.get("key") != self.key and has_answers:
            raise RunError(f"{self.path}: holds answers to another sample, prompt, model or setting; give a new folder")
        return bool(head.get("key") == self.key)
