"""The command line: settings, errors in one line, plain output for programs, what is passed through."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.cli import split_beam, spread
from pipelines.recipes.common_crawl import CommonCrawlConfig
from pipelines.runs.plan import VERSION
from schemas.settings import overlay, to_plain

Call = Any
NAMES = ["web/index", "web/extract", "web/clean", "dedup", "tokenize", "mix", "shards"]


def refused(said: Any, *parts: str, code: int = 1) -> None:
    """Check that a command ended with an exit code and one line that says `parts`."""
    assert said.code == code, said
    assert said.err.startswith("winnow: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    for part in parts:
        assert part in said.err


# --- words of the command line


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("run --input a b c --output d", "run --input a --input b --input c --output d"),
        ("run -i a b -o d", "run -i a -i b -o d"),
        ("run --input=a b --output d", "run --input=a --input b --output d"),
        ("run --input a --input b c", "run --input a --input b --input c"),
        ("run --output d --input a", "run --output d --input a"),
        ("run --input a b --set x=1 y", "run --input a --input b --set x=1 y"),
        ("run --input - b", "run --input - --input b"),
        ("run --input a -- --input b c", "run --input a -- --input b c"),
        ("show d --id x", "show d --id x"),
        ("", ""),
    ],
)
def test_spread(given: str, expected: str) -> None:
    assert spread(given.split()) == expected.split()


def test_what_follows_two_dashes_is_beams() -> None:
    assert split_beam(["run", "-i", "a", "--", "--x", "--", "y"]) == (["run", "-i", "a"], ["--x", "--", "y"])
    assert split_beam(["run", "-i", "a"]) == (["run", "-i", "a"], [])
    assert split_beam(["show", "--", "-folder"]) == (["show", "--", "-folder"], [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--input", "x"], "--output"),
        (["run", "--output", "x"], "--input"),
        (["run", "--inptu", "x"], "No such option: --inptu"),
        (["run", "stray.warc", "--input", "x", "--output", "d"], "stray.warc"),
        (["plan", "--input", "x", "--output", "d", "--set", "a=1", "stray.warc"], "stray.warc"),
        (["show", "d", "--limit", "many"], "--limit"),
        (["winow"], "winow"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_one_line(call: Call, words: list[str], message: str) -> None:
    said = call(*words)
    assert said.code == 2
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_no_words_at_all_show_the_commands(call: Call) -> None:
    said = call()
    assert said.code == 2
    assert said.err.startswith("Usage: winnow")
    for name in ("run", "plan", "ledger", "show", "config", "recipes", "lists", "train-classifier", "demo-web"):
        assert f"  {name} " in said.err


# --- settings


def test_config_prints_every_setting_with_its_meaning(call: Call) -> None:
    said = call("config")
    assert said.code == 0
    assert overlay(CommonCrawlConfig(), yaml.safe_load(said.out)) == CommonCrawlConfig()
    assert yaml.safe_load(said.out) == json.loads(json.dumps(to_plain(CommonCrawlConfig())))
    lines = said.out.splitlines()
    keys = [n for n, line in enumerate(lines) if line.strip() and not line.strip().startswith("#")]
    assert len(keys) > 80
    for n in keys:
        assert lines[n - 1].strip().startswith("# "), lines[n]


def test_config_reads_back_what_it_printed(call: Call, tmp_path: Path) -> None:
    changed = ("--set", "clean.gopher.min_words=7", "--set", "language.keep=[de, fr]", "--set", "mix.token_budget=9")
    once = call("config", *changed)
    (tmp_path / "c.yaml").write_text(once.out, encoding="utf-8")
    assert call("config", "--config", tmp_path / "c.yaml").out == once.out
    plain = yaml.safe_load(once.out)
    assert (plain["clean"]["gopher"]["min_words"], plain["language"]["keep"]) == (7, ["de", "fr"])


def test_later_settings_lie_over_earlier_ones(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("lines: {max_copies: 1, bucket_docs: 5}\nsource: one\n")
    (tmp_path / "b.yaml").write_text("lines: {max_copies: 2}\n")
    said = call("config", "-c", tmp_path / "a.yaml", "-c", tmp_path / "b.yaml", "--set", "source=two")
    plain = yaml.safe_load(said.out)
    assert plain["lines"]["max_copies"] == 2
    assert plain["lines"]["bucket_docs"] == 5
    assert plain["source"] == "two"


WRONG = [
    ("clean.gopher.min_wordz=3", "clean.gopher.min_wordz: unknown setting; did you mean clean.gopher.min_words?"),
    ("gopher.min_words=3", "gopher: unknown setting"),
    ("clean.gopher.min_words=many", "clean.gopher.min_words: 'many' is not allowed; expected a whole number"),
    ("clean.gopher.min_words=1.5", "clean.gopher.min_words: 1.5 is not allowed; expected a whole number"),
    ("clean.gopher.min_words=-1", "clean.gopher.min_words: -1 is not allowed; must be >= 0"),
    ("clean.gopher.min_words=true", "clean.gopher.min_words: True is not allowed"),
    ("clean.gopher=3", "clean.gopher: 3 is not allowed; expected a group of settings"),
    ("language.keep={en: 1}", "language.keep: {'en': 1} is not allowed; expected a list of text"),
    ("dedup.keep=oldest", "dedup.keep: 'oldest' is not allowed"),
    ("mix.max_epochs=.nan", "mix.max_epochs: nan is not allowed"),
    ("shards.row_tokens=1", "shards.row_tokens: 1 is not allowed; must be >= 2"),
    ("mix.language_shares={en: 0.7, de: 0.7}", "mix.language_shares: they add up to 1.4"),
    ("quality.min_score=0.5", "quality.min_score: 0.5 is not allowed without a model_path"),
    ("source", "--set source: expected KEY=VALUE"),
    ("source=[", "--set source=[: the value is not valid YAML"),
    ("=3", "--set =3: expected KEY=VALUE"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_allowed(call: Call, change: str, message: str) -> None:
    refused(call("config", "--set", change), message, code=2)


@pytest.mark.parametrize("name", ["run", "plan"])
def test_a_wrong_setting_stops_before_anything_is_done(call: Call, jsonl: Path, tmp_path: Path, name: str) -> None:
    refused(
        call(name, "--input", jsonl, "--output", tmp_path / "d", "--set", "lines.max_copies=0"),
        "lines.max_copies: 0",
        code=2,
    )
    assert not (tmp_path / "d").exists()


def test_a_wrong_file_of_settings_is_named(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    refused(call("config", "--config", path), str(path), "cannot be read", code=2)
    for text, message in (("a: [", "not valid YAML"), ("- 1", "expected a mapping"), ("\xff", "cannot be read")):
        path.write_bytes(text.encode("latin-1"))
        refused(call("config", "--config", path), str(path), message, code=2)
    path.write_text("")
    assert call("config", "--config", path).out == call("config").out


def test_a_model_that_is_not_there_stops_before_anything_is_done(command: Call, jsonl: Path, tmp_path: Path) -> None:
    settings = ("--set", "quality.model_path=/nowhere/model.bin", "--set", f"quality.model_sha256={'0a' * 32}")
    said = command("run", "--input", jsonl, "--output", tmp_path / "d", *settings)
    refused(said, "/nowhere/model.bin", code=2)
    assert not list(tmp_path.rglob("*.parquet"))


# --- inputs


def test_missing_inputs_are_named(call: Call, tmp_path: Path) -> None:
    for name in ("nothere.warc.gz", "*.warc.gz", "@nothere.paths"):
        refused(
            call("plan", "--input", tmp_path / name, "--output", tmp_path / "d"),
            "nothere" if "not" in name else "*.warc",
        )
    (tmp_path / "empty").mkdir()
    refused(call("plan", "--input", tmp_path / "empty", "--output", tmp_path / "d"), "nothing in it")


@pytest.mark.parametrize("packed", [False, True])
def test_a_list_of_inputs_may_be_plain_or_gzip(call: Call, tmp_path: Path, packed: bool) -> None:
    for name in ("b.jsonl", "a.jsonl"):
        (tmp_path / name).write_text("{}\n")
    text = f"# a comment\nb.jsonl\n\n{tmp_path}/a.jsonl\nb.jsonl\n".encode()
    listing = tmp_path / ("warc.paths.gz" if packed else "warc.paths")
    listing.write_bytes(gzip.compress(text) if packed else text)
    plan = call("plan", "--input", f"@{listing}", "--output", tmp_path / "d", "--json").json
    assert [entry["path"] for entry in plan["inputs"]] == [f"{tmp_path}/a.jsonl", f"{tmp_path}/b.jsonl"]
    assert [entry["size"] for entry in plan["inputs"]] == [3, 3]


def test_a_list_that_names_what_is_not_there_or_nothing_is_refused(call: Call, tmp_path: Path) -> None:
    listing = tmp_path / "warc.paths"
    listing.write_text("gone.warc.gz\n")
    refused(call("plan", "--input", f"@{listing}", "--output", tmp_path / "d"), "gone.warc.gz")
    listing.write_text("\n# nothing\n")
    refused(call("plan", "--input", f"@{listing}", "--output", tmp_path / "d"), "the list is empty")
    listing.write_bytes(gzip.compress(b"a.warc\n")[:-4])
    refused(call("plan", "--input", f"@{listing}", "--output", tmp_path / "d"), "is not a list of paths")


# --- what is printed for programs


def test_plan_before_a_run(call: Call, jsonl: Path, tmp_path: Path) -> None:
    plan = call("plan", "--input", jsonl, "--output", tmp_path / "d", "--json").json
    assert plan["inputs"] == [{"path": str(jsonl), "size": jsonl.stat().st_size}]
    assert [(stage["name"], stage["run"], stage["why"]) for stage in plan["stages"]] == [
        (name, True, "not done yet") for name in NAMES
    ]
    assert not (tmp_path / "d").exists()
    said = call("plan", "--input", jsonl, "--output", tmp_path / "d")
    assert f"{jsonl.stat().st_size:,} bytes" in said.out
    assert all(name in said.out for name in NAMES)


def test_plan_after_a_run(call: Call, jsonl: Path, config: Path, small_run: Path) -> None:
    given = ("plan", "--input", jsonl, "--output", small_run, "--config", config, "--json")
    assert [stage["run"] for stage in call(*given).json["stages"]] == [False] * len(NAMES)
    stages = call(*given, "--set", "clean.gopher.min_words=60").json["stages"]
    assert [stage["name"] for stage in stages if stage["run"]] == NAMES[2:]
    assert stages[2]["why"].startswith("changed: gopher.min_words: 50 -> 60")
    assert stages[3]["why"] == "changed: words_after_lines.min_words: 50 -> 60"
    assert stages[4]["why"] == "web/clean is redone"
    stages = call(*given, "--set", "shards.row_tokens=256").json["stages"]
    assert [stage["name"] for stage in stages if stage["run"]] == ["shards"]


def test_plan_refuses_what_run_would_refuse(call: Call, small_run: Path, jsonl: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    refused(call("plan", "--input", jsonl, "--output", tmp_path), "not the output of a Winnow run")
    (tmp_path / "in.jsonl").write_text("{}\n")
    refused(call("plan", "--input", tmp_path / "in.jsonl", "--output", small_run), "holds a run over other inputs")


def test_a_model_adds_its_step(call: Call, jsonl: Path, config: Path, small_run: Path, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"not looked into by plan")
    model = ("--set", f"quality.model_path={tmp_path}/model.bin", "--set", f"quality.model_sha256={'0a' * 32}")
    given = ("plan", "--input", jsonl, "--output", small_run, "--config", config, "--json", *model)
    for more, why in (((), "quality: new"), (("--set", "dedup.keep=best_score"), "quality: new")):
        stages = call(*given, *more).json["stages"]
        assert [stage["name"] for stage in stages] == NAMES
        assert [stage["name"] for stage in stages if stage["run"]] == NAMES[2:]
        assert stages[2]["why"] == f"changed: {why}"
    refused(
        call("config", "--set", "dedup.keep=best_score"),
        "'best_score' is not allowed without quality.model_path",
        code=2,
    )


def test_ledger_json(call: Call, small_run: Path) -> None:
    book = call("ledger", small_run, "--json").json
    assert [stage["name"] for stage in book["stages"]] == NAMES
    for stage in book["stages"]:
        assert {"name", "read", "kept", "dropped", "failed"} <= set(stage)
        assert stage["read"] == stage["kept"] + sum(stage["dropped"].values()) + sum(stage["failed"].values())
    fates = {
        stage["name"]: (stage["read"], stage["kept"], stage["dropped"], stage["failed"]) for stage in book["stages"]
    }
    assert fates["web/index"] == (16, 14, {"same_payload": 1}, {"malformed_json": 1})
    assert fates["web/extract"] == (14, 12, {"language_not_kept": 2}, {})
    assert fates["web/clean"][1] == 10
    assert fates["dedup"] == (10, 9, {"exact_copy": 1}, {})
    assert fates["shards"][1] == 9
    (shard,) = book["shards"]
    assert set(shard) >= {"path", "sha256", "tokens"}
    assert Path(shard["path"]).is_file()
    assert call("ledger", "--output", small_run, "--json").json == book


def test_ledger_for_a_person(call: Call, small_run: Path) -> None:
    said = call("ledger", small_run)
    assert said.code == 0
    assert "language_not_kept 2" in said.out
    assert "exact_copy 1" in said.out
    assert "1 shards" in said.out


@pytest.mark.parametrize("name", ["ledger", "show"])
def test_what_is_no_run_is_refused(call: Call, tmp_path: Path, name: str) -> None:
    refused(call(name, tmp_path / "nowhere"), "no Winnow run here")
    refused(call(name, tmp_path), "no Winnow run here")
    refused(call(name), "which run?", code=2)


# --- runs


def test_a_run_prints_its_stages_and_where_it_is(command: Call, jsonl: Path, config: Path, small_run: Path) -> None:
    said = command("run", "--input", jsonl, "--output", small_run, "--config", config)
    assert (said.code, said.err) == (0, "")
    assert said.out.count("committed and unchanged") == len(NAMES)
    assert f"{small_run}: done in " in said.out


def test_a_run_leaves_its_settings_and_beams_log(small_run: Path, config: Path) -> None:
    plain = yaml.safe_load((small_run / "config.yaml").read_text(encoding="utf-8"))
    settings = json.loads(config.read_text(encoding="utf-8"))
    assert overlay(CommonCrawlConfig(), plain) == overlay(CommonCrawlConfig(), settings)
    (log,) = (small_run / "logs").iterdir()
    assert "stage web/index" in log.read_text(encoding="utf-8")
    marker = json.loads((small_run / "winnow.json").read_text())
    assert marker == {"format": 2, "recipe": "common_crawl", "version": VERSION, "stages": NAMES}


def test_an_unknown_beam_option_is_refused_in_one_line(command: Call, jsonl: Path, tmp_path: Path) -> None:
    for option in ("--direct_num_wrokers=2", "stray", "--direct_num_workers=two"):
        refused(command("run", "--input", jsonl, "--output", tmp_path / "d", "--", option), "Beam options: ", code=2)
        assert not (tmp_path / "d").exists()


def test_a_runner_that_is_none_is_refused_in_one_line(command: Call, jsonl: Path, tmp_path: Path) -> None:
    said = command("run", "--input", jsonl, "--output", tmp_path / "d", "--", "--runner=NoSuchRunner")
    refused(said, "NoSuchRunner", code=2)


def test_beam_options_are_passed_on(command: Call, jsonl: Path, config: Path, small_run: Path, tmp_path: Path) -> None:
    options = ("--", "--direct_num_workers", "2", "--direct_running_mode=multi_threading", "--job_name=from-a-test")
    said = command(
        "run", "-i", jsonl, "-o", tmp_path / "d", "-c", config, "--set", "tokenizer.vocab_size=300", *options
    )
    assert said.code == 0, said.err
    assert said.err == ""


def test_a_folder_that_cannot_be_made_is_one_line(command: Call, jsonl: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    refused(command("run", "--input", jsonl, "--output", tmp_path / "file" / "d"), "file/d: cannot be written")


def test_the_command_starts_without_noise(command: Call) -> None:
    said = command("--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Usage: winnow")
