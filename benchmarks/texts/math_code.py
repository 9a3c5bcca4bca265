"""Formulas and code that survive extraction: each engine on 29 pages whose gold text lists them (LLM-WebKit bench).

    .venv/bin/python -m benchmarks.texts.math_code [DATA] [--engines winnow trafilatura resiliparse] [--show]

    equations    of gold, those that stand in the text as LaTeX between `$`, `$$`, `\\( \\)` or `\\[ \\]`, blanks aside;
                 an equation that gold has n times counts n times
    bare         the same without asking for delimiters: what a page that shows `x^2` gets by luck, too
    blocks       code blocks of gold that stand in the text as whole lines, blanks at their ends and around them aside
    inline       code inside a line of gold that stands in the text, to the character

`whole page` writes everything a page holds with the same functions for formulas and code: what it misses, no choice of
the main content could have kept; what the engine misses beside it, the choice lost.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from benchmarks.machine import ROOT, facts
from transforms.extraction.extract import page_text
from transforms.extraction.formulas.mathematics import formula_of, may_be_formula
from transforms.extraction.formulas.tex import TexDialect, normalised_tex
from transforms.extraction.parsing.code import is_code_block, may_be_code
from transforms.extraction.parsing.listing import code_of
from transforms.extraction.texts.decoding import decode_html

DATA = ROOT.parent / "shared" / "data" / "extraction" / "llm_webkit_bench"
WHOLE = "whole page"
MEASURES = ("equations", "bare", "blocks", "inline")


@dataclass
class Gold:
    """What a page holds, in the words of its annotators."""

    name: str
    url: str
    html: bytes
    equations: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("data", nargs="?", type=Path, default=DATA)
    arguments.add_argument("--engines", nargs="+", default=["winnow", "trafilatura", "resiliparse"])
    arguments.add_argument("--show", action="store_true", help="what each engine misses, on stderr")
    given = arguments.parse_args()
    pages = [page for page in golds(given.data) if page.equations or page.blocks or page.inline]
    if not pages:
        sys.exit(f"math_code: no pages with gold in {given.data}")
    found = {engine: Counter[str]() for engine in [WHOLE, *given.engines]}
    for page in pages:
        for engine, counts in found.items():
            text = whole_page(page.html) if engine == WHOLE else page_text(page.html, "", page.url, engine)
            counts.update(score(page, text, f"{page.name}, {engine}" if given.show else ""))
    report(found, Counter({name: sum(len(goal(page, name)) for page in pages) for name in MEASURES}), len(pages))


def goal(page: Gold, measure: str) -> list[str]:
    kinds = {"blocks": page.blocks, "inline": page.inline}
    return kinds.get(measure, page.equations)


def golds(data: Path) -> Iterator[Gold]:
    for path in sorted((data / "groundtruth").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            page = Gold(path.stem, record["url"], (data / "origin" / f"{path.stem}.html").read_bytes())
            collect(record["content_list"], page)
            yield page


def collect(part: Any, page: Gold) -> None:
    """Add the formulas and the code of a part of a page's content to its gold."""
    if isinstance(part, list):
        for inner in part:
            collect(inner, page)
    if not isinstance(part, dict):
        return
    if part.get("t") == "equation-inline":
        page.equations.append(part["c"])
    elif part.get("t") == "code-inline":
        page.inline.append(part["c"])
    elif part.get("type") == "equation-interline":
        page.equations.append(part["content"]["math_content"])
    elif part.get("type") == "code":
        page.blocks.append(part["content"]["code_content"])
    for inner in part.values():
        collect(inner, page)


# ---- what is counted ------------------------------------------------------------------------------------------------


def without_blanks(text: str) -> str:
    return "".join(text.split())


def lines_of(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").rstrip().split("\n"))


def score(page: Gold, text: str, name: str) -> Counter[str]:
    """Return how many of a page's gold pieces stand in a text; `name`: say which do not."""
    flat = without_blanks(text)
    for mark in ("\\(", "\\)", "\\[", "\\]"):
        flat = flat.replace(mark, "$")
    lines = f"\n{lines_of(text)}\n"
    wanted = Counter(map(without_blanks, page.equations))
    missed = [equation for equation, n in wanted.items() if flat.count(f"${equation}$") < n]
    missed += [block for block in page.blocks if f"\n{lines_of(block)}\n" not in lines]
    if name:
        print(*(f"{name}: {piece[:150]!r}" for piece in missed), sep="\n", file=sys.stderr)
    return Counter(
        equations=sum(min(n, flat.count(f"${equation}$")) for equation, n in wanted.items()),
        bare=sum(min(n, flat.count(equation)) for equation, n in wanted.items()),
        blocks=sum(f"\n{lines_of(block)}\n" in lines for block in page.blocks),
        inline=sum(code.strip() in text for code in page.inline),
    )


def report(found: dict[str, Counter[str]], wanted: Counter[str], n_pages: int) -> None:
    print(f"| {n_pages} pages | {' | '.join(f'{name} ({wanted[name]})' for name in MEASURES)} |")
    print(f"| --- |{' ---: |' * len(MEASURES)}")
    for engine, counts in found.items():
        cells = (f"{counts[name]} ({counts[name] / max(1, wanted[name]):.1%})" for name in MEASURES)
        print(f"| {engine} | {' | '.join(cells)} |")
    print(json.dumps({"found": found, "wanted": wanted, "n_pages": n_pages, **facts()}))


# ---- everything a page holds ----------------------------------------------------------------------------------------

_SKIPPED = frozenset(["script", "style", "template", "head", "noscript", "svg", "button"])
_INLINE = frozenset(["a", "b", "i", "em", "strong", "span", "code", "sub", "sup", "img", "font", "u", "small", "nobr"])


def whole_page(html: bytes) -> str:
    """Return all text of a page, with the formulas and the code as our functions write them."""
    source = decode_html(html)
    blocks: list[str] = []
    parts: list[str] = []
    dialect = TexDialect(source)

    def end_block() -> None:
        text = " ".join("".join(parts).split())
        parts.clear()
        if text:
            blocks.append(normalised_tex(text, dialect))

    def walk(node: LexborNode) -> None:
        for child in node.iter(include_text=True):
            tag = child.tag or ""
            if tag == "-text":
                parts.append(child.text_content or "")
            elif tag[0] not in "-!":
                element(child, tag, walk, end_block, blocks, parts)

    root = LexborHTMLParser(source).root
    if root is not None:
        walk(root)
    end_block()
    return "\n".join(blocks)


def element(
    node: LexborNode,
    tag: str,
    walk: Callable[[LexborNode], None],
    end_block: Callable[[], None],
    blocks: list[str],
    parts: list[str],
) -> None:
    """Write one element of `whole_page`."""
    found = formula_of(node) if may_be_formula(tag, node.attributes) else None
    if found is not None:
        parts.append(f"\n{found.written()}\n" if found.display else found.written())
    elif tag in _SKIPPED:
        return
    elif may_be_code(tag, node.attributes) and is_code_block(node):
        end_block()
        blocks.append(code_of(node))
    elif tag in _INLINE:
        walk(node)
    else:
        end_block()
        walk(node)
        end_block()


if __name__ == "__main__":
    main()
