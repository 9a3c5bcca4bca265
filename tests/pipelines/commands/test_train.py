"""`winnow train-perplexity` as it is typed: the file, its report, the config that pins it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml


def test_a_model_of_perplexity_is_trained_and_pinned(call: Callable[..., Any], tmp_path: Path) -> None:
    rows = [{"text": f"The cat sees the dog {n % 5} times.", "language": "en"} for n in range(20)]
    (tmp_path / "clean.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model, pin = tmp_path / "ngrams.zip", tmp_path / "pin.yaml"
    small = ("--set", "vocab_size=300", "--set", "order=3")
    said = call("train-perplexity", "-i", tmp_path / "clean.jsonl", "-o", model, "--pin", pin, *small, "--json")
    assert said.code == 0, said.err
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    assert said.json["sha256"] == sha256
    assert [row["texts"] for row in said.json["languages"]] == [20]
    pinned = yaml.safe_load(pin.read_text())
    assert pinned == {"perplexity": {"model_path": str(model), "model_sha256": sha256}}
    said = call("train-perplexity", "-i", tmp_path / "clean.jsonl", "-o", tmp_path, *small)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "is a folder" in said.err
    assert "order=5" in call("train-perplexity", "--help").out
