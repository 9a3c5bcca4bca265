"""Read tables of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError, InputError


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Return the `objects` of a file. InputError when it cannot be read or is not UTF-8."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read: not UTF-8: {error}") from None
    return objects(text.split("\n"), str(path))  # not `splitlines`: a string may hold other line ends


def objects(lines: Iterable[str], where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (number, object) of each line, from 1; empty lines are skipped.

    ConfigError naming `where` (the file), the line, and what is wrong with it.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{where}: line {number} is not JSON: {error}") from None
        if not isinstance(found, dict):
            raise ConfigError(f"{where}: line {number} is not a JSON object but {type(found).__name__}")
        yield number, found
