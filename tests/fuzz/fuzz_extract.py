"""Fuzz the extractor with atheris: `make fuzz SECONDS=900`, each of four parts that long.

    python -m tests.fuzz.fuzz_extract {bytes,page,whole,parts} [--engine winnow] [libFuzzer's options]

    bytes   the input is a page as a server may send it
    page    the input picks tags, attributes and words; scripts, styles and templates hold a word that must not come out
    whole   the same pages, every block of them written, none left to a model's choice
    parts   the same pages, each element asked whether it is a formula or a listing

Any exception but BadRecord, any text that differs the second time, any word that no reader sees ends the run, and the
input is left as crash-HASH. Options of use: -max_total_time=S, -max_len=N, -timeout=S, -artifact_prefix=DIR/.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["transforms"]):
    from tests.fuzz.pages import check_page, check_parts, check_text, check_whole, page_of


def main() -> None:
    arguments = sys.argv[1:]
    target = arguments.pop(0) if arguments else ""
    engine = "winnow"
    if arguments[:1] == ["--engine"]:
        engine = arguments[1]
        arguments = arguments[2:]
    targets = {
        "bytes": lambda data: check_text(data, engine),
        "page": lambda data: check_page(data, engine),
        "whole": check_whole,
        "parts": lambda data: check_parts(page_of(data)),
    }
    if target not in targets:
        sys.exit(f"fuzz_extract: unknown target {target!r}; choose from {', '.join(targets)}")
    atheris.Setup([sys.argv[0], *arguments], targets[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
