"""What the name of a submission says: 2001.00001v2.gz, 9901/hep-th9901001.gz, math.GT_0309136.tar.gz."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_NEW: Final = re.compile(r"(\d{2})(\d{2})\.(\d{4,5})(?:v(\d{1,3}))?(?!\d)")
_OLD: Final = re.compile(r"([a-z]+(?:-[a-z]+)?)(?:\.[A-Z]{2})?[-_/]?(\d{2})(\d{2})(\d{3})(?:v(\d{1,3}))?(?!\d)")
_FIRST_OLD_YEAR: Final = 91  # arXiv began in 1991


@dataclass(frozen=True, slots=True)
class Identity:
    """An arXiv id: '' and 0 where a name has none."""

    id: str = ""
    version: int = 0
    category: str = ""  # of an old id; a new one does not say
    year: int = 0
    month: int = 0

    @property
    def url(self) -> str:
        return f"https://arxiv.org/abs/{self.id}" if self.id else ""

    @property
    def submitted(self) -> datetime | None:
        """The month in which it was first submitted."""
        return datetime(self.year, self.month, 1, tzinfo=UTC) if self.id else None


def identity_of(name: str) -> Identity:
    """Return the arXiv id in the name of a file or folder."""
    base = posixpath.basename(name.rstrip("/"))
    new = _NEW.match(base)
    if new and 1 <= int(new[2]) <= 12:
        return Identity(f"{new[1]}{new[2]}.{new[3]}", int(new[4] or 0), "", 2000 + int(new[1]), int(new[2]))
    old = _OLD.match(base)
    if old and 1 <= int(old[3]) <= 12:
        year = int(old[2])
        year += 1900 if year >= _FIRST_OLD_YEAR else 2000
        return Identity(f"{old[1]}/{old[2]}{old[3]}{old[4]}", int(old[5] or 0), old[1], year, int(old[3]))
    return Identity()
