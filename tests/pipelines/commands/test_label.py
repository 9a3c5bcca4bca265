"""`winnow label` and `winnow agreement` as they are called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from schemas.identity import content_id
from tests.chat_server import ChatServer, Reply
from tests.tiny_llama import write_tiny_llama

Call = Any


def reply(messages: list[dict[str, str]]) -> Reply:
    """Like texts with an even number of letters."""
    text = messages[-1]["content"].split("<text>\n")[1].split("\n</text>")[0]
    raw = "no" if len(text) % 2 else "yes"
    return raw, [(raw, -0.105360515657826), ("yes" if raw == "no" else "no", -2.302585092994046)]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    chat = ChatServer(reply)
    yield chat
    chat.shutdown()
    chat.server_close()


@pytest.fixture(scope="module")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("tiny-llama"))


def rows(folder: Path) -> list[dict[str, Any]]:
    return pq.ParquetFile(folder / "labels.parquet").read().to_pylist()


def test_the_documents_of_a_run(small_run: Path, tmp_path: Path, call: Call, server: ChatServer) -> None:
    asked = ("label", small_run, "--server", server.url, "--model", "m", "--revision", "r2", "--prompt", "quality")
    said = call(*asked, "--to", tmp_path / "labels", "--set", "server.input_price=2", "--set", "server.concurrency=2")
    assert said.code == 0, said.err
    assert said.out.startswith(f"{tmp_path / 'labels'}: 9 labelled (")
    assert ", cost 0.0" in said.out
    texts = {row["id"]: row["text"] for row in call("show", small_run, "--limit", 0, "--json").json}
    found = rows(tmp_path / "labels")
    assert {row["id"]: row["text"] for row in found} == {one: text[:4000] for one, text in texts.items()}
    for row in found:
        assert (row["label"], row["certainty"]) == ("poor" if len(row["text"]) % 2 else "good", 0.9)
        assert row["probability"] == pytest.approx(0.1 if row["label"] == "poor" else 0.9)
        assert row["site"] == row["url"].split("/")[2]
        assert (row["language"], row["model"], row["revision"]) == ("en", "m-served", "r2")
    again = call(*asked, "--to", tmp_path / "labels")
    assert "(there already)" in again.out
    assert sum(server.asked.values()) == 9


def test_another_stage_and_another_score(small_run: Path, tmp_path: Path, call: Call, server: ChatServer) -> None:
    stages = {stage["name"]: stage["kept"] for stage in call("ledger", small_run, "--json").json["stages"]}
    said = call("label", small_run, "--server", server.url, "-m", "m", "--stage", "web/extract", "--to", tmp_path / "a",
                "--json")  # fmt: skip
    assert said.json["counts"]["judged"] == stages["web/extract"] > 9
    some = call("label", small_run, "--server", server.url, "-m", "m", "--count", "4", "--to", tmp_path / "b", "--json",
                "--set", "sample.score=gopher.n_words", "--set", "sample.bands=2")  # fmt: skip
    assert some.json["counts"]["judged"] == 4


def test_a_model_of_this_machine(tiny_llama: Path, tmp_path: Path, call: Call) -> None:
    (tmp_path / "t.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    (tmp_path / "cats.yaml").write_text(
        'before: "Cats?\\n"\nafter: "\\n{answers}"\nchoices: [{answer: "yes", label: c}, {answer: "no", label: d}]\n'
    )
    said = call("label", "--input", tmp_path / "t.jsonl", "--model", tiny_llama, "--prompt", tmp_path / "cats.yaml",
                "--to", tmp_path / "labels", "--json")  # fmt: skip
    assert said.code == 0, said.err
    found = rows(tmp_path / "labels")
    assert [row["id"] for row in found] == sorted([content_id("one"), content_id("two")])
    assert all(sum(json.loads(row["probabilities"]).values()) == pytest.approx(1, abs=2e-6) for row in found)
    assert said.json["model"]["revision"] == found[0]["revision"] != ""
    assert said.json["spent"]["output_tokens"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("RUN", "--model", "m"), "labels where? give a new folder with --to"),
        (("RUN", "--to", "OUT"), "who judges? give a model's folder"),
        (("--to", "OUT", "--model", "m"), "label what? give the folder of a run, or tables with --input"),
        (("RUN", "--input", "t.jsonl", "--to", "OUT", "--model", "m"), "label what?"),
        (("RUN", "--to", "OUT", "--server", "http://127.0.0.1:1/v1"), "which model? give its name there with --model"),
        (("RUN", "--to", "OUT", "--model", "nowhere"), "model nowhere: cannot be read: No such file"),
        (("RUN", "--to", "OUT", "--model", "m", "--revision", "r"), "--revision goes with --server"),
        (("RUN", "--to", "OUT", "--model", "m", "--prompt", "kwality"), "prompt kwality: there is none of this name"),
        (("RUN", "--to", "OUT", "--model", "m", "--stage", "web/x"), "--stage web/x: no texts of it in"),
        (
            ("RUN", "--to", "OUT", "--model", "m", "--set", "sample.score=a.b"),
            "sample.score: no document has the measure",
        ),
        (("RUN", "--to", "OUT", "--model", "m", "--set", "server.atempts=2"), "did you mean server.attempts?"),
        (("RUN", "--to", "s3://bucket/x", "--model", "m"), "needs a local folder"),
        (("--input", "t.txt", "--to", "OUT", "--model", "MODEL"), "expected .parquet or .jsonl"),
    ],
)
def test_mistakes_are_one_line(
    small_run: Path, tmp_path: Path, call: Call, arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text("x")
    (tmp_path / "t.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    places = {"RUN": small_run, "OUT": tmp_path / "out", "MODEL": tmp_path / "model"}
    ended = call("label", *(places.get(word, word) for word in arguments))
    assert ended.code in (1, 2)
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_agreement_with_people(tmp_path: Path, call: Call, server: ChatServer) -> None:
    texts = [f"text {'x' * n}" for n in range(40)]
    people = [(text, int(len(text) % 2 == 0) if n % 10 else 1) for n, text in enumerate(texts)]
    (tmp_path / "people.jsonl").write_text(
        "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in people)
    )
    said = call(
        "label", "--input", tmp_path / "people.jsonl", "--server", server.url, "-m", "m", "--to", tmp_path / "m"
    )
    assert said.code == 0, said.err
    found = call(
        "agreement", tmp_path / "m", tmp_path / "people.jsonl", "--same", "1=good", "--same", "0=poor", "--json"
    )
    assert found.code == 0, found.err
    (pair,) = found.json["pairs"]
    equal = sum((len(text) % 2 == 0) == bool(label) for text, label in people)
    assert (pair["a"], pair["b"], pair["documents"], pair["equal"]) == ("m", "people.jsonl", 40, equal / 40)
    assert pair["cohen"]["low"] < pair["cohen"]["value"] < pair["cohen"]["high"]
    shown = call("agreement", tmp_path / "m", tmp_path / "people.jsonl", "--same", "1=good", "--same", "0=poor")
    assert f"{pair['cohen']['value']:.3f} (" in shown.out


@pytest.mark.parametrize(
    ("rows_b", "more", "said"),
    [
        ([], (), "two tables or more"),
        (["other"], (), "no document is in two of the tables"),
        (["a"], ("--same", "x"), "--same x: expected LABEL=OTHER"),
        (["a", "a"], (), "a document has the labels 0 and 1"),
    ],
)
def test_mistakes_of_agreement(tmp_path: Path, call: Call, rows_b: list[str], more: tuple[str, ...], said: str) -> None:
    tables = {"a.jsonl": ["a", "b"], "b.jsonl": rows_b}
    for name, texts in tables.items():
        lines = [json.dumps({"text": text, "label": n}) + "\n" for n, text in enumerate(texts)]
        (tmp_path / name).write_text("".join(lines))
    chosen = [tmp_path / name for name, texts in tables.items() if texts]
    ended = call("agreement", *chosen, *more)
    assert ended.code in (1, 2)
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1
