from __future__ import annotations

import dataclasses
import json
import math
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from classifiers.teacher.judges.server import ServerJudge
from classifiers.teacher.judges.settings import ServerConfig
from classifiers.teacher.prompt import load_prompt
from classifiers.teacher.sample import SampleConfig
from classifiers.training.labelled_table import read_rows
from pipelines.labelling.documents import TableDocuments
from pipelines.labelling.job import LabelJob, label, spent
from schemas.errors import ConfigError, InputError, RunError
from tests.chat_server import ChatServer, Reply
from tests.pipelines.labelling import killed

QUALITY = load_prompt("quality")


def reply(messages: list[dict[str, str]]) -> Reply:
    """Call the even documents good; the answer about every seventh is malformed."""
    number = int(name_of(messages[-1]["content"]))
    raw = "yes" if number % 2 == 0 else "no"
    likeliest = [(raw, math.log(0.75)), ("no" if raw == "yes" else "yes", math.log(0.25))]
    return ("well, " + raw if number % 7 == 0 else raw), likeliest


def name_of(content: str) -> str:
    return content.split("document ")[1].split(" ")[0]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    chat = ChatServer(reply)
    chat.name_of = name_of
    yield chat
    chat.shutdown()
    chat.server_close()


def write_table(path: Path, n: int, *, backwards: bool = False) -> str:
    rows: list[dict[str, Any]] = [
        {"id": f"{at:032x}", "text": f"document {at} tells something", "url": f"https://s{at % 5}.example.org/{at}",
         "language": "en" if at % 3 else "de", "quality": {"score": at / n}}
        for at in range(n)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in (rows[::-1] if backwards else rows)))
    return str(path)


def job_of(url: str, table: str, **more: Any) -> LabelJob:
    judge = ServerJudge(url, "m", "r1", QUALITY, ServerConfig(concurrency=3))
    plain = {"documents": TableDocuments((table,)), "prompt": QUALITY, "judge": judge, "count": 1000}
    return LabelJob(**{**plain, "sample": SampleConfig(), **more})  # type: ignore[arg-type]


def run(job: LabelJob, to: Path) -> tuple[dict[str, Any], bool]:
    return label(job, str(to), lambda done, of: None)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".parquet", ".json")}


def test_a_label_table(server: ChatServer, tmp_path: Path) -> None:
    manifest, is_new = run(job_of(server.url, write_table(tmp_path / "t.jsonl", 21)), tmp_path / "out")
    assert is_new
    assert manifest["counts"]["judged"] == 21
    assert manifest["counts"]["by_label"] == {"good": 9, "poor": 9}
    assert manifest["counts"]["unlabelled"] == {"malformed": 3}
    rows = pq.ParquetFile(tmp_path / "out" / "labels.parquet").read().to_pylist()
    first = rows[0]
    assert [row["id"] for row in rows] == sorted(f"{at:032x}" for at in range(21) if at % 7)
    assert first == {
        "id": f"{1:032x}", "url": "https://s1.example.org/1", "site": "example.org", "source": "", "language": "en",
        "page_kind": "", "stratum": "en/-/-", "weight": 1.0, "text": "document 1 tells something", "prompt": "quality",
        "prompt_version": 1, "prompt_digest": QUALITY.digest, "model": "m-served", "revision": "r1", "answer": "no",
        "label": "poor", "certainty": 0.75, "probability": 0.25, "mean": None, "mass": 1.0,
        "probabilities": '{"good": 0.25, "poor": 0.75}', "cause": "",
    }  # fmt: skip
    kept = pq.ParquetFile(tmp_path / "out" / "unlabelled.parquet").read().to_pylist()
    assert [(row["answer"], row["cause"], row["label"]) for row in kept[:2]] == [
        ("well, yes", "malformed", None), ("well, no", "malformed", None),
    ]  # fmt: skip
    used = spent(str(tmp_path / "out"))
    assert used["prompt_tokens"] > 21 * 100
    assert (used["output_tokens"], used["attempts"], used["without_tokens"]) == (21 + 3, 21, 0)


def test_students_read_it(server: ChatServer, tmp_path: Path) -> None:
    run(job_of(server.url, write_table(tmp_path / "t.jsonl", 5)), tmp_path / "out")
    rows = list(read_rows(tmp_path / "out" / "labels.parquet", ("text", "label", "language")))
    assert rows[0] == ("document 1 tells something", "poor", "en")


