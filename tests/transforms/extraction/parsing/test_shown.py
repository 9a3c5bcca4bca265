from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from transforms.extraction.parsing.shown import nests_deep, shown_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div></div>", ""),
        ("<div>a</div>", "a"),
        ("<div>a<b>b</b>c</div>", "abc"),
        ("<div>a<script>x</script><style>y</style><template>z</template><!-- c -->b</div>", "ab"),
        ("<div><svg><style>y</style><text>t</text></svg></div>", "t"),
        ("<div>" + "<i>" * 20_000 + "deep</div>", "deep"),
    ],
)
def test_shown_text(html: str, text: str) -> None:
    node = LexborHTMLParser(html).css_first("div")
    assert node is not None
    assert shown_text(node) == text


def test_separator() -> None:
    node = LexborHTMLParser("<div>a<b>b</b><i>c</i></div>").css_first("div")
    assert node is not None
    assert shown_text(node, "|") == "a|b|c"


@pytest.mark.parametrize(("n", "deep"), [(0, False), (99, False), (100, True), (20_000, True)])
def test_nests_deep(n: int, deep: bool) -> None:
    node = LexborHTMLParser("<div>x" + "<i> y" * n).css_first("div")
    assert node is not None
    assert nests_deep(node) is deep
