"""What a page says of its language and its contents; its title and its day are modules of their own.

Language: the `lang` of the root element, else the `content-language` of its head; the first of several, spelled as
BCP 47 does; what is no such tag is none. The server's own Content-Language is not asked, nor `og:locale`, which systems
set without being asked. Description: `description`, else `og:description`, else `twitter:description`.
"""

from __future__ import annotations

import re

from transforms.extraction.declared.titles import cut, one_line
from transforms.extraction.parsing.outline import Outline

MAX_DESCRIPTION = 1000  # characters (our value)
_DESCRIPTIONS = ("description", "og:description", "twitter:description", "dc.description")
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?(?:-[a-z\d]{1,8})*", re.IGNORECASE)
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis"})  # undetermined, several, none, uncoded


def declared_language(outline: Outline) -> str:
    """Return the language that a page declares as a tag, "en-GB"; '' when it declares none."""
    for raw in (outline.language, outline.metas.get("content-language", "")):
        found = _LANGUAGE.fullmatch(re.split("[,;]", raw[:100], maxsplit=1)[0].strip().replace("_", "-"))
        if found and found[1].lower() not in _NO_LANGUAGE:
            parts = (found[1].lower(), (found[2] or "").title(), (found[3] or "").upper())
            return "-".join(filter(None, parts))
    return ""


def description_of(outline: Outline) -> str:
    """Return how a page describes itself, on one line; '' when it does not."""
    for name in _DESCRIPTIONS:
        if (raw := outline.metas.get(name)) and (text := one_line(raw, 4 * MAX_DESCRIPTION)):
            return cut(text, MAX_DESCRIPTION)
    return ""
