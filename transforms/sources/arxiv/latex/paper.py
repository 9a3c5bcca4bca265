"""The files of a submission to the text of its paper: the passes in their order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from schemas.blocks import CODE, FORMULA, HEADING, PARAGRAPH, Blocks
from transforms.extraction.texts.hygiene import clean_unicode
from transforms.sources.arxiv.latex.convert import Converter
from transforms.sources.arxiv.latex.environments import ABSTRACT
from transforms.sources.arxiv.latex.files import Sources, assembled, declared_encoding
from transforms.sources.arxiv.latex.macros import Expander
from transforms.sources.arxiv.latex.numbers import numbers_of
from transforms.sources.arxiv.settings import ArxivReadConfig
from transforms.sources.pieces import Piece, without_sections, write

FRONT_SHARE: Final = 0.5  # of a paper's characters: more than that before the first section is no front matter (ours)
MAX_STYLE_BYTES: Final = 1 << 16  # of a style file that is read for definitions: larger ones are packages

_BEGIN: Final = re.compile(r"\\begin\s*\{document\}")
_END: Final = re.compile(r"\\end\s*\{document\}|\\bye(?![A-Za-z])")
_TITLE: Final = re.compile(r"\\(?:title|Title)(?![A-Za-z])")
_PACKAGES: Final = re.compile(r"\\(?:usepackage|RequirePackage)\s*(?:\[[^\]]*\])?\s*\{([^{}]{1,400})\}")
_BIBITEM: Final = re.compile(r"\\bibitem\s*\[(.{1,300}?)\]\s*\{([^{}]{1,120})\}", re.DOTALL)
_LABEL: Final = re.compile(r"\{?(.{1,200}?)\}?\s*\(\s*\{?(\d{4}[a-z]?|in press|n\.d\.)\}?\s*\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Paper:
    """What is read of a submission."""

    text: str
    blocks: Blocks
    title: str
    n_formulas: int
    missing: tuple[str, ...]  # names of files that it reads and does not have
    counts: Counter[str]


def read_paper(files: Mapping[str, bytes], main: str, config: ArxivReadConfig) -> Paper:
    """Return the paper whose main file is `main`. Total: whatever the bytes are, some text is returned, perhaps ''."""
    sources = Sources(files, declared_encoding(files[main]))
    text = assembled(main, sources)
    expander = Expander()
    _read_styles(text, sources, expander)
    text = expander.expand(text)
    labels = _labels(text, sources)
    begin = _BEGIN.search(text)
    end = _END.search(text, begin.end() if begin else 0)
    preamble = text[: begin.start()] if begin else ""
    body = text[begin.end() if begin else 0 : end.start() if end else len(text)]
    counts = sources.counts
    converter = Converter(
        config, counts, sources.pieces, expander.theorems, labels, numbers_of(text, expander.theorems)
    )
    pieces = converter.convert(body)
    title = converter.title or _title(preamble, config, sources)
    if config.appendix == "drop" and converter.appendix is not None:
        counts["appendices_removed"] += 1
        pieces = pieces[: converter.appendix]
    pieces = _from_first_section(pieces, config, counts)
    pieces = without_sections(pieces, frozenset(map(str.lower, config.drop_sections)))
    if pieces and config.title and title:
        pieces = [Piece(HEADING, title, 1), *pieces]
    counts.update(expander.counts)
    written, blocks = write([_clean(piece) for piece in pieces])
    prose = (piece.text for piece in pieces if piece.kind not in (FORMULA, CODE))
    n_formulas = sum(piece.kind == FORMULA for piece in pieces) + sum(text.count("$") // 2 for text in prose)
    return Paper(written, blocks, title[:300], n_formulas, tuple(sources.missing), counts)


def _clean(piece: Piece) -> Piece:
    return replace(piece, text=clean_unicode(piece.text))


def _from_first_section(pieces: list[Piece], config: ArxivReadConfig, counts: Counter[str]) -> list[Piece]:
    """Return what comes from the first section on, and the abstract if that is to be kept.

    A letter has no sections, or acknowledgements alone: where the first heading comes behind FRONT_SHARE of the text,
    the paper is all that is behind its abstract, or all of it.
    """
    abstract = [replace(piece, kind=PARAGRAPH) for piece in pieces if piece.kind == ABSTRACT]
    dropped = {heading.lower() for heading in config.drop_sections}
    first = next(
        (n for n, piece in enumerate(pieces) if piece.kind == HEADING and piece.text.lower() not in dropped),
        len(pieces),
    )
    before = sum(len(piece.text) for piece in pieces[:first] if piece.kind != ABSTRACT)
    if before > FRONT_SHARE * sum(len(piece.text) for piece in pieces):
        first = max((n + 1 for n, piece in enumerate(pieces[:first]) if piece.kind == ABSTRACT), default=0)
    counts["front_removed"] += bool(first)
    rest = [piece for piece in pieces[first:] if piece.kind != ABSTRACT]
    return [*abstract, *rest] if config.abstract == "keep" else rest


def _title(preamble: str, config: ArxivReadConfig, sources: Sources) -> str:
    found = _TITLE.search(preamble)
    if found is None:
        return ""
    converter = Converter(config, Counter(), sources.pieces, {}, {}, {})
    converter.convert(preamble[found.start() : found.start() + 2000])
    return clean_unicode(converter.title)


def _read_styles(text: str, sources: Sources, expander: Expander) -> None:
    """Collect the definitions of the submission's own small style files."""
    for found in _PACKAGES.finditer(text[: 1 << 18]):
        for package in found[1].split(","):
            name = f"{package.strip()}.sty"
            if name in sources.files and len(sources.files[name]) <= MAX_STYLE_BYTES:
                expander.expand(sources.text(name))


def _labels(text: str, sources: Sources) -> dict[str, tuple[str, str]]:
    """Return authors and year of the entries of the bibliography that have a label of natbib's form, by key."""
    found: dict[str, tuple[str, str]] = {}
    for name in sorted(name for name in sources.files if name.lower().endswith(".bbl")):
        text += sources.text(name)
    for item in _BIBITEM.finditer(text):
        label = _LABEL.match(item[1].strip())
        if label:
            author = re.sub(r"[{}~\s]+|\\[a-z]+\s*", " ", re.sub(r"\\([&%$#_])", r"\1", label[1])).strip()
            found[item[2].strip()] = author, label[2]
    return found
