"""Links in double brackets: [[target|label]]."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from transforms.sources.wikipedia.names import CATEGORY, FILE, INTERWIKIS, WIKIPEDIAS
from transforms.sources.wikipedia.wikitext.marks import GONE, Context

_PARENTHESES: Final = re.compile(r"\s*(?:\([^()]*\)|（[^（）]*）)\s*$")


def is_image(target: str, context: Context) -> bool:
    """Return whether a link's target is an image or another file that the page shows."""
    return context.site.namespace(target.lstrip()) == FILE


def render_link(parts: Sequence[str], context: Context) -> str:
    """Return what a reader sees of a link: its label; nothing of images, categories and links to other languages."""
    target = parts[0].strip()
    shown = not target.startswith(":")
    target = target.lstrip(":").strip() if not shown else target
    prefix = target.partition(":")[0].strip().lower() if ":" in target else ""
    if prefix:
        namespace = context.site.namespace(target)
        if shown and namespace in (FILE, CATEGORY):
            context.counts["categories" if namespace == CATEGORY else "images_removed"] += 1
            return GONE
        if shown and not namespace and prefix in WIKIPEDIAS:
            return GONE
    context.counts["links"] += 1
    if len(parts) > 1:
        label = "|".join(parts[1:])
        return label if label.strip() else _pipe_trick(target)
    if prefix in INTERWIKIS or prefix in WIKIPEDIAS:
        target = target.partition(":")[2].lstrip(":").strip()
    return target.removeprefix("#")


def _pipe_trick(target: str) -> str:
    """Return the label that `[[target|]]` implies: no namespace, no explanation in parentheses or after a comma."""
    name = target.partition(":")[2].strip() if ":" in target else target
    short = _PARENTHESES.sub("", name)
    return short if short != name else name.partition(", ")[0]
