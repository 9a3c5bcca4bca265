"""Which file of a submission is its paper, and what is no paper: a withdrawn one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Final

_TEX: Final = re.compile(r"\.(?:tex|ltx|latex)$", re.IGNORECASE)
_CLASS: Final = re.compile(rb"^[^%\n]*\\document(?:class|style)(?![A-Za-z])", re.MULTILINE)
_BEGIN: Final = re.compile(rb"^[^%\n]*\\begin\s*\{document\}", re.MULTILINE)
_INPUT: Final = re.compile(rb"\\(?:input|include|subfile|InputIfFileExists)\s*\{?\s*([\w./ -]{1,200})")
_PLAIN: Final = re.compile(
    rb"\\(?:bye|magnification|documentstyle|nopagenumbers|topmatter|endtopmatter|section|chapter)(?![A-Za-z])"
)
_TOPLEVEL: Final = re.compile(
    rb"^\s*(\S+)\s+toplevelfile\b|\"filename\"\s*:\s*\"([^\"]+)\"[^{}]*\"usage\"\s*:\s*\"toplevel\"", re.MULTILINE
)
_WITHDRAWN: Final = re.compile(
    rb"(?:paper|article|submission|manuscript|preprint|work|version)\s+(?:has|have|had|is|was)\s+(?:been\s+|being\s+|now\s+)?withdrawn"
    rb"|withdrawn\s+by\s+(?:the\s+)?(?:author|arxiv)|^\s*withdrawn\b",
    re.IGNORECASE,
)
WITHDRAWN_BYTES: Final = 4096  # of a submission that is nothing but a notice
_USUAL: Final = (
    "ms",
    "main",
    "paper",
    "article",
    "manuscript",
    "root",
    "arxiv",
    "thesis",
    "draft",
    "submission",
    "book",
)


def is_withdrawn(files: Mapping[str, bytes]) -> bool:
    """Return whether a submission is a notice of its withdrawal, or a placeholder (%auto-ignore)."""
    texts = [data for name, data in files.items() if _TEX.search(name)] or list(files.values())
    if sum(map(len, texts)) > WITHDRAWN_BYTES:
        return False
    whole = b"\n".join(texts)
    return whole.lstrip().startswith(b"%auto-ignore") or bool(_WITHDRAWN.search(whole))


def main_file(files: Mapping[str, bytes]) -> str:
    """Return the name of the file that the paper begins in; '' when none does.

    In this order: what a 00README of arXiv's names; files with \\documentclass that no other file reads; with
    \\begin{document}; in the highest folder; of a usual name; the largest; the first by name. Without \\documentclass
    the same of files of plain TeX.
    """
    named = _named(files)
    if named:
        return named
    tex = sorted(name for name in files if _TEX.search(name)) or sorted(files)
    documents = [name for name in tex if _CLASS.search(files[name])]
    candidates = documents or [name for name in tex if _BEGIN.search(files[name]) or _PLAIN.search(files[name])]
    if not candidates:
        return ""
    read = {_stem(found) for name in tex for found in _INPUT.findall(files[name])}
    return min(
        candidates,
        key=lambda name: (
            posixpath.basename(_stem(name.encode())) in {posixpath.basename(other) for other in read},
            not _BEGIN.search(files[name]),
            name.count("/"),
            posixpath.basename(_stem(name.encode())) not in _USUAL,
            -len(files[name]),
            name,
        ),
    )


def _named(files: Mapping[str, bytes]) -> str:
    for name in sorted(files):
        if posixpath.basename(name).lower().startswith("00readme"):
            found = _TOPLEVEL.search(files[name])
            asked = (found[1] or found[2]).decode("utf-8", "replace") if found else ""
            if asked in files:
                return asked
    return ""


def _stem(name: bytes) -> str:
    text = name.decode("utf-8", "replace").strip().lower()
    return _TEX.sub("", text.removeprefix("./"))
