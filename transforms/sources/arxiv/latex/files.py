"""The files of a submission as one LaTeX text: characters, comments out, verbatim text stored, \\input in its place."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_DEPTH: Final = 30  # of files within files
MAX_CHARS: Final = 16 << 20  # of all files in their places
MAX_READS: Final = 10_000  # of files: ten that each read the next one twice are a thousand

MAX_UNCLOSED: Final = 100  # \\iffalse of a file that are never closed; more are not looked at

STORED, STORED_END = "\x02", "\x03"  # around the number of a stored piece
PIECE: Final = re.compile(f"{STORED}([bv])(\\d{{1,7}}){STORED_END}")

_UNWANTED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_INPUTENC: Final = re.compile(rb"\\usepackage\s*\[([\w.-]{2,20})\]\s*\{inputenc\}")
_ENCODINGS: Final = {
    "latin1": "cp1252", "ansinew": "cp1252", "cp1252": "cp1252", "latin2": "iso-8859-2", "latin3": "iso-8859-3",
    "latin4": "iso-8859-4", "latin5": "iso-8859-9", "latin9": "iso-8859-15", "latin10": "iso-8859-16",
    "applemac": "mac-roman", "macce": "mac-latin2", "cp437": "cp437", "cp850": "cp850", "cp852": "cp852",
    "cp1250": "cp1250", "cp1251": "cp1251", "cp1257": "cp1257", "koi8-r": "koi8-r", "koi8-u": "koi8-u",
    "cp866": "cp866",     "utf8": "utf-8", "utf8x": "utf-8",
}  # fmt: skip

_VERBATIM: Final = "verbatim|Verbatim|BVerbatim|lstlisting|minted|alltt|comment|code|filecontents"
# An even number of backslashes before %: none of them belongs to it.
_TOKEN: Final = re.compile(
    rf"(?P<escaped>\\\\|\\%)|(?P<comment>%[^\n]*)|\\begin\s*\{{(?P<verbatim>(?:{_VERBATIM})\*?)\}}"
    r"|\\(?P<verb>verb\*?|lstinline|mintinline)(?![A-Za-z])|(?P<off>\\iffalse(?![A-Za-z]))|(?P<end>\\endinput(?![A-Za-z]))"
)
_IFS: Final = re.compile(r"\\(fi|if[A-Za-z]*|else)(?![A-Za-z])")
_INPUT: Final = re.compile(
    r"\\(?P<how>input|include|subfile|InputIfFileExists|loadglsentries)(?![A-Za-z])\s*(?:\{(?P<name>[^{}\n]{1,200})\}|(?P<bare>[^\s{}\\%]{1,200}))"
    r"|\\(?P<import>sub)?import\s*\{(?P<folder>[^{}\n]{0,200})\}\s*\{(?P<file>[^{}\n]{1,200})\}"
)
_DOCUMENT: Final = re.compile(r"\\begin\s*\{document\}")
_DOCUMENT_END: Final = re.compile(r"\\end\s*\{document\}")
_CLASS: Final = re.compile(r"\\document(?:class|style)(?![A-Za-z])")


@dataclass
class Sources:
    """The files of a submission by name, and what the passes over them share."""

    files: Mapping[str, bytes]
    encoding: str = ""  # of files that are not UTF-8
    pieces: list[str] = field(default_factory=list)  # verbatim text, by number
    counts: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)  # names of files that are read and not there
    read: dict[str, str] = field(default_factory=dict)  # texts of files, so that one that is read twice is read once

    def store(self, text: str, *, block: bool) -> str:
        """Keep verbatim text and return the sign for it."""
        self.pieces.append(text)
        return f"{STORED}{'b' if block else 'v'}{len(self.pieces) - 1}{STORED_END}"

    def text(self, name: str) -> str:
        """Return a file without comments, its verbatim text stored."""
        if name not in self.read:
            self.read[name] = without_comments(decoded(self.files[name], self.encoding), self)
        return self.read[name]


def declared_encoding(data: bytes) -> str:
    """Return the encoding that a main file declares by inputenc, as Python names it; '' of none."""
    found = _INPUTENC.search(data)
    return _ENCODINGS.get(found[1].decode("ascii", "replace").lower(), "") if found else ""


def decoded(data: bytes, encoding: str = "") -> str:
    """Return the characters of a file: UTF-8 where it is valid, whatever is declared, then what is declared."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode(encoding if encoding not in ("", "utf-8") else "cp1252", "replace")
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def without_comments(text: str, sources: Sources) -> str:
    """Return LaTeX without comments, `comment` and \\iffalse; verbatim text becomes a sign for a stored piece.

    A comment takes its line end along, and the blanks that the next line begins with, as TeX reads it; a line that
    holds nothing else goes whole. RedPajama's rule took the character before the sign, and \\% too.
    """
    out: list[str] = []
    unclosed: Counter[str] = Counter()
    at = 0
    while True:
        token = _TOKEN.search(text, at)
        if token is None:
            out.append(text[at:])
            return "".join(out)
        out.append(text[at : token.start()])
        at = token.end()
        if token["escaped"]:
            out.append(token[0])
        elif token["comment"] is not None:
            at = _behind_comment(text, token.start(), at, out)
            sources.counts["comments_removed"] += 1
        elif token["verbatim"]:
            behind = -1 if unclosed[token["verbatim"]] else _behind_verbatim(text, token["verbatim"], at, out, sources)
            unclosed[token["verbatim"]] += behind < 0
            at = max(at, behind)
        elif token["verb"]:
            at = _behind_verb(text, token["verb"], at, out, sources)
        elif token["off"]:
            behind = -1 if unclosed["if"] > MAX_UNCLOSED else _behind_if(text, at)
            unclosed["if"] += behind < 0
            at = max(at, behind)
        else:
            return "".join(out)  # \endinput


