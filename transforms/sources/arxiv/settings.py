"""Settings of the arXiv source."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.settings import setting, validate

MAX_PAPER_BYTES = 1 << 30  # that any setting allows


@dataclass(frozen=True, kw_only=True)
class ArxivScanConfig:
    """Settings of finding submissions in tarballs and folders."""

    part_mib: int = setting(64, "MiB of files that a part has at most, or one tarball that has more", ge=1, le=1 << 20)
    max_paper_bytes: int = setting(
        256 << 20, "bytes a submission may have once it is uncompressed, figures included", ge=1024, le=MAX_PAPER_BYTES
    )
    max_text_bytes: int = setting(16 << 20, "bytes of all TeX files of a submission", ge=1024, le=MAX_PAPER_BYTES)
    max_files: int = setting(20_000, "files a submission may have", ge=1)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class ArxivReadConfig:
    """Settings of turning LaTeX into text.

    Llama 1 (arXiv:2302.13971, section 2.1) removes "everything before the first section, as well as the bibliography"
    and comments, and expands definitions inline. What it does not tell is ours.
    """

    title: bool = setting(False, "begin the text with the paper's title, as its first heading (Llama 1: not)")
    abstract: str = setting(
        "drop", "the abstract, which comes before the first section (Llama 1: drop)", choices=("drop", "keep")
    )
    appendix: str = setting("keep", "what follows \\appendix (RedPajama: drop)", choices=("drop", "keep"))
    figures: str = setting("drop", "figures; captions: their captions as paragraphs", choices=("drop", "captions"))
    tables: str = setting("drop", "tables; keep: a line a row, cells separated by tabs", choices=("drop", "keep"))
    footnotes: str = setting("keep", "footnotes, as paragraphs behind their own", choices=("drop", "keep"))
    references: str = setting(
        "number",
        "\\ref and its kin; number: as LaTeX counts sections, figures, tables, equations",
        choices=("drop", "number"),
    )
    drop_sections: tuple[str, ...] = setting(
        ("references", "bibliography"), "headings of sections to drop with all that is in them, in any case"
    )

    def __post_init__(self) -> None:
        validate(self)
