"""Numbers of sections, figures, tables and equations as LaTeX's standard classes count them: what \\ref shows.

Counted are the unstarred ones; sections behind \\appendix have letters. In a text with chapters, and where
\\numberwithin says so, equations, figures and tables begin anew and have the number before theirs. What is labelled in
a theorem, a list or subequations has another counter and no number here. Classes that number in another way (Roman
sections) show the same order by other signs.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from transforms.sources.arxiv.latex import environments as env

_TOKEN: Final = re.compile(
    r"\\(?:(?P<heading>chapter|section|subsection|subsubsection)(?P<star>\*?)(?![A-Za-z])"
    r"|label\s*\{(?P<label>[^{}]{1,200})\}|(?P<caption>caption|tablecaption|figcaption)(?![A-Za-z*])"
    r"|(?P<appendix>append(?:ix|ices))(?![A-Za-z])|(?P<side>begin|end)\s*\{(?P<name>[A-Za-z]+\*?)\}"
    r"|(?P<silent>nonumber|notag)(?![A-Za-z])|(?P<row>\\))"
)
_WITHIN: Final = re.compile(r"\\(?:numberwithin|counterwithin)\s*\{(equation|figure|table)\}\s*\{(section|chapter)\}")
_LEVELS: Final = ("chapter", "section", "subsection", "subsubsection")
_NAMES: Final = {
    **dict.fromkeys(_LEVELS, "Section"),
    "chapter": "Chapter",
    "figure": "Figure",
    "table": "Table",
    "equation": "Equation",
}
_FIGURES: Final = frozenset(("figure", "wrapfigure", "SCfigure", "floatingfigure", "sidewaysfigure", "teaserfigure"))
_TABLES: Final = frozenset(
    ("table", "wraptable", "sidewaystable", "longtable", "deluxetable", "SCtable", "longrotatetable")
)
_ROWS: Final = frozenset(("align", "eqnarray", "gather", "flalign", "alignat", "IEEEeqnarray"))
_SINGLE: Final = frozenset(("equation", "multline", "dmath"))
_OTHER: Final = frozenset(
    ("enumerate", "subequations", "algorithm", "listing", "lstlisting", "footnote", "scheme", "description")
)


class _Counter:
    def __init__(self, text: str, theorems: Collection[str]) -> None:
        self._counts: dict[str, int] = dict.fromkeys((*_LEVELS, "figure", "table", "equation"), 0)
        self._within = {found[1]: found[2] for found in _WITHIN.finditer(text)}
        self._top = 0 if re.search(r"\\chapter(?![A-Za-z])", text) else 1
        if not self._top:
            self._within = {"equation": "chapter", "figure": "chapter", "table": "chapter", **self._within}
        self._theorems = theorems
        self._in_appendix = False
        self._open: list[str] = []
        self._last: tuple[str, str] | None = None  # kind and number of the section, or of the caption in a float
        self._section: tuple[str, str] | None = None
        self._silent = False
        self._labels: list[str] = []  # of the row of equations that is open
        self.found: dict[str, tuple[str, str]] = {}

    def count(self, text: str) -> None:
        for token in _TOKEN.finditer(text):
            if token["label"]:
                self._label(token["label"].strip())
            elif token["heading"] and not token["star"]:
                self._heading(token["heading"])
            elif token["side"] == "begin":
                self._begin(token["name"])
            elif token["side"] == "end":
                self._end(token["name"].rstrip("*"))
            elif token["caption"]:
                self._caption()
            elif token["appendix"]:
                self._in_appendix = True
                self._counts[_LEVELS[self._top]] = 0
            elif token["silent"]:
                self._silent = True
            elif token["row"] and self._open and self._open[-1] in _ROWS:
                self._row()

    def _number(self, name: str) -> str:
        """Count one more of something and return its number."""
        self._counts[name] += 1
        outer = self._within.get(name)
        before = self._levels(outer) if outer else ""
        return f"{before}.{self._counts[name]}" if before else str(self._counts[name])

    def _levels(self, last: str) -> str:
        numbers = [self._counts[level] for level in _LEVELS[self._top : _LEVELS.index(last) + 1]]
        first = (
            chr(64 + numbers[0]) if self._in_appendix and 0 < numbers[0] < 27 else str(numbers[0]) if numbers else ""
        )
        return ".".join([first, *map(str, numbers[1:])])

    def _heading(self, name: str) -> None:
        level = _LEVELS.index(name)
        if level < self._top:
            return
        self._counts[name] += 1
        for deeper in _LEVELS[level + 1 :]:
            self._counts[deeper] = 0
        for inner, outer in self._within.items():
            if outer == name:
                self._counts[inner] = 0
        self._section = self._last = (name, self._levels(name))

    def _begin(self, name: str) -> None:
        plain = name.rstrip("*")
        if name == plain or plain not in (*_ROWS, *_SINGLE):
            self._open.append(plain)
        if name in _SINGLE:
            self._last = ("equation", self._number("equation"))
        elif plain in _FIGURES or plain in _TABLES:
            self._last = None

    def _end(self, plain: str) -> None:
        if plain in self._open:
            while self._open.pop() != plain:
                pass
            if plain in _ROWS:
                self._row()
        if plain in _SINGLE or plain in _ROWS or plain in _FIGURES or plain in _TABLES:
            self._last = self._section

    def _row(self) -> None:
        if not self._silent:
            number = self._number("equation")
            for label in self._labels:
                self.found.setdefault(label, ("equation", number))
        self._silent, self._labels = False, []

    def _caption(self) -> None:
        inside = next((name for name in reversed(self._open) if name in _FIGURES or name in _TABLES), None)
        if inside is not None:
            kind = "figure" if inside in _FIGURES else "table"
            self._last = (kind, self._number(kind))

    def _label(self, label: str) -> None:
        if self._open and self._open[-1] in _ROWS:
            self._labels.append(label)
            return
        others = any(name in _OTHER or name in self._theorems or name in env.THEOREMS for name in self._open)
        if self._last is not None and not others:
            self.found.setdefault(label, self._last)


def numbers_of(text: str, theorems: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return what each label of a text is of, Section, Figure, Table, Equation or Chapter, and its number."""
    counter = _Counter(text, theorems)
    counter.count(text)
    return {label: (_NAMES[kind], number) for label, (kind, number) in counter.found.items()}