def _behind_comment(text: str, start: int, end: int, out: list[str]) -> int:
    """Return where the text goes on behind a comment."""
    line = text.rfind("\n", 0, start) + 1
    alone = not text[line:start].strip()
    if end >= len(text):
        return end
    after = end + 1
    while after < len(text) and text[after] in " \t":
        after += 1
    if after < len(text) and text[after] == "\n":
        if not alone:
            out.append("\n")  # a blank line behind a comment still ends the paragraph
        return end + 1 if alone else after
    return after


def _behind_verbatim(text: str, name: str, at: int, out: list[str], sources: Sources) -> int:
    ends = re.compile(rf"\\end\s*\{{{re.escape(name)}\}}").search(text, at)
    if ends is None:
        return -1
    content = text[at : ends.start()]
    if name.rstrip("*") not in ("comment", "filecontents"):
        options = re.match(r"[ \t]*(?:\[[^\]\n]*(?:\n[^\]\n]*){0,8}\])?(?:\{[^{}\n]*\})?[ \t]*\n", content)
        content = content[options.end() :] if options and name != "alltt" else content
        out.append(f"\n\n{sources.store(content.strip(chr(10)).rstrip(), block=True)}\n\n")
    return ends.end()


def _behind_verb(text: str, name: str, at: int, out: list[str], sources: Sources) -> int:
    options = re.compile(r"(?:\[[^\]\n]*\])?" + (r"(?:\{[^{}\n]*\})?" if name == "mintinline" else "")).match(text, at)
    at = options.end() if options else at
    mark = text[at : at + 1]
    close = text.find("}" if mark == "{" else mark, at + 1) if mark and not mark.isspace() else -1
    if close < 0 or "\n" in text[at:close]:
        return at
    out.append(sources.store(text[at + 1 : close], block=False))
    return close + 1


def _behind_if(text: str, at: int) -> int:
    depth = 1
    for found in _IFS.finditer(text, at):
        if found[1] == "fi":
            depth -= 1
        elif found[1] == "else":
            if depth == 1:
                return found.end()  # its \fi is a command that nothing shows
        elif found[1] not in ("iff", "ifthenelse"):
            depth += 1
        if not depth:
            return found.end()
    return -1


def assembled(main: str, sources: Sources) -> str:
    """Return the main file with every file that it reads in its place; cycles are refused, missing ones are named."""
    return _Assembler(sources, posixpath.dirname(main)).read(main, ())


class _Assembler:
    def __init__(self, sources: Sources, folder: str) -> None:
        self._sources = sources
        self._folder = folder  # TeX runs where the main file is
        self._left, self._reads = MAX_CHARS, MAX_READS
        self._by_lower = {name.lower(): name for name in sorted(sources.files, reverse=True)}

    def read(self, name: str, open_files: tuple[str, ...]) -> str:
        text = self._sources.text(name)
        if open_files and _CLASS.search(text):
            text = _body(text)
        self._left -= len(text)
        self._reads -= 1
        out: list[str] = []
        at = 0
        for found in _INPUT.finditer(text):
            if found.start() < at:
                continue
            out.append(text[at : found.start()])
            at = found.end()
            out.append(self._of(found, name, (*open_files, name)))
        out.append(text[at:])
        return "".join(out)

    def _of(self, found: re.Match[str], reader: str, open_files: tuple[str, ...]) -> str:
        if found["file"]:
            base = posixpath.dirname(reader) if found["import"] else self._folder
            asked = posixpath.join(found["folder"], found["file"])
        else:
            base, asked = self._folder, (found["name"] or found["bare"])
        asked = asked.strip().strip('"')
        name = self._find(asked, base, posixpath.dirname(reader))
        counts = self._sources.counts
        if name is None:
            if found["how"] != "InputIfFileExists" and "#" not in asked and "\\" not in asked:
                counts["missing_inputs"] += 1
                self._sources.missing.append(asked[:80])
            return " "
        if name in open_files or len(open_files) >= MAX_DEPTH or self._left <= 0 or self._reads <= 0:
            counts["refused_inputs"] += 1
            return " "
        between = "\n\n" if found["how"] == "include" else ""
        return f"{between}{self.read(name, open_files)}{between}"

    def _find(self, asked: str, *folders: str) -> str | None:
        for folder in dict.fromkeys((*folders, "")):
            for ending in (".tex", "", ".ltx", ".TEX"):
                name = posixpath.normpath(posixpath.join(folder, asked + ending)).lstrip("/")
                found = name if name in self._sources.files else self._by_lower.get(name.lower())
                if found is not None:
                    return found
        return None


def _body(text: str) -> str:
    """Return what is between \\begin{document} and \\end{document} of a file that is a document of its own."""
    begin = _DOCUMENT.search(text)
    end = _DOCUMENT_END.search(text, begin.end() if begin else 0)
    return text[begin.end() if begin else 0 : end.start() if end else len(text)]
