"""SPDX licence expressions: reading, and whether one lets a text be used.

`A OR B` is a choice, so one of them suffices; `A AND B` binds to both; an exception (`WITH`) only adds freedom. Names
that package managers write in place of ids ("Apache License 2.0", "MIT/Apache-2.0") are taken as they are meant.
Source: SPDX 2.3, annex D.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_TOKEN: Final = re.compile(r"[()]|[^\s()]+")
_NAMES: Final = {
    "mit license": "MIT", "the mit license": "MIT", "mit licence": "MIT", "expat": "MIT",
    "the mit license (mit)": "MIT",
    "apache": "Apache-2.0", "apache 2": "Apache-2.0", "apache 2.0": "Apache-2.0", "apache2": "Apache-2.0",
    "apache-2": "Apache-2.0", "apache license 2.0": "Apache-2.0", "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0", "apache software license": "Apache-2.0", "asl 2.0": "Apache-2.0",
    "apache license": "Apache-2.0", "apache software license 2.0": "Apache-2.0",
    "bsd": "BSD-3-Clause", "bsd license": "BSD-3-Clause", "new bsd": "BSD-3-Clause", "new bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause", "bsd-3": "BSD-3-Clause", "3-clause bsd": "BSD-3-Clause", "bsd3": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause", "modified bsd": "BSD-3-Clause", "simplified bsd": "BSD-2-Clause",
    "bsd 2-clause": "BSD-2-Clause", "bsd-2": "BSD-2-Clause", "2-clause bsd": "BSD-2-Clause", "freebsd": "BSD-2-Clause",
    "isc license": "ISC", "isc license (iscl)": "ISC", "isc licence": "ISC", "the unlicense": "Unlicense",
    "the unlicense (unlicense)": "Unlicense", "public domain": "LicenseRef-Public-Domain", "cc0": "CC0-1.0",
    "boost software license 1.0 (bsl-1.0)": "BSL-1.0", "zlib/libpng license": "Zlib", "zlib license": "Zlib",
}  # fmt: skip
_IDS: Final = {
    name.lower(): name
    for name in (
        "MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "BSL-1.0", "Zlib", "Unlicense",
        "CC0-1.0", "PostgreSQL", "X11", "GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0", "AGPL-3.0", "MPL-2.0", "EPL-2.0",
    )
}  # fmt: skip


def normal_expression(text: str) -> str:
    """Return an expression with the ids as SPDX spells them; what is no id stays as it is. '' for none."""
    text = " ".join(text.strip().rstrip("*/->;, ").split())[:200]
    named = _NAMES.get(text.lower())
    if named or not text:
        return named or ""
    words = []
    for token in _TOKEN.findall(text.replace(" / ", "/")):
        if "/" in token and "://" not in token:  # MIT/Apache-2.0, as Cargo had it
            words.append(f"({' OR '.join(_id(part) for part in token.split('/') if part)})")
        else:
            words.append(token.upper() if token.upper() in ("AND", "OR", "WITH") else _id(token))
    return " ".join(words).replace("( ", "(").replace(" )", ")")


def _id(token: str) -> str:
    return _NAMES.get(token.lower()) or _IDS.get(token.lower(), token)


def is_permitted(expression: str, permitted: Collection[str]) -> bool:
    """Return whether an expression lets a text be used when the licences `permitted` do. False when it is malformed."""
    tokens = _TOKEN.findall(expression)
    if not tokens:
        return False
    try:
        value, rest = _either(tokens, permitted, 0)
    except IndexError:
        return False
    return value and rest == len(tokens)


_DEPTH: Final = 50


def _either(tokens: list[str], permitted: Collection[str], at: int, depth: int = 0) -> tuple[bool, int]:
    value, at = _both(tokens, permitted, at, depth)
    while at < len(tokens) and tokens[at] == "OR":
        other, at = _both(tokens, permitted, at + 1, depth)
        value = value or other
    return value, at


def _both(tokens: list[str], permitted: Collection[str], at: int, depth: int) -> tuple[bool, int]:
    value, at = _one(tokens, permitted, at, depth)
    while at < len(tokens) and tokens[at] == "AND":
        other, at = _one(tokens, permitted, at + 1, depth)
        value = value and other
    return value, at


def _one(tokens: list[str], permitted: Collection[str], at: int, depth: int) -> tuple[bool, int]:
    if tokens[at] == "(":
        if depth > _DEPTH:
            raise IndexError
        value, at = _either(tokens, permitted, at + 1, depth + 1)
        if tokens[at] != ")":
            raise IndexError
        return value, at + 1
    value = tokens[at] in permitted
    if at + 2 < len(tokens) and tokens[at + 1] == "WITH":
        return value, at + 3
    return value, at + 1
