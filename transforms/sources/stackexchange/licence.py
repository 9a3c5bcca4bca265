"""Under which licence a post may be used: Creative Commons Attribution-ShareAlike, its version by date.

Newer dumps say it (`ContentLicense`). Else: what was posted or last edited before 2011-04-08 is CC BY-SA 2.5, before
2018-05-02 3.0, after that 4.0 (stackoverflow.com/help/licensing, in UTC).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from transforms.sources.dates import parse_date
from transforms.sources.stackexchange.post import Post

_SINCE: Final = (
    (datetime(2018, 5, 2, tzinfo=UTC), "CC BY-SA 4.0"),
    (datetime(2011, 4, 8, tzinfo=UTC), "CC BY-SA 3.0"),
)
_OLDEST: Final = "CC BY-SA 2.5"


def licence_of(post: Post) -> str:
    """Return the licence of a post; '' when neither it nor a date tells."""
    declared = post["ContentLicense"].strip()
    if declared:
        return declared[:40]
    moment = parse_date(post["LastEditDate"] or post["CreationDate"])
    if moment is None:
        return ""
    return next((name for since, name in _SINCE if moment >= since), _OLDEST)
