"""`winnow export` as it is called: what it prints, and its mistakes in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.export.export import FORMATS

Call = Any


def test_it_says_what_it_wrote(small_run: Path, tmp_path: Path, call: Call) -> None:
    said = call("export", small_run, "--to", tmp_path / "out", "--format", "jsonl")
    assert said.code == 0, said.err
    assert said.out.startswith(f"{tmp_path / 'out'}: 9 documents, ")
    assert "MB\n" in said.out
    again = call("export", small_run, "--to", tmp_path / "out", "--format", "jsonl")
    assert again.out.endswith("(there already)\n")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_for_programs(small_run: Path, tmp_path: Path, call: Call, kind: str) -> None:
    said = call("export", small_run, "--to", tmp_path / kind, "-f", kind, "--json")
    assert said.code == 0, said.err
    assert (said.json["format"], said.json["is_new"]) == (kind, True)
    written = json.loads((tmp_path / kind / "export.json").read_text())
    assert said.json["counts"] == written["counts"]
    assert said.json["files"] == len(written["files"])


def test_the_former_result_can_be_exported(
    small_run: Path, jsonl: Path, config: Path, tmp_path: Path, command: Call, call: Call
) -> None:
    run = tmp_path / "run"
    shutil.copytree(small_run, run)
    done = command("run", "--input", jsonl, "--output", run, "--config", config, "--set", "mix.token_budget=500")
    assert done.code == 0, done.err
    before = call("export", f"{run}@former", "--to", tmp_path / "former", "-f", "tokenizer", "--json")
    tokens = call("export", f"{run}@former", "--to", tmp_path / "tokens", "-f", "bin", "--json")
    now = call("export", run, "--to", tmp_path / "now", "-f", "bin", "--json")
    assert before.code == tokens.code == now.code == 0
    assert now.json["counts"]["tokens"] < tokens.json["counts"]["tokens"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "jsonl"), "export where? give a new folder with --to"),
        (("--to", "OUT", "--format", "csv"), "--format csv: no such format; expected one of parquet, jsonl, hf"),
        (("--to", "OUT", "--copies", "twice"), "--copies twice: not allowed; expected rows or weight"),
        (("--to", "OUT", "-f", "bin", "--columns", "text"), "--columns and --copies are for text"),
        (("--to", "OUT", "-f", "megatron", "--copies", "weight"), "--columns and --copies are for text"),
        (("--to", "OUT", "-f", "tokenizer", "--file-tokens", "9"), "--file-tokens is for text and tokens"),
        (("--to", "OUT", "--columns", "txet,text"), "--columns txet: not in the documents; there are id, text"),
        (("--to", "OUT", "--run", "7"), "--run 7: no such run"),
        (("--to", "RUN"), "lies in the run's folder"),
        (("--to", "RUN/exported"), "lies in the run's folder"),
        (("--to", "https://example.org/x"), "a web server cannot be written to"),
    ],
)
def test_mistakes_are_one_line(
    small_run: Path, tmp_path: Path, call: Call, arguments: tuple[str, ...], said: str
) -> None:
    words = [word.replace("OUT", str(tmp_path / "out")).replace("RUN", str(small_run)) for word in arguments]
    told = call("export", small_run, *words)
    assert told.code == (1 if "--run" in arguments else 2)
    assert said in told.err
    assert told.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda run: shutil.rmtree(run / "shards"), "this run is not finished; run its command again"),
        (lambda run: (run / "mix" / "manifest.json").unlink(), "this run is not finished"),
        (lambda run: (run / "winnow.json").unlink(), "no Winnow run here"),
        (lambda run: next((run / "tokenize").rglob("tokenizer.json")).write_text("{}"), "is not the file that"),
        (lambda run: next((run / "tokenize").rglob("tokenizer.json")).unlink(), "the run's tokenizer is gone"),
        (lambda run: next((run / "shards").rglob("shard-*.parquet")).write_bytes(b"PAR1"), "is damaged"),
    ],
)
def test_a_run_that_is_not_whole(small_run: Path, tmp_path: Path, call: Call, break_it: Any, said: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(small_run, run)
    break_it(run)
    told = call("export", run, "--to", tmp_path / "out", "-f", "bin")
    assert (told.code, told.err.count("\n")) == (1, 1)
    assert said in told.err
    assert not (tmp_path / "out").exists()


def test_tables_that_do_not_fit_are_told(small_run: Path, tmp_path: Path, call: Call) -> None:
    run = tmp_path / "run"
    shutil.copytree(small_run, run)
    mixed = next((run / "mix").rglob("mixed/part-*.parquet"))
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(mixed)
    ids = pa.array(table["id"].to_pylist()[::-1])
    pq.write_table(table.set_column(table.schema.get_field_index("id"), "id", ids), mixed)
    told = call("export", run, "--to", tmp_path / "out")
    assert told.code == 1
    assert "its documents are not those that the mix took" in told.err
