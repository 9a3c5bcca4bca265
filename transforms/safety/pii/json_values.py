"""Personal data in the column `metadata`: the strings of a JSON object, each by itself, with its name as its context.

`{"card_number": "4539..."}` is read as `card number: 4539...`, as a person would. Names are searched, too, and whole
numbers, which become strings where they are replaced. A string that is an address is taken for one (addresses.py).
All else keeps its very characters: numbers stay as they were written, escapes in other strings, too.
"""

from __future__ import annotations

import json
import re
from collections import Counter

from transforms.safety.pii.addresses import redact_address
from transforms.safety.pii.numbers.candidates import plain_signs
from transforms.safety.pii.redact import PiiConfig, find_spans, new_text
from transforms.text.replacements import replace

_LITERAL = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[0-9.eE+\-]+', re.DOTALL)  # true, false and null have no such run
_WHOLE = re.compile(r"[0-9]{6,}")
_COLON = re.compile(r"\s*:")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://\S+")
# Every find has one of these: most short values have none and are done with.
_WORTH_A_LOOK = re.compile(
    r"[@\uff20]|%40|:[0-9A-Fa-f]{0,4}:|(?<![0-9A-Za-z_\-])(?=[0-9A-Za-z_\-]{16})[a-z_\-]*[0-9A-Z]"
    r"|[0-9][0-9 \-./()]{4,}[0-9]"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME_PARTS = re.compile(r"[_\-]+|(?<=[a-z])(?=[A-Z])")


def redact_json(raw: str, config: PiiConfig, language: str = "") -> tuple[str, Counter[str]]:
    """Return a JSON text with personal data replaced as in a text, and how many values of each group that were."""
    pieces, counts, end, name = [], Counter[str](), 0, ""
    for literal in _LITERAL.finditer(raw):
        is_string = raw[literal.start()] == '"'
        if not is_string and not _WHOLE.fullmatch(literal[0]):
            continue
        value = json.loads(literal[0], strict=False) if is_string else literal[0]
        is_name = is_string and _COLON.match(raw, literal.end()) is not None
        if is_name:
            name = value
        new, found = redact_value(value, config, language, "" if is_name else name)
        if found:
            pieces += [raw[end : literal.start()], _written(new)]
            end = literal.end()
            counts += found
    return ("".join([*pieces, raw[end:]]), counts) if pieces else (raw, counts)


def _written(value: str) -> str:
    """Return a string as JSON; lone surrogates, which no table takes, stay escaped as they were."""
    written = json.dumps(value, ensure_ascii=False)
    return written if written.isascii() else written.encode("utf-8", "backslashreplace").decode()


def redact_value(value: str, config: PiiConfig, language: str = "", name: str = "") -> tuple[str, Counter[str]]:
    """Return a value of a column with personal data replaced as in a text; its name says what its numbers are."""
    if _ADDRESS.fullmatch(value):
        return redact_address(value, config, language)
    if _DAY.fullmatch(value) or not (config.obfuscated_emails or _WORTH_A_LOOK.search(plain_signs(value))):
        return value, Counter()
    words = f"{_NAME_PARTS.sub(' ', name)}: " if name else ""
    text, before = words + value, len(words)
    pieces, counts = [], Counter[str]()
    for span in find_spans(text, config, language):
        new = new_text(text[span.start : span.end], span, config) if span.start >= before else None
        if new is not None:
            pieces.append((span.start - before, span.end - before, new))
            counts[span.group] += 1
    return (replace(value, pieces), counts) if pieces else (value, counts)
