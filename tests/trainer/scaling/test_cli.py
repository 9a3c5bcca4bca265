from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.errors import ConfigError, InputError, WinnowError
from trainer.scaling.cli import app

RUNS = [
    {"budget": budget, "tokens": tokens, "loss": 3 + 0.1 * place**2}
    for budget, middle in ((1e18, 1e9), (1e20, 1e10))
    for place, tokens in ((-1, int(middle / 2.718281828)), (0, int(middle)), (1, int(middle * 2.718281828)))
]


def _write(path: Path, rows: list[dict[str, float]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_fit_of_a_table(tmp_path: Path) -> None:
    table = _write(tmp_path / "runs.jsonl", RUNS)
    result = CliRunner().invoke(app, ["fit", table, "-o", str(tmp_path / "out"), "--target", "1e22"])
    assert result.exit_code == 0
    assert "alpha = 0.5000." in result.output
    assert "At 1e+22 FLOPs: 1e+11 tokens, 1.667e+10 parameters by C = 6 N D." in result.output
    assert (tmp_path / "out" / "report.md").read_text() in result.output
    args = ["fit", table, "-o", str(tmp_path / "out"), "--target", "1e22", "--max-orders", "1", "--window", "3"]
    narrow = CliRunner().invoke(app, args)
    assert "No figure at the target: 1e+22 FLOPs are 2.0 orders" in narrow.output
    assert "within a factor of 3 of" in narrow.output


def test_downstream_of_a_table(tmp_path: Path) -> None:
    rows = [
        {"flops": flops, "nll_per_char": nll, "accuracy": accuracy}
        for flops, nll, accuracy in ((1e19, 1.2, 0.27), (1e20, 1.1, 0.31), (1e21, 1.0, 0.38))
    ]
    table = _write(tmp_path / "models.jsonl", rows)
    args = ["downstream", table, "-o", str(tmp_path / "out"), "--chance", "0.25"]
    result = CliRunner().invoke(app, [*args, "--max-orders", "5"])
    assert result.exit_code == 0
    assert "At 3.8e+25 FLOPs: 0.5420 nats a character" in result.output
    with pytest.raises(ConfigError, match=r"--target: 3.8e\+25 FLOPs are 4.6 orders of magnitude beyond"):
        app(args, standalone_mode=False)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (
            ["plan", "nowhere.toml"],
            InputError,
            r"nowhere.toml: neither a ladder \(letter, cpu\) nor a file that can be",
        ),
        (["plan", "cpu"], ConfigError, r"recipe.data: none"),
        (["mixes", "nowhere.toml", "-o", "x"], InputError, "nowhere.toml: a file that can be read"),
        (["value", "wrong.toml", "-o", "x"], ConfigError, "wrong.toml: wieght: unknown setting; did you mean weight"),
        (["value", "torn.toml", "-o", "x"], ConfigError, "torn.toml: not valid TOML"),
        (["fit", "nowhere.jsonl", "-o", "x"], InputError, "nowhere.jsonl: cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], error: type[WinnowError], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.toml").write_text("wieght = 0.5\n")
    Path("torn.toml").write_text("weight = \n")
    with pytest.raises(error, match=message) as caught:
        app(args, standalone_mode=False)
    assert "\n" not in str(caught.value)