def test_the_same_bytes_whatever_the_order(server: ChatServer, tmp_path: Path) -> None:
    first, _ = run(job_of(server.url, write_table(tmp_path / "t.jsonl", 200), count=30), tmp_path / "a")
    second, _ = run(
        job_of(server.url, write_table(tmp_path / "u.jsonl", 200, backwards=True), count=30), tmp_path / "b"
    )
    assert first["files"] == second["files"]
    assert (tmp_path / "a" / "sample.parquet").stat().st_size > 0
    assert first["counts"]["judged"] == 30
    bands = {"en/-/1", "en/-/2", "en/-/3", "en/-/4"}
    assert first["counts"]["by_stratum"].keys() == bands | {"de/-/-"}  # 67 German documents are too few for four bands


def test_a_finished_job_asks_nobody(server: ChatServer, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.jsonl", 9)
    manifest, _ = run(job_of(server.url, table), tmp_path / "out")
    before = files(tmp_path / "out")
    assert run(job_of(server.url, table), tmp_path / "out") == (manifest, False)
    assert files(tmp_path / "out") == before
    assert sum(server.asked.values()) == 9


@pytest.mark.parametrize("what", ["count", "prompt", "text"])
def test_another_job_is_refused(server: ChatServer, tmp_path: Path, what: str) -> None:
    table = write_table(tmp_path / "t.jsonl", 9)
    run(job_of(server.url, table), tmp_path / "out")
    if what == "text":
        write_table(tmp_path / "t.jsonl", 10)
    more: dict[str, Any] = {"count": {"count": 8}, "prompt": {"prompt": load_prompt("stem")}, "text": {}}[what]
    with pytest.raises(RunError, match="holds the labels of another job"):
        run(job_of(server.url, table, **more), tmp_path / "out")


def test_an_unfinished_job_is_not_mixed_with_another(server: ChatServer, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.jsonl", 9)
    server.always_refused["4"] = (401, {}, "no credit")
    with pytest.raises(RunError, match="no credit"):
        run(job_of(server.url, table), tmp_path / "out")
    with pytest.raises(RunError, match="answers to another sample, prompt, model or setting"):
        run(job_of(server.url, table, prompt=load_prompt("stem")), tmp_path / "out")


def test_somebody_elses_folder_is_left_alone(server: ChatServer, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match=r"holds thesis\.txt"):
        run(job_of(server.url, write_table(tmp_path / "t.jsonl", 3)), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_texts_are_cut_as_they_are_judged(server: ChatServer, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": "document 2 " + "x" * 500}) + '\n{"text": "  "}\n')
    run(job_of(server.url, str(tmp_path / "t.jsonl"), sample=SampleConfig(max_chars=100)), tmp_path / "out")
    (row,) = pq.ParquetFile(tmp_path / "out" / "labels.parquet").read().to_pylist()
    assert row["text"] == ("document 2 " + "x" * 500)[:100]


def test_there_must_be_a_document(server: ChatServer, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"text": ""}\n')
    with pytest.raises(InputError, match="no document"):
        run(job_of(server.url, str(tmp_path / "t.jsonl")), tmp_path / "out")
    (tmp_path / "t.jsonl").write_text('{"body": "x"}\n')
    with pytest.raises(ConfigError, match="row 1 has no column 'text'; columns: body"):
        run(job_of(server.url, str(tmp_path / "t.jsonl")), tmp_path / "out2")


def recorded(folder: Path) -> set[str]:
    """Return the documents whose answers a killed job had put on record."""
    path = folder / "answers.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)[1:] if path.exists() else []
    return {str(int(json.loads(line)["id"], 16)) for line in lines if line.endswith(b"\n")}


def test_killed_ten_times_it_repeats_no_answered_call(server: ChatServer, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.jsonl", 120)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([killed.__name__])
    draws, n_kills, known = random.Random(11), 0, set[str]()
    server.delay_s = 0.002
    while n_kills < 10:
        before, answered = server.asked.copy(), sum(server.answered.values())
        process = context.Process(target=killed.run, args=(server.url, table, str(tmp_path / "out")))
        process.start()
        wanted = answered + draws.randrange(1, 12)
        with server.changed:
            assert server.changed.wait_for(lambda: sum(server.answered.values()) >= wanted, timeout=60)  # noqa: B023
        time.sleep(draws.random() * 0.01)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        n_kills += 1
        assert [name for name in known if server.asked[name] > before[name]] == []
        known = recorded(tmp_path / "out")
    before = server.asked.copy()
    run(job_of(server.url, table), tmp_path / "out")
    assert [name for name in known if server.asked[name] > before[name]] == []
    assert sum(server.asked.values()) <= 120 + 10 * (3 + 1)  # what was on its way, or not yet on the disk
    run(job_of(server.url, table), tmp_path / "whole")
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_settings_of_the_answer_are_in_the_key() -> None:
    job = job_of("http://x/v1", __file__)
    other = dataclasses.replace(job, asked_with={"logprobs": 5})
    assert job.key("s") != other.key("s")
    assert job.key("s") == job_of("http://another/v1", __file__).key("s")
