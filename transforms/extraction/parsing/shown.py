"""The text of an element without what no reader sees: scripts, styles, templates, comments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborNode

UNSEEN: Final = frozenset({"script", "style", "template"})


def shown_text(node: LexborNode, separator: str = "") -> str:
    """Return the text below a node, in document order, with `separator` between its pieces."""
    child = node.first_child
    if child is None:
        return ""
    if child.next is None and child.tag == "-text":  # most that is asked for
        return child.text_content or ""
    return separator.join(_pieces(node))


def _pieces(node: LexborNode) -> Iterator[str]:
    open_nodes = [node.iter(include_text=True)]
    while open_nodes:
        child = next(open_nodes[-1], None)
        if child is None:
            open_nodes.pop()
        elif child.tag == "-text":
            yield child.text_content or ""
        elif child.tag and child.tag not in UNSEEN:  # a processing instruction has no tag
            open_nodes.append(child.iter(include_text=True))


_DEEP: Final = 100  # elements, each the first child of the one before; markup of formulas and listings stays below 60


def nests_deep(node: LexborNode) -> bool:
    """Return whether elements nest as only hostile pages do: what looks into a whole subtree must not start at each."""
    inner: LexborNode | None = node
    for _ in range(_DEEP):
        inner = inner.first_child if inner is not None else None
        while inner is not None and not inner.is_element_node:
            inner = inner.next
        if inner is None:
            return False
    return True
