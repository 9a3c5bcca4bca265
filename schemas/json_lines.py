"""Read tables of JSON lines that a person or another program has made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from schemas.errors import ConfigError


def objects(lines: Iterable[str], where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (number, object) of each line, from 1; empty lines are passed over.

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
