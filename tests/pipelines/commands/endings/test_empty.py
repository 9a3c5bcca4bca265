"""A run that came to its end with nothing has an exit code of its own and says why."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.reports.outcome import EMPTY

Call = Callable[..., Any]


def csv(folder: Path) -> Path:
    (folder / "table.csv").write_text("text,url\nhello,x\n")
    (folder / "page.html").write_text("<html><p>hello</p></html>")
    return folder


def no_bytes(folder: Path) -> Path:
    (folder / "a.jsonl").touch()
    return folder


def blank_lines(folder: Path) -> Path:
    (folder / "a.jsonl").write_text("\n\n\n")
    return folder


def array(folder: Path) -> Path:
    (folder / "a.json").write_text('[\n{"text": "x"},\n{"text": "y"}\n]')
    return folder


def other_column(folder: Path) -> Path:
    with gzip.open(folder / "a.jsonl.gz", "wt") as file:
        file.write('{"body": "some text", "link": "x"}\n{"body": "other text"}\n')
    return folder


def token_shard(folder: Path) -> Path:
    pq.write_table(pa.table({"tokens": pa.array([[1, 2, 3]], pa.list_(pa.uint16()))}), folder / "shard.parquet")
    return folder


def too_short(folder: Path) -> Path:
    (folder / "a.jsonl").write_text("".join(json.dumps({"text": f"This is text {n}."}) + "\n" for n in range(7)))
    return folder


FORMATS = "(they are: WARC, ARC and WET (plain, gzip, LZ4, Zstandard), JSONL (one object a line) and Parquet)"
NO_TEXT = "no row has a text in column 'text': "
NAME_IT = "; name it with --set index.ingest.text_column=COLUMN"


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (csv, ["no record was read: ", "page.html is in none of the formats", "as is every other input", FORMATS]),
        (blank_lines, ["no record was read: ", "a.jsonl holds none"]),
        (array, ["no record was read: ", "a.json is in none of the formats that are read", FORMATS]),
        (other_column, [NO_TEXT, "a.jsonl.gz; its columns are body, link", NAME_IT]),
        (token_shard, [NO_TEXT, "shard.parquet; its columns are tokens (list<", NAME_IT]),
        (too_short, ["7 records were read and none was kept; most ended in stage web/clean: too_few_words 7;",
                     "look at them with `winnow show ", " --reason too_few_words`"]),
    ],
)  # fmt: skip
def test_it_says_why(
    command: Call, config: Path, tmp_path: Path, make: Callable[[Path], Path], parts: list[str]
) -> None:
    (tmp_path / "in").mkdir()
    said = command("run", "--input", make(tmp_path / "in"), "--output", tmp_path / "run", "--config", config)
    assert said.code == EMPTY == 4, said
    assert said.err.startswith(f"winnow: {tmp_path / 'run'}: ")
    assert said.err.count("\n") == 1
    for part in parts:
        assert part in said.err


def test_it_says_so_again_and_tells_the_monitor(command: Call, config: Path, tmp_path: Path) -> None:
    words = ("run", "-i", no_bytes(tmp_path) / "a.jsonl", "-o", tmp_path / "run", "-c", config)
    first = command(*words)
    again = command(*words, "--metrics", tmp_path / "run.prom", "--notify", f"sh -c 'cat > {tmp_path}/notice.json'")
    assert (first.code, again.code) == (4, 4)
    assert first.err == again.err
    assert "no record was read: " in first.err
    assert "a.jsonl is empty" in first.err
    metrics = (tmp_path / "run.prom").read_text()
    assert 'winnow_last_run_exit_code{dataset="' in metrics
    assert 'outcome="empty"} 1' in metrics
    assert json.loads((tmp_path / "notice.json").read_text())["outcome"] == "empty"


def test_a_dataset_is_not_built_on_a_run_that_kept_nothing(
    command: Call, config: Path, jsonl: Path, tmp_path: Path
) -> None:
    words = ("run", "--new", "-o", tmp_path / "run", "-c", config, "-i")
    assert command(*words, no_bytes(tmp_path) / "a.jsonl").code == 4
    said = command(*words, jsonl)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "its first run kept nothing, so its tokenizer was trained on no text" in said.err
    assert not (tmp_path / "run" / "runs").exists()
