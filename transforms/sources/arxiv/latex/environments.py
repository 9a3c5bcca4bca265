"""Environments by name: formulas, floats, tables, what gives its text a kind, what goes whole."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

from schemas.blocks import CODE, LIST_ITEM, QUOTATION
from transforms.sources.arxiv.latex.arguments import optional, required

ABSTRACT: Final = -7  # kind of an abstract's paragraphs until it is decided whether they stay
MATH: Final = frozenset(
    ("math", "displaymath", "equation", "eqnarray", "align", "alignat", "flalign", "xalignat", "gather", "multline",
     "dmath", "IEEEeqnarray", "array", "dgroup", "darray", "mathletters", "equationarray")
)  # fmt: skip
FLOATS: Final = frozenset(
    ("figure", "wrapfigure", "SCfigure", "subfigure", "floatingfigure", "sidewaysfigure", "marginfigure",
     "teaserfigure", "picture", "tikzpicture", "tikzcd", "pspicture", "overpic", "pgfpicture", "forest", "fmffile",
     "fmfgraph", "feynman", "scheme", "algorithm", "algorithm2e", "algorithmic", "algorithmicx", "xy", "diagram",
     "CD", "psmatrix", "figwindow", "rotatefigure", "plate", "video", "chart", "graph")
)  # fmt: skip
TABLES: Final = frozenset(
    ("table", "wraptable", "tabular", "tabularx", "tabulary", "tabu", "longtable", "longtabu", "supertabular",
     "xtabular", "deluxetable", "deluxetable*", "sidewaystable", "longrotatetable", "rotatetable", "tabbing",
     "SCtable", "threeparttable", "ruledtabular", "tblr", "longtblr", "planotable", "specialtable")
)  # fmt: skip
BIBLIOGRAPHIES: Final = frozenset(
    ("thebibliography", "references", "REFERENCES", "chapthebibliography", "bibliography")
)
DROPPED: Final = frozenset(
    (*BIBLIOGRAPHIES, "keywords", "keyword", "IEEEkeywords", "CCSXML", "titlepage", "acronym", "comment",
     "tablenotes", "opening", "AMS", "MSCcodes", "PACS", "highlights", "graphicalabstract")
)  # fmt: skip
KINDS: Final = {
    **dict.fromkeys(
        ("itemize", "enumerate", "description", "compactitem", "compactenum", "inparaenum", "list", "trivlist",
         "asparaenum",
         "asparaitem", "easylist", "dinglist", "tasks"),
        LIST_ITEM,
    ),
    **dict.fromkeys(("quote", "quotation", "verse", "displayquote", "blockquote"), QUOTATION),
    **dict.fromkeys(("alltt",), CODE),
}  # fmt: skip
THEOREMS: Final = {
    "theorem": "Theorem", "lemma": "Lemma", "proposition": "Proposition", "corollary": "Corollary",
    "definition": "Definition", "remark": "Remark", "example": "Example", "conjecture": "Conjecture",
    "claim": "Claim", "proof": "Proof", "thm": "Theorem", "lem": "Lemma", "prop": "Proposition", "cor": "Corollary",
    "defn": "Definition", "rem": "Remark", "pf": "Proof", "assumption": "Assumption", "problem": "Problem",
    "question": "Question", "observation": "Observation", "fact": "Fact", "note": "Note", "exercise": "Exercise",
    "solution": "Solution",
}  # fmt: skip
ARGUMENTS: Final = {
    "list": 2, "minipage": 1, "multicols": 1, "adjustbox": 1, "adjustwidth": 2, "CJK": 2, "spacing": 1, "textblock": 1,
    "otherlanguage": 1,
}  # fmt: skip
INLINE: Final = frozenset(
    ("small", "footnotesize", "scriptsize", "large", "bf", "it", "em", "tt", "sf", "rm", "sloppypar", "spacing", "CJK",
     "otherlanguage", "subequations", "document", "landscape")
)  # fmt: skip


_SIDES: Final = re.compile(r"\\(begin|end)\s*\{\s*([^{}\n]{1,60}?)\s*\}")


def end_of(text: str, at: int, name: str) -> tuple[int, int] | None:
    """Return first and exclusive last character of the \\end of an environment whose content begins at `at`, those of
    the same name within it passed over; None where it is not closed."""
    return _ends(text).get((name, at))


@functools.lru_cache(maxsize=64)  # texts that lie in one another while a paper is read
def _ends(text: str) -> dict[tuple[str, int], tuple[int, int]]:
    """Return the \\end of each environment of a text by its name and where its content begins: one pass."""
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    opened: dict[str, list[int]] = {}
    for found in _SIDES.finditer(text):
        if found[1] == "begin":
            opened.setdefault(found[2], []).append(found.end())
        elif opened.get(found[2]):
            ends[found[2], opened[found[2]].pop()] = found.span()
    return ends


_CAPTIONS: Final = re.compile(r"\\(?:caption|tablecaption|figcaption)\*?(?![A-Za-z])")
_ROW_END: Final = re.compile(r"\\\\(?:\*|\[[^\]]*\])?|\\tabularnewline(?![A-Za-z])")
_CELL_END: Final = re.compile(r"(?<!\\)&")
_TABULAR: Final = re.compile(
    r"\\begin\s*\{(tabular[xy]?\*?|longtable|supertabular|xtabular|tabu|tblr|array)\}\s*(?:\[[^\]]*\])?"
)
_HEAD: Final = re.compile(r"\\tablehead\s*(?=\{)")
_DATA: Final = re.compile(r"\\startdata(?![A-Za-z])(.*?)(?:\\enddata(?![A-Za-z])|\Z)", re.DOTALL)
_CAPTION: Final = re.compile(r"\\(?:caption|label|tablecaption)\*?(?:\[[^\]]*\])?(?=\{)")


def captions(content: str) -> Iterator[str]:
    """Yield the captions in the content of a float, as they are written."""
    for found in _CAPTIONS.finditer(content):
        short = optional(content, found.end())
        given = required(content, short[1] if short else found.end())
        if given:
            yield given[0]


def rows(content: str, name: str) -> Iterator[list[str]]:
    """Yield the rows of the tables in the content of a float, or of a table that is none: their cells, as written."""
    for body in tabulars(content, name):
        for row in _ROW_END.split(body):
            yield _CELL_END.split(row)


def tabulars(content: str, name: str) -> Iterator[str]:
    """Yield the bodies of the tables in the content of a float, or of a table that is none, as they are written."""
    if name.startswith(("deluxetable", "planotable")):
        head = _HEAD.search(content)
        given = required(content, head.end()) if head else None
        if given:
            yield given[0]
        data = _DATA.search(content)
        if data:
            yield data[1]
        return
    if name in ("tabular", "tabularx", "tabulary", "tabu", "longtable", "supertabular", "xtabular", "tblr"):
        yield _body(content, name)
        return
    for found in _TABULAR.finditer(content):
        end = end_of(content, found.end(), found[1])
        if end is not None:
            yield _body(content[found.end() : end[0]], found[1])


def _body(content: str, name: str) -> str:
    at = 0
    for _ in range(2 if name.rstrip("*") in ("tabularx", "tabulary") or name.endswith("*") else 1):
        found = required(content, at)
        at = found[1] if found and content[found[1] - 1] == "}" else at
    body = content[at:]
    while (caption := _CAPTION.search(body)) is not None:
        argument = required(body, caption.end())
        body = body[: caption.start()] + (body[argument[1] :] if argument else "")
        if argument is None:
            break
    return body
