"""Nodes of formulas as MathML sees them: of MathML with or without prefix, and of what MathJax 3 and 4 drew."""

from __future__ import annotations

import re
from typing import Final

from selectolax.lexbor import LexborNode

from transforms.extraction.parsing.names import names
from transforms.extraction.parsing.shown import UNSEEN, shown_text

MAX_DEPTH: Final = 60  # nested elements; formulas of people stay below 30
_NAMES: Final = names(
    "math mrow mi mn mo mtext ms mspace mfrac msqrt mroot mstyle merror mpadded mphantom mfenced menclose msub msup"
    " msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mlabeledtr mtd maction semantics"
)
_DRAWING: Final = frozenset(
    {"mjx-surd", "mjx-assistive-mml", "mjx-line", "mjx-dbox", "mjx-nstrut", "mjx-dstrut", "mjx-strut"}
)


def name_of(node: LexborNode) -> str:
    """Return the MathML name of an element: without prefix, and of MathJax's drawing the node it draws."""
    tag = node.tag or ""
    if tag in _NAMES:
        return tag
    if tag.startswith("mjx-"):
        return tag[4:] if tag[4:] in _NAMES else "wrapper"
    if ":" in tag:
        return tag.rpartition(":")[2]
    if tag in ("g", "svg"):
        return node.attributes.get("data-mml-node") or "wrapper"
    return tag


def children_of(node: LexborNode, depth: int = 0) -> list[LexborNode]:
    """Return the elements below a node, those of mere wrappers in the wrapper's place."""
    found: list[LexborNode] = []
    for child in node.iter():
        tag = child.tag or ""
        if tag in _DRAWING or tag in UNSEEN or not child.is_element_node:
            continue
        if depth < MAX_DEPTH and name_of(child) == "wrapper" and tag not in ("mjx-c", "mjx-utext"):
            found += children_of(child, depth + 1)
        else:
            found.append(child)
    return found


_GLYPH: Final = re.compile(r"mjx-c([0-9A-F]{2,6})(?![0-9A-F])")


def text_of(node: LexborNode) -> str:
    """Return the characters of a token, of a drawing by the code points in its class names."""
    text = shown_text(node)
    if not text and (node.tag or "").startswith("mjx-"):
        glyphs = (_GLYPH.search(glyph.attributes.get("class") or "") for glyph in node.css("mjx-c"))
        text = "".join(chr(min(int(glyph[1], 16), 0x10FFFF)) for glyph in glyphs if glyph)
    elif not text and node.tag == "g":
        codes = (glyph.attributes.get("data-c") or "" for glyph in node.css("[data-c]"))
        text = "".join(chr(int(code, 16)) for code in codes if re.fullmatch("[0-9A-Fa-f]{2,5}", code))
    return " ".join(text.split()) if text.strip(" \n\t\r") else text[:1]
