from __future__ import annotations

import pytest

from transforms.extraction.parsing.marks import DIALOG, HIDES, HIGH, SPANS, UNSHOWN, mark_of, spans_of


@pytest.mark.parametrize(
    ("attributes", "spans"),
    [
        ({"colspan": "2"}, (2, 1)),
        ({"colspan": " 3px", "rowspan": "+2"}, (3, 2)),
        ({"colspan": "0", "rowspan": "0"}, (1, 65534)),
        ({"colspan": "1001", "rowspan": "70000"}, (1000, 65534)),
        ({"colspan": "-2", "rowspan": "x"}, (1, 1)),
        ({"colspan": None, "rowspan": ""}, (1, 1)),
        ({"colspan": "٣"}, (1, 1)),  # digits are ASCII in HTML
    ],
)
def test_spans(attributes: dict[str, str | None], spans: tuple[int, int]) -> None:
    assert spans_of(attributes) == spans


@pytest.mark.parametrize(
    ("attributes", "mark", "shown"),
    [
        ({"class": "a b", "id": "c", "role": "row", "itemprop": "d"}, "a b c row d", 0),
        ({"hidden": None}, "", HIDES | UNSHOWN),
        ({"aria-hidden": "true"}, "", HIDES),
        ({"role": "dialog", "class": None}, " dialog", DIALOG),
        ({"rowspan": "2", "style": "visibility: hidden"}, "", SPANS | HIDES | UNSHOWN),
        ({"style": "left:-999px"}, "", UNSHOWN),
        ({"style": "vertical-align:super"}, "", HIGH),
    ],
)
def test_marks(attributes: dict[str, str | None], mark: str, shown: int) -> None:
    assert mark_of(attributes) == (mark, shown)
