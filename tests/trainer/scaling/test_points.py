from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigError, InputError
from trainer.scaling.points import Point, mean_loss, read_points, write_points


def test_a_table_comes_back_in_order(tmp_path: Path) -> None:
    points = [
        Point(name="b", budget=2e18, tokens=5, loss=2.0, losses={"web": 1.5, "code": 2.5}),
        Point(name="a", budget=1e18, tokens=7, loss=3.0),
        Point(name="c", budget=1e18, tokens=6, loss=3.0, mix=""),
    ]
    path = tmp_path / "points.jsonl"
    write_points(points, path)
    assert [point.name for point in read_points(path)] == ["c", "a", "b"]
    assert sorted(read_points(path), key=lambda point: point.name) == [points[1], points[0], points[2]]
    first = path.read_bytes()
    write_points(reversed(points), path)
    assert path.read_bytes() == first


def test_what_a_table_made_elsewhere_needs(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    path.write_text('{"budget": 1e18, "tokens": 1000, "loss": 2.5}\n\n')
    assert read_points(path) == [Point(budget=1e18, tokens=1000, loss=2.5)]
    path.write_text("")
    assert read_points(path) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 is not a JSON object but list"),
        ('{"tokens": 1, "loss": 1}', "line 2: budget is missing"),
        ('{"budget": 1, "tokens": 0, "loss": 1}', "line 2: tokens: 0 is not allowed; must be >= 1"),
        ('{"budget": 1, "tokens": 1, "loss": NaN}', "line 2: loss: nan is not allowed"),
        ('{"budget": 1, "tokens": 1, "loss": 1, "lose": 1}', "line 2: lose: unknown setting; did you mean loss"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "points.jsonl"
    path.write_text('{"budget": 1, "tokens": 1, "loss": 1}\n' + line + "\n")
    with pytest.raises(ConfigError, match=message) as caught:
        read_points(path)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read"):
        read_points(tmp_path / "none.jsonl")


def test_mean_over_held_out_sources() -> None:
    losses = {"web": 2.0, "code": 1.0}
    assert mean_loss(losses, {}) == 1.5
    assert mean_loss(losses, {"web": 3.0, "code": 1.0}) == 1.75
    assert mean_loss(losses, {"web": 1.0}) == 2.0
    with pytest.raises(ConfigError, match=r"weights.maths: no such held-out source; allowed: code, web"):
        mean_loss(losses, {"maths": 1.0})
    with pytest.raises(ConfigError, match="none is above 0"):
        mean_loss(losses, {"web": 0.0})
