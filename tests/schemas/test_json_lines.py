"""Tables of JSON lines made elsewhere."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.json_lines import objects


def test_empty_lines_are_passed_over_and_counted() -> None:
    assert list(objects(['{"a": 1}\n', "\n", '{"a": 2}'], "t")) == [(1, {"a": 1}), (3, {"a": 2})]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "t: line 2 is not JSON: "),
        ("[1]", "t: line 2 is not a JSON object but list"),
        ("7", "object but int"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_wrong_line_is_named(line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        list(objects(["{}", line], "t"))
    assert "\n" not in str(caught.value)
