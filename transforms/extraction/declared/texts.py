"""Text that a page declares about itself and need not show: descriptions and bodies in its linked data and its head.

Shops and single-page applications put there what their scripts show later. Each such text that the page's blocks do not
hold already becomes a block at the end, below an element named after the place, for the model to judge.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from transforms.extraction.parsing.outline import Outline

KEYS = ("articlebody", "description", "text", "reviewbody", "disambiguatingdescription")
METAS = ("og:description", "description", "twitter:description")
MIN_WORDS = 6  # of a declared text worth a block (our value)
MAX_TEXTS = 200  # a page may declare (our value)
MAX_JSON = 2_000_000  # characters of one script that are parsed (our value)
MAX_DEPTH = 12
_TAG = re.compile(r"<[^<>]{0,500}>")
_BREAK = re.compile(r"<(?:br|/p|/li|/div|/h\d)\b[^<>]{0,200}>", re.IGNORECASE)
_PROBE = 60  # characters by which a text is looked for on the page


def add_declared(outline: Outline) -> None:
    """Append the declared texts that no block holds."""
    declared = [pair for data in outline.linked_data for pair in _of_json(data)]
    declared += [("meta-description", outline.metas[name]) for name in METAS if name in outline.metas]
    if not declared:
        return
    if not outline.tags:
        outline.add_element("html", -1, "")
    shown = _squashed(outline.texts)
    for place, raw in declared[:MAX_TEXTS]:
        paragraphs = _plain(raw)
        probe = _squashed(paragraphs)
        if sum(len(text.split()) for text in paragraphs) < MIN_WORDS or probe[:_PROBE] in shown:
            continue
        shown += probe
        element = outline.add_element(place, 0, "")
        for text in paragraphs:
            outline.add_block(text, element, element, 0, "declared")
        outline.ends[element] = outline.ends[0] = len(outline.texts)


def _squashed(texts: Iterable[str]) -> str:
    """Return collapsed texts without what white space they have, in lower case."""
    return "".join(texts).replace(" ", "").replace("\n", "").lower()


def _of_json(data: str) -> Iterator[tuple[str, str]]:
    if len(data) > MAX_JSON:
        return
    try:
        root = json.loads(data, strict=False)
    except (ValueError, RecursionError):
        return
    yield from _strings(root, 0)


def _strings(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Yield (place, text) of the known keys, in document order."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _strings(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            name = key.lower()
            if isinstance(item, str):
                if name in KEYS:
                    kind = value.get("@type")
                    yield f"ld-{name}-{kind.lower() if isinstance(kind, str) else 'thing'}"[:60], item
            else:
                yield from _strings(item, depth + 1)


def _plain(raw: str) -> list[str]:
    """Return the paragraphs of a declared text, which is often HTML, once or twice escaped."""
    text = html.unescape(raw) if "&" in raw else raw
    if "<" in text:
        text = _TAG.sub(" ", _BREAK.sub("\n", text))
        text = html.unescape(text) if "&" in text else text
    return [line for part in text.split("\n") if (line := " ".join(part.split())) and re.search(r"[^\W_]", line)]
