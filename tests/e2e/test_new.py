"""`winnow run --new` on the demo's web, which arrives bit by bit: killed, gone on with, nothing new, the same again."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.runs.dataset import Dataset
from pipelines.stages.tokens import tokenizer_path
from schemas.settings import overlay
from tests.chaos.harness import Running, commits, shards
from transforms.tokens.tokenizer import TokenizerConfig, load

FIRST = ("crawl-00000.warc.gz", "crawl-00001.warc.gz", "documents.jsonl")
SECOND = ("crawl-00002.warc.gz", "crawl-00003.warc", "crawl-00004.warc.wet.gz")
QUICK = ("--set", "extract.engine=resiliparse")

Start = Callable[..., Running]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("new")


@pytest.fixture(scope="module")
def crawl(root: Path, small_web: Any) -> Path:
    """The folder that archives arrive in; the first half is there."""
    folder = root / "crawl"
    folder.mkdir()
    for name in FIRST:
        shutil.copy(small_web.crawl / name, folder)
    return folder


@pytest.fixture(scope="module")
def start(root: Path, crawl: Path, small_web: Any) -> Start:
    """Start `winnow run --new` over the folder into a dataset."""

    def start(output: Path, *more: str) -> Running:
        given = ["run", "--new", "--input", str(crawl), "--output", str(output), *small_web.options, *QUICK, *more]
        return Running(given, root / "starts")

    return start


@pytest.fixture(scope="module")
def first(start: Start, root: Path) -> Path:
    """A dataset of one run."""
    ended = start(root / "dataset").wait()
    assert ended.code == 0, ended.err
    assert len(Dataset(str(root / "dataset")).runs()) == 1
    return root / "dataset"


@pytest.fixture(scope="module")
def twin(first: Path, root: Path) -> Path:
    """A copy of the dataset as it is after its first run."""
    return Path(shutil.copytree(first, root / "twin"))


@pytest.fixture(scope="module")
def second(first: Path, twin: Path, crawl: Path, small_web: Any, start: Start) -> Path:
    """The dataset after its second run, undisturbed."""
    for name in SECOND:
        shutil.copy(small_web.crawl / name, crawl)
    ended = start(first).wait()
    assert ended.code == 0, ended.err
    return first / "runs" / "000001"


def files(folder: Path) -> dict[str, int]:
    """Return the time of each file that a run writes."""
    wanted = [path for path in folder.rglob("*") if path.is_file() and "logs" not in path.parts]
    return {str(path): path.stat().st_mtime_ns for path in wanted if path.name != ".lock"}


def ledger(winnow: Any, folder: Path) -> dict[str, Any]:
    book: dict[str, Any] = json.loads(winnow("ledger", folder, "--json"))
    return book


def balance(stages: list[dict[str, Any]]) -> None:
    before = None
    for stage in stages:
        assert stage["read"] == stage["kept"] + sum(stage["dropped"].values()) + sum(stage["failed"].values()), stage
        assert before in (None, stage["read"]), stage
        before = stage["kept"]


def test_the_second_run_reads_the_second_half_alone(first: Path, second: Path) -> None:
    zero, one = Dataset(str(first)).runs()
    names = [{Path(entry["path"]).name for entry in run.inputs() or []} for run in (zero, one)]
    assert names == [set(FIRST), set(SECOND)]
    assert one.path == str(second)
    assert one.finished()


def test_ledgers_balance_in_each_run_and_in_sum(first: Path, second: Path, small_web: Any, winnow: Any) -> None:
    book = ledger(winnow, first)
    for stages in (book["stages"], *(run["stages"] for run in book["runs"])):
        balance(stages)
        assert len(stages) == 7
    assert book["stages"][0]["read"] == len(small_web.truth.records)
    assert [len(run["shards"]) > 0 for run in book["runs"]] == [True, True]


def test_no_text_stands_in_both_runs(first: Path, second: Path, winnow: Any) -> None:
    rows = json.loads(winnow("show", first, "--limit", 0, "--json"))
    assert {row["run"] for row in rows} == {0, 1}
    for column in ("id", "text", "record_id"):
        assert len({row[column] for row in rows}) == len(rows)
    reasons = set(ledger(winnow, second)["stages"][0]["dropped"])
    assert "url_in_earlier_run" in reasons


def test_the_shards_of_both_runs_are_of_one_tokenizer(first: Path, second: Path, winnow: Any) -> None:
    zero, one = ({m.stage: (m, d) for m, d in run.committed()} for run in Dataset(str(first)).runs())
    manifest, data = zero["tokenize"]
    config = overlay(TokenizerConfig(), manifest.config["tokenizer"])
    tokenizer = load(Path(tokenizer_path(data)).read_bytes(), "dataset", config)
    texts = {row["id"]: row["text"] for row in json.loads(winnow("show", second, "--limit", 0, "--json"))}
    whole = 0
    for shard in one["shards"][0].facts["shards"]:
        file = pq.ParquetFile(Path(one["shards"][1].root) / shard["path"])
        assert file.schema_arrow.metadata[b"winnow.tokenizer_sha256"].decode() == tokenizer.sha256
        for row in file.read().to_pylist():
            begin = 0
            for end, document_id, offset in zip(row["doc_ends"], row["doc_ids"], row["doc_offsets"], strict=True):
                tokens, begin = row["tokens"][begin:end], end
                if document_id and offset == 0 and tokens[-1] == tokenizer.eos_id:
                    assert tokenizer.decode(tokens) == texts[document_id]
                    whole += 1
    assert whole > 20


def test_killed_in_the_midst_and_gone_on_with(second: Path, twin: Path, start: Start) -> None:
    run, before = twin / "runs" / "000001", files(twin)
    done: dict[str, tuple[bytes, int]] = {}
    for stage in ("web/extract", "dedup", "shards"):
        running = start(twin)
        assert running.until((run / stage).exists)
        running.signal_group(signal.SIGKILL)
        assert running.wait(60).code == -signal.SIGKILL
        assert running.orphans() == []
        assert len(json.loads((run / "inputs.json").read_text())["inputs"]) == len(SECOND)
        now = commits(run)
        assert {stage: now[stage] for stage in done} == done, "a finished stage was done again"
        done = now
    ended = start(twin).wait()
    assert ended.code == 0, ended.err
    assert "nothing new" in ended.out
    assert shards(run) == shards(second)
    after = files(twin)
    assert {path: after[path] for path in before} == before, "the first run was touched"
    assert len(Dataset(str(twin)).runs()) == 2


def test_nothing_new_is_said_and_nothing_changes(first: Path, second: Path, start: Start) -> None:
    before = files(first)
    ended = start(first).wait()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "nothing new: 6 inputs are all in committed runs\n"
    assert files(first) == before


def test_what_was_there_already_falls_out_of_a_third_run(
    first: Path, second: Path, crawl: Path, start: Start, winnow: Any, root: Path, small_web: Any
) -> None:
    shutil.copy(crawl / FIRST[0], crawl / "crawl-00009.warc.gz")
    told = root / "told.json"
    metrics = root / "winnow.prom"
    ended = start(first, "--metrics", str(metrics), "--notify", f"sh -c 'cat > {told}'").wait()
    assert ended.code == 0, ended.err
    book = ledger(winnow, first)
    third = book["runs"][2]
    balance(third["stages"])
    assert third["stages"][0]["read"] == sum(record.file == FIRST[0] for record in small_web.truth.records)
    assert (third["stages"][-1]["kept"], third["shards"]) == (0, [])
    assert json.loads(told.read_text())["new_inputs"] == 1
    assert "winnow_last_run_exit_code" in metrics.read_text()


def test_bit_by_bit(start: Start, root: Path) -> None:
    names = []
    for _ in range(2):
        ended = start(root / "bits", "--max-inputs", "2").wait()
        assert ended.code == 0, ended.err
        newest = Dataset(str(root / "bits")).runs()[-1]
        names.append([Path(entry["path"]).name for entry in newest.inputs() or []])
    assert names == [sorted((*FIRST, *SECOND))[:2], sorted((*FIRST, *SECOND))[2:4]]
