"""Control tokens of a tokenizer.json that the file does not call special.

Chat files often list `<|user|>`, `[INST]` or `<think>` among the added tokens and leave out that they are special. A
page that spells one would then yield its id, as if a program had put it there.
"""

from __future__ import annotations

import re
from typing import Any

_CONTROL = re.compile(r"<[|\uff5c].*[|\uff5c]>|\[/?[A-Z][A-Z0-9_ ]*\]|</?(?P<name>[^<>\s/]+)>", re.DOTALL)
# Added tokens of this form are for text (Gemma), unless the file calls them special.
_HTML_NAME = re.compile(
    r"a|b|body|blockquote|br|caption|code|div|em|h[1-6r]|head|html|i|img|li|ol|p|pre|span|strong|su[bp]|table|t[rdh]"
    r"|tbody|tfoot|thead|u|ul",
    re.IGNORECASE,
)


def mark_control_tokens(added: list[dict[str, Any]]) -> None:
    """Mark the added tokens special, in place, that look like control tokens; blanks and tags of HTML are for text."""
    for token in added:
        form = _CONTROL.fullmatch(token["content"])
        if form is not None and not _HTML_NAME.fullmatch(form["name"] or ""):
            token["special"] = True
