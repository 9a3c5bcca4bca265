"""The command line in this process: what is wrong is one line, and what is asked for is told."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from tests.trainer.evaluate.test_choice import make_words
from tests.trainer.small import FACTS, Listener, recipe_of, stage, train, write_shards
from trainer.commands.cli import main
from trainer.recipe import EvalConfig

RECIPE = """
[model]
layers = 2
dim = 32
ffn_dim = 64
heads = 4
kv_heads = 2
[[stages]]
name = "short"
tokens = 3840
seq_len = 16
batch_tokens = 96
[[stages]]
name = "long"
tokens = 1500
seq_len = 32
batch_tokens = 128
"""


def call(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    told = capsys.readouterr()
    assert ended.value.code == code, told.out + told.err
    return told.out + told.err


def test_plan_says_what_a_recipe_asks_for(capsys: pytest.CaptureFixture[str], data: str, tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    plan = json.loads(call(capsys, "plan", path, "--data", data, "--json"))
    assert [(stage["steps"], stage["tokens"]) for stage in plan["stages"]] == [(40, 3840), (12, 1536)]
    assert plan["epochs"]["a"] > 1
    told = call(capsys, "plan", "llama3-405b", "--gpus", "16384")
    assert "405,853,388,800 parameters, 15,600,1" in told
    assert "context-6-128k" in told
    path.write_text(f'init_from = "{tmp_path}/none"\n{RECIPE}')
    assert f"warning: init_from: {tmp_path}/none: neither a stage nor a folder here\n" in call(
        capsys, "plan", path, "--data", data
    )


def test_status_plot_and_eval_of_a_run(capsys: pytest.CaptureFixture[str], data: str, tmp_path: Path) -> None:
    train(recipe_of(data, stage("a", 3, seq_len=32, sequences=2)), tmp_path, Listener())
    assert "small: finished, step 3, loss " in call(capsys, "status", tmp_path)
    assert json.loads(call(capsys, "status", tmp_path, "--json"))["tokens"] == 192
    assert call(capsys, "plot", tmp_path).strip() == str(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "nothing to measure" in call(capsys, "eval", tmp_path, code=1)
    other = write_shards(tmp_path / "held", "held", documents=40, seed=1)
    found = json.loads(call(capsys, "eval", tmp_path, "--held-out", other, "--length", "32", "--json"))
    assert (found["length"], list(found["loss"]), found["tasks"]) == (32, ["held"], {})
    assert 2 < found["loss"]["held"] < 4.3
    assert "must divide 32, the recipe's longest" in call(capsys, "eval", tmp_path, "--length", "64", code=1)
    assert "held: perplexity " in call(capsys, "eval", tmp_path, "--held-out", other, "--length", "32")
    assert "is not the shards' tokenizer" in call(capsys, "sample", tmp_path, code=1)


def test_another_recipe_takes_over_a_folder_only_when_asked_to(
    capsys: pytest.CaptureFixture[str], data: str, tmp_path: Path
) -> None:
    path, run = tmp_path / "small.toml", tmp_path / "run"
    path.write_text(RECIPE.replace("3840", "192").replace("1500", "128"))
    words = ("run", path, "--data", data, "--output", run)
    assert f"{run}: done, 320 tokens" in call(capsys, *words)
    path.write_text("seed = 5\n" + path.read_text())
    told = call(capsys, *words, code=1)
    assert "00-short: made by another recipe, or with other shards (differing: seed); give another folder, or" in told
    assert len(told.splitlines()) == 1
    assert f"{run}: done, 320 tokens" in call(capsys, *words, "--anew")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "no-such-recipe", "--output", "{tmp}/x"), "no-such-recipe: neither a preset (llama3-405b, "),
        (("run", "cpu", "--output", "{tmp}/x"), "data: none; give outputs of Winnow or folders of token shards"),
        (("run", "cpu", "--output", "{tmp}/x", "--data", "{tmp}"), "no token shards (source=NAME/shard-*.parquet) her"),
        (("run", "cpu", "--output", "{tmp}/x", "--data", "{data}"), "rows of 64 tokens cannot be cut into sequences"),
        (("run", "{tmp}/bad.toml", "--output", "{tmp}/x"), "bad.toml: model.layer: unknown setting; did you mean"),
        (("run", "{tmp}/s.toml", "--output", "{tmp}/s.toml/x", "--data", "{data}"), "s.toml/x: Not a directory"),
        (("status", "{tmp}"), "no training run here"),
        (("plot", "{tmp}"), "no steps in its journal to draw"),
        (("sample", "{tmp}"), "no training run here"),
        (("eval", "{tmp}"), "no training run here"),
        (("export", "{tmp}", "--to", "{tmp}/y"), "no stage is finished here"),
        (("plan", "{tmp}/absent.toml"), "neither a preset"),
    ],
)
def test_what_is_wrong_is_one_line(
    capsys: pytest.CaptureFixture[str], words: Sequence[str], message: str, data: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("[model]\nlayer = 3\n")
    (tmp_path / "s.toml").write_text(RECIPE)
    told = call(capsys, *(word.format(tmp=tmp_path, data=data) for word in words), code=1)
    assert message in told
    assert told.startswith("winnow-train: ")
    assert len(told.splitlines()) == 1


def test_a_run_folder_can_be_moved_away_from_its_shards(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = tmp_path / "here" / "data" / "tokenize" / "key" / "tokenizer.json"
    tokenizer.parent.mkdir(parents=True)
    make_words().engine.save(str(tokenizer))
    facts = dataclasses.replace(FACTS, sha256=hashlib.sha256(tokenizer.read_bytes()).hexdigest())
    write_shards(tmp_path / "here" / "data", documents=120, tokenizer=facts)
    monkeypatch.chdir(tmp_path / "here")
    evaluation = EvalConfig(held_out_shards=1, tokens=256, needle_depths=2, needles=1)
    train(recipe_of("data", stage("a", 3, seq_len=32, sequences=2), evaluation=evaluation), Path("run"), Listener())
    monkeypatch.chdir(tmp_path)
    told = call(capsys, "eval", "here/run", "--length", "32")  # from another folder
    assert "a: perplexity " in told
    (tmp_path / "here" / "run").rename(tmp_path / "run")
    (tmp_path / "here").rename(tmp_path / "there")
    assert call(capsys, "sample", "run", "--prompt", "ab", "--count", "1", "--tokens", "3").startswith("> <bos>ab")
    assert "with its tokenizer" in call(capsys, "export", "run", "--to", "out")
    assert AutoTokenizer.from_pretrained(tmp_path / "out")("ab c")["input_ids"] == [0, 3, 4, 31]
    assert "no token shards" in call(capsys, "eval", "run", "--length", "32", code=1)
    assert (
        call(capsys, "eval", "run", "--length", "32", "--data", "there/data").splitlines()[1:] == told.splitlines()[1:]
    )
