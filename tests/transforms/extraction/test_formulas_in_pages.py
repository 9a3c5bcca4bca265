"""What the walk and the writing keep of formulas and listings: each fixture in an article whose every block is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from transforms.extraction.formulas.tex import tex_dialect
from transforms.extraction.page import outline_of
from transforms.extraction.texts.write import blocks_to_write, text_of

_DATA = Path(__file__).parent / "data"
_CODE = "def f(x):\n    if x:\n\n        return 1"


def fixtures(name: str) -> list[list[str]]:
    return [part.split("\n", 1) for part in (_DATA / name).read_text().removeprefix("=== ").split("\n=== ")]


def whole_text(html: str) -> str:
    page = outline_of(f"<html><body><article><p>Before it.</p>{html}<p>After it.</p></article></body></html>")
    return text_of(blocks_to_write(page, range(len(page.texts)), tex_dialect(html)))[0]


@pytest.mark.parametrize(("text", "html"), fixtures("formulas.txt"))
def test_a_formula_reaches_the_text_once(text: str, html: str) -> None:
    written = " ".join(whole_text(f"<div>so {html} is</div>").split())
    assert written == f"Before it. so {text} is After it.".replace("  ", " ")


@pytest.mark.parametrize(("name", "html"), fixtures("listings.txt"))
def test_a_listing_reaches_the_text_as_it_is(name: str, html: str) -> None:
    assert whole_text(html) == f"Before it.\n\n{_CODE}\n\nAfter it.", name
