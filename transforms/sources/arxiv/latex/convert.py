"""Expanded LaTeX to blocks: sections, paragraphs, lists, quotations, formulas, code. Linear in the text; total.

Formulas stay LaTeX: `$...$` in a line, `$$...$$` as a block, without labels and numbers. A command that is not known
loses its name and its options, and the text of its arguments stays; one whose arguments are no text loses them too.
Citations go; those that are part of a sentence (\\citet) become what the bibliography's labels say, if it has any.
Cross-references become the number that LaTeX counts (numbers.py), others go with the tie before them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from schemas.blocks import CODE, FORMULA, HEADING, PARAGRAPH, TABLE_ROW
from transforms.sources.arxiv.latex import environments as env
from transforms.sources.arxiv.latex import symbols as tex
from transforms.sources.arxiv.latex import units
from transforms.sources.arxiv.latex.arguments import optional, required, skip_blanks
from transforms.sources.arxiv.latex.files import PIECE
from transforms.sources.arxiv.latex.formulas import display, inline
from transforms.sources.arxiv.latex.tidy import behind_word, formula_end, length_end, one_line, tidy
from transforms.sources.arxiv.settings import ArxivReadConfig
from transforms.sources.pieces import Piece

MAX_NESTED: Final = 40  # arguments within arguments; deeper there is no text

_TOKEN: Final = re.compile(
    r"\\(?:(?P<name>[A-Za-z@]+)\*?|(?P<single>.))|(?P<dollar>\$\$?)|(?P<blank>\n[ \t]*\n\s*)|(?P<brace>[{}])"
    r"|(?P<sign>---?|``?|''|[~&])|(?P<piece>\x02[bv]\d{1,7}\x03)",
    re.DOTALL,
)
_LETTER: Final = re.compile(r"[^\W_]")


class Converter:
    """Converts one text. `labels` are what the bibliography calls its entries, key to (authors, year); `numbers` are
    what the labels of sections, figures, tables and equations show (numbers.py)."""

    def __init__(
        self,
        config: ArxivReadConfig,
        counts: Counter[str],
        stored: list[str],
        theorems: Mapping[str, str],
        labels: Mapping[str, tuple[str, str]],
        numbers: Mapping[str, tuple[str, str]],
        nested: int = 0,
    ) -> None:
        self._config, self._counts, self._stored = config, counts, stored
        self._theorems, self._labels, self._numbers, self._nested = theorems, labels, numbers, nested
        self.pieces: list[Piece] = []
        self.title = ""
        self._buffer: list[str] = []
        self._footnotes: list[str] = []
        self._kinds: list[tuple[str, int]] = []  # environments that give their text a kind
        self._text = ""
        self._closes: dict[str, int] = {}  # where a formula in \\( or \\[ can end next; the text's length: nowhere
        self._at = 0
        self.appendix: int | None = None  # number of the first block behind \appendix

    def convert(self, text: str) -> list[Piece]:
        """Return the blocks of a text."""
        self._text, self._at, self._closes = text, 0, {}
        while token := _TOKEN.search(text, self._at):
            self._add(text[self._at : token.start()])
            self._at = token.end()
            self._take(token)
        self._add(text[self._at :])
        self._flush()
        return self.pieces

    def _take(self, token: re.Match[str]) -> None:
        kind = token.lastgroup
        if kind == "name":
            self._command(token["name"])
        elif kind == "single":
            self._single(token["single"])
        elif kind == "dollar":
            self._formula(token["dollar"], token["dollar"])
        elif kind == "blank":
            self._flush()
        elif kind == "sign":
            self._add(tex.SIGNS[token[0]])
        elif kind == "piece" and (found := PIECE.match(token[0])) is not None:
            self._verbatim(found[1] == "b", self._stored[int(found[2])])

    def _add(self, text: str) -> None:
        if text:
            self._buffer.append(text)

    def _inner(self, text: str) -> str:
        """Return the text of an argument as one line."""
        if self._nested >= MAX_NESTED:
            return ""
        if not any(sign in text for sign in "\\${}~-`'&\x02\n"):
            return text
        inner = Converter(
            self._config, self._counts, self._stored, self._theorems, self._labels, self._numbers, self._nested + 1
        )
        pieces = inner.convert(text)
        self._footnotes += inner._footnotes
        return " ".join(piece.text for piece in pieces)

    def _argument(self) -> str:
        given, self._at = required(self._text, self._at) or ("", self._at)
        return given

    def _options(self) -> str:
        given = ""
        while (found := optional(self._text, self._at)) is not None:
            given, self._at = found
        return given

    def _command(self, name: str) -> None:
        read = self._READ.get(name)
        if read is not None:
            read(self)
        elif name in tex.HEADINGS:
            self._heading(tex.HEADINGS[name])
        elif name in tex.CITATIONS:
            self._citation(name)
        elif name in tex.REFERENCES:
            self._reference(name)
        elif name in tex.ACCENTS:
            self._accent(name)
        elif name in tex.CHARACTERS:
            self._character(tex.CHARACTERS[name])
        elif name in units.COMMANDS:
            self._options()
            self._add(units.shown(name, [self._argument() for _ in range(units.COMMANDS[name])]))
        elif name in tex.LENGTHS:
            self._at = length_end(self._text, self._at)
        elif name in tex.DROPPED:
            self._drop(name, tex.DROPPED[name])
        elif name in tex.UNWRAPPED:
            self._unwrap(tex.UNWRAPPED[name])
        else:
            self._unknown(name)

    def _string(self) -> None:
        """Add the command behind \\string by its name: manuals print it."""
        if self._text.startswith("\\", skip_blanks(self._text, self._at)):
            self._add(self._argument())

    def _quote(self) -> None:
        self._add(f"“{self._inner(self._argument())}”")

    def _break(self) -> None:
        self._flush()
        self._at = skip_blanks(self._text, self._at)

    def _appendix(self) -> None:
        self._flush()
        self.appendix = len(self.pieces) if self.appendix is None else self.appendix

    def _drop(self, name: str, n: int) -> None:
        if name == "title" and not self.title:
            self._options()
            self.title = one_line(self._inner(self._argument()))
            return
        if name == "label":
            self._counts["labels_removed"] += 1
        if n or name in ("maketitle", "todo"):
            self._options()
        for _ in range(n):
            if not self._text.startswith("{", skip_blanks(self._text, self._at)):
                break
            self._argument()
            self._options()
        if not n:
            self._at = behind_word(self._text, self._at)

    def _unwrap(self, before: int) -> None:
        self._options()
        for _ in range(before):
            self._argument()
            self._options()
        self._add(self._inner(self._argument()))

    def _unknown(self, name: str) -> None:
        """The options of a command go; its arguments are groups, whose text is read in its turn."""
        self._counts["commands_unwrapped"] += 1
        if self._text.startswith("[", self._at):
            self._options()
        if not self._text.startswith("{", self._at):
            self._at = behind_word(self._text, self._at)
            if name.startswith(("text", "ital", "bold")) and self._buffer and self._buffer[-1][-1:].isalnum():
                self._add(" ")

    def _single(self, sign: str) -> None:
        if sign == "\\":
            self._options() if self._text.startswith(("[", "*["), self._at) else None
            self._add("\n")
        elif sign in "([":
            self._formula("\\" + sign, "\\)" if sign == "(" else "\\]")
        elif sign in tex.ACCENTS:
            self._accent(sign)
        else:
            self._add(tex.SINGLES.get(sign, ""))

    def _character(self, character: str) -> None:
        self._add(character)
        if self._text.startswith("{}", self._at):
            self._at += 2
        else:
            self._at = behind_word(self._text, self._at)

    def _accent(self, accent: str) -> None:
        letter = self._argument()
        if letter.startswith("\\"):
            letter = {"\\i": "i", "\\j": "j"}.get(letter.strip(), "") or self._inner(letter)
        self._add(tex.accented(accent, letter.strip()) if letter else "")

    def _formula(self, opens: str, closes: str) -> None:
        if closes[0] == "\\" and self._closes.get(closes, -1) < self._at:
            self._closes[closes] = self._text.find(closes, self._at) % (len(self._text) + 1)
        end = formula_end(self._text, self._at, closes, self._closes.get(closes, -1))
        if end < 0:
            return  # never closed: the sign alone goes
        content = self._text[self._at : end]
        self._at = end + len(closes)
        if opens in ("$", "\\("):
            self._add(inline(content))
        else:
            self._display(content, "")

    def _display(self, content: str, name: str) -> None:
        formula = display(content, name)
        if not formula:
            return
        if self._nested:
            self._add(formula)
            return
        self._flush(keep_notes=True)
        self.pieces.append(Piece(FORMULA, formula))

    def _verbatim(self, block: bool, text: str) -> None:
        if not block or self._nested:
            self._add(text)
            return
        self._flush()
        self.pieces += [Piece(CODE, text)] if text.strip() else []

    def _heading(self, level: int) -> None:
        self._options()
        text = one_line(self._inner(self._argument()))
        if self._nested:
            self._add(text)
            return
        self._flush()
        if _LETTER.search(text):
            self.pieces.append(Piece(HEADING, text, level))

    def _item(self) -> None:
        self._flush()
        label = one_line(self._inner(self._options()))
        if label and _LETTER.search(label):
            self._add(f"{label} ")

    def _footnote(self) -> None:
        self._options()
        text = one_line(self._inner(self._argument()))
        if self._config.footnotes == "keep":
            self._footnotes.append(text)
        else:
            self._counts["footnotes_removed"] += 1

    def _citation(self, name: str) -> None:
        before = self._options()
        keys = self._argument()
        self._counts["citations_removed"] += 1
        labels = [self._labels[key] for key in (key.strip() for key in keys.split(",")) if key in self._labels]
        if name in tex.TEXTUAL and labels:
            years = name != "citeauthor"
            self._add("; ".join(f"{author} ({year})" if years and year else author for author, year in labels))
        elif name == "citeyear" and labels:
            self._add(", ".join(year for _, year in labels))
        elif not before:
            self._strip_tie()

    def _reference(self, name: str) -> None:
        self._options()
        labels = [label.strip() for label in self._argument().split(",")]
        found = [self._numbers[label] for label in labels if label in self._numbers]
        if self._config.references == "number" and found and name not in ("pageref", "nameref", "vpageref"):
            kind = f"{found[0][0]} " if name in tex.NAMED_KINDS else ""
            numbers = ", ".join(number for _, number in found)
            self._add(f"({numbers})" if name == "eqref" else f"{kind}{numbers}")
            return
        self._counts["references_removed"] += 1
        word = tex.TYPES.get(re.split(r"[:._-]", labels[0], maxsplit=1)[0].lower()) if name in tex.NAMED_KINDS else None
        if word:
            self._add(word)
        else:
            self._strip_tie()

    def _strip_tie(self) -> None:
        """Take away the blank before something that is gone."""
        if self._buffer and self._buffer[-1] == " ":
            self._buffer.pop()

    def _begin(self) -> None:
        name = self._argument().strip()
        plain = name.rstrip("*")
        if plain in env.MATH:
            end = env.end_of(self._text, self._at, name)
            if end is not None:
                self._at, content = end[1], self._text[self._at : end[0]]
                if plain == "math":
                    self._add(inline(content))
                else:
                    self._display(content, plain)
        elif plain in env.FLOATS or plain in env.TABLES or plain in env.DROPPED:
            self._float(name, plain)
        elif plain == "abstract":
            self._flush()
            self._kinds.append((plain, env.ABSTRACT))
        elif plain in env.KINDS:
            self._flush()
            self._options()
            for _ in range(env.ARGUMENTS.get(plain, 0)):
                self._argument()
            self._kinds.append((plain, env.KINDS[plain]))
        elif name in self._theorems or plain in env.THEOREMS:
            self._flush()
            title = self._inner(self._theorems.get(name, env.THEOREMS.get(plain, "")))
            note = self._inner(self._options())
            self._add(f"{title}{f' ({note})' if note else ''}. " if title else "")
        else:
            self._options()
            for _ in range(env.ARGUMENTS.get(plain, 0)):
                self._argument()
                self._options()
            if plain not in env.INLINE:
                self._flush()

    def _end(self, name: str) -> None:
        plain = name.rstrip("*")
        if plain not in env.INLINE:
            self._flush()
        if any(open_name == plain for open_name, _ in self._kinds):
            while self._kinds.pop()[0] != plain:
                pass

    def _float(self, name: str, plain: str) -> None:
        """Take a figure or a table out; what of it stays is a setting."""
        end = env.end_of(self._text, self._at, name)
        if end is None:
            self._counts["unclosed_removed"] += 1
            self._options()
            return
        content, self._at = self._text[self._at : end[0]], end[1]
        if not self._nested:
            self._flush(keep_notes=True, joins=plain in env.FLOATS)
        is_table = plain in env.TABLES
        what = "bibliography" if plain in env.BIBLIOGRAPHIES else "tables" if is_table else "figures"
        self._counts[f"{what}_removed"] += 1
        if plain in env.BIBLIOGRAPHIES or self._nested:
            return
        if is_table and self._config.tables == "keep":
            self._counts["tables_removed"] -= 1
            self._rows(content, plain)
        if not is_table and self._config.figures == "captions":
            self.pieces += [Piece(PARAGRAPH, text) for text in self._captions(content)]

    def _captions(self, content: str) -> list[str]:
        texts = [one_line(self._inner(caption)) for caption in env.captions(content)]
        return [text for text in texts if _LETTER.search(text)]

    def _rows(self, content: str, plain: str) -> None:
        self.pieces += [Piece(PARAGRAPH, text) for text in self._captions(content)]
        for row in env.rows(content, plain):
            cells = [one_line(self._inner(cell)) for cell in row]
            if any(_LETTER.search(cell) for cell in cells):
                self.pieces.append(Piece(TABLE_ROW, "\t".join(cells)))

    def _flush(self, *, keep_notes: bool = False, joins: bool = False) -> None:
        """End the paragraph; with `joins` it goes on behind a float that cuts it in two."""
        if joins and self._buffer and "".join(self._buffer).strip():
            return
        text, self._buffer = "".join(self._buffer), []
        line = text.strip() if self._nested else tidy(text)
        kind = self._kinds[-1][1] if self._kinds else PARAGRAPH
        if _LETTER.search(line) or (line and self._nested):
            self.pieces.append(Piece(kind, line))
        if not keep_notes and not self._nested:
            notes, self._footnotes = self._footnotes, []
            self.pieces += [Piece(PARAGRAPH, note) for note in map(tidy, notes) if _LETTER.search(note)]

    _READ: Final[Mapping[str, Callable[[Converter], None]]] = {
        "begin": _begin, "end": lambda self: self._end(self._argument().strip()), "item": _item, "footnote": _footnote,
        "footnotetext": _footnote,
        **dict.fromkeys(("par", "newpage", "clearpage", "bigskip", "medskip", "smallskip"), _break),
        **dict.fromkeys(("url", "nolinkurl", "path"), lambda self: self._add(self._argument())), "appendix": _appendix,
        "appendices": _appendix, "enquote": _quote, "string": _string, "endnote": _footnote,
    }  # fmt: skip
