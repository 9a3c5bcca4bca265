"""`winnow evaluate-classifier` as it is typed: what it prints, its report, its mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_column_and_a_model(call: Callable[..., Any], tmp_path: Path) -> None:
    rows = [
        {
            "text": f"{'a theorem' if n % 2 else 'buy pills'} {n}",
            "label": "good" if n % 2 else "bad",
            "n": n % 2 + n / 80,
        }
        for n in range(80)
    ]
    table, model = tmp_path / "t.jsonl", tmp_path / "m.bin"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    small = ("--set", "dim=4", "--set", "epoch=20", "--set", "lr=0.5", "--set", "bucket=100")
    assert call("train-classifier", "-i", table, "-o", model, *small).code == 0
    said = call("evaluate-classifier", model, "-i", table, "--column=-n", "--ensemble", "mean", "-o", tmp_path / "r")
    assert said.code == 0, said.err
    first, of_model, of_column, of_both, place = said.out.splitlines()
    assert first == "t.jsonl: 80 texts, 40 good"
    assert of_model.startswith("m.bin: AUC 1.000 (1.000 to 1.000)")
    assert of_column.startswith("-n: AUC 0.0")
    assert of_both.startswith("ensemble:mean: AUC ")
    assert place.endswith(f"for programs in {tmp_path / 'r'}/report.json")
    assert (tmp_path / "r" / "report.png").is_file()
    said = call("evaluate-classifier", "-i", table, "--column", "n", "--json")
    assert said.json["series"][0]["measured"]["by_language"]["all"]["n"] == 80


def test_mistakes_are_one_line(call: Callable[..., Any], tmp_path: Path) -> None:
    said = call("evaluate-classifier", "-i", tmp_path / "gone.jsonl")
    assert (said.code, said.err) == (2, "winnow: nothing to measure: expected a model or --column\n")
    said = call("evaluate-classifier", tmp_path / "gone.bin", "-i", tmp_path / "gone.jsonl")
    assert (said.code, said.err.count("\n")) == (2, 1)
    for kind, line in (("tree", "--kind: 'tree' is not allowed"), ("transformer", "base_model: '' is not allowed")):
        said = call("train-classifier", "-i", tmp_path / "t.jsonl", "-o", tmp_path / "m", "--kind", kind)
        assert (said.code, line in said.err, said.err.count("\n")) == (2, True, 1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    said = call("train-classifier", "-i", tmp_path / "t.jsonl", "-o", tmp_path / "full", "--kind", "transformer")
    assert (said.code, "is no folder of a transformers model" in said.err) == (2, True)
    assert (tmp_path / "full" / "thesis.txt").exists()
