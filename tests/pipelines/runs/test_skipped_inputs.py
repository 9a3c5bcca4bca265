"""Inputs that cannot be read are left out of a run when it is told to, and are on its record."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.commands.endings.ending import Ending
from pipelines.reports import ledger
from pipelines.runs.dataset import SourceFile, describe
from schemas.errors import InputError
from storage.listing.inputs import Unreadable
from storage.network import remote
from tests.pipelines.dataset_bench import Bench, stop
from tests.storage.web_server import Page, WebServer, serving

Call = Callable[..., Any]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    with serving() as server:
        yield server


def new(bench: Bench, files: list[SourceFile], limit: int = 0, skip: bool = True) -> Ending:
    """Run what is new, as `winnow run --new` does."""
    job = dataclasses.replace(bench.job(), unreadable=Unreadable(skip))
    job.run_new(files, limit)
    return job.ending


def of(*paths: str) -> list[SourceFile]:
    return [SourceFile("web", path) for path in paths]


def names(entries: list[dict[str, str]]) -> list[str]:
    return [entry["path"].rsplit("/", 1)[-1] for entry in entries]


def test_a_whole_run_goes_on_and_records_what_it_left_out(bench: Bench, server: WebServer) -> None:
    files = of(*bench.paths, f"{server.url}/none.jsonl", server.put("/refused.jsonl", Page(refusals=[(403, {})] * 9)))
    with pytest.raises(InputError, match=r"HTTP 40[34] .*--skip-unreadable goes on without it"):
        describe(files, Unreadable())
    job = dataclasses.replace(bench.job(), unreadable=Unreadable(skip=True))
    job.run_whole(describe(files, job.unreadable))
    assert job.ending.message.endswith("; inputs left out: 2")
    assert bench.inputs() == [["a", "b"]]
    [run] = bench.dataset.runs()
    assert run.finished()
    record = json.loads((bench.root / "out" / "inputs.json").read_text())
    causes = {"none.jsonl": "HTTP 404 Not Found", "refused.jsonl": "HTTP 403 Forbidden"}
    assert record["skipped"] == run.skipped() == [
        {"path": f"{server.url}/{name}", "why": f"{server.url}/{name}: cannot be read: {cause}"}
        for name, cause in causes.items()
    ]  # fmt: skip
    assert ledger.ledger(run)["skipped_inputs"] == run.skipped()
    assert ledger.dataset_ledger(bench.dataset)["skipped_inputs"] == run.skipped()
    console = Console(record=True, width=200)
    console.print(ledger.draw(ledger.ledger(run)))
    text = console.export_text()
    assert "inputs left out, which could not be read: 2" in text
    assert all(entry["why"] in text for entry in run.skipped())


def test_a_run_that_leaves_nothing_out_records_nothing(bench: Bench) -> None:
    bench.whole()
    assert "skipped" not in json.loads((bench.root / "out" / "inputs.json").read_text())
    assert ledger.ledger(bench.dataset.runs()[0])["skipped_inputs"] == []


def test_many_are_counted_and_some_are_named() -> None:
    skipped = [{"path": str(n), "why": f"{n}: no such file"} for n in range(1_200)]
    lines = ledger.skipped_lines(skipped).splitlines()
    assert lines[0] == "inputs left out, which could not be read: 1,200"
    assert lines[1] == "  0: no such file"
    assert lines[-1] == "  ... and 1,195 more (`winnow ledger --json`)"
    assert len(lines) == 7


def test_an_input_that_comes_back_is_new(bench: Bench, server: WebServer) -> None:
    late = f"{server.url}/late.jsonl"
    new(bench, of(*bench.paths, late))
    assert bench.inputs() == [["a", "b"]]
    ending = new(bench, of(*bench.paths, late))
    assert ending.message == "nothing new: 2 inputs are in committed runs, 1 cannot be read"
    server.put("/late.jsonl", Page(b"late"))
    new(bench, of(*bench.paths, late))
    assert bench.inputs() == [["a", "b"], ["late.jsonl"]]
    assert names(bench.dataset.runs()[0].skipped()) == ["late.jsonl"]
    assert bench.dataset.runs()[1].skipped() == []


def test_an_unreadable_input_gives_its_place_to_the_next(bench: Bench, server: WebServer) -> None:
    bad = [f"{server.url}/bad-{n}" for n in range(3)]
    files = of(*bad[:2], bench.paths[0], bad[2], bench.paths[1])
    new(bench, files, limit=1)
    assert bench.inputs() == [["a"]]
    assert names(bench.dataset.runs()[0].skipped()) == ["bad-0", "bad-1"]
    new(bench, files, limit=1)
    assert bench.inputs() == [["a"], ["b"]]


def test_without_the_flag_a_new_input_that_cannot_be_read_ends_the_run(bench: Bench, server: WebServer) -> None:
    with pytest.raises(InputError, match=r"/bad: cannot be read: HTTP 404 Not Found; --skip-unreadable"):
        new(bench, of(*bench.paths, f"{server.url}/bad"), skip=False)
    assert bench.inputs() == []


def test_an_unfinished_run_goes_on_without_an_input_that_vanished(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(bench, monkeypatch)
    (bench.root / "in" / "b").unlink()
    with pytest.raises(InputError, match="in/b: cannot be read: No such file or directory; --skip-unreadable"):
        new(bench, bench.files, skip=False)
    new(bench, bench.files)
    assert bench.inputs() == [["a"]]
    assert names(bench.dataset.runs()[0].skipped()) == ["b"]
    assert bench.dataset.unfinished() is None


# --- the command line


def plan(call: Call, tmp_path: Path, *inputs: object, output: str = "run") -> Any:
    given = [word for item in inputs if not str(item).startswith("--") for word in ("--input", item)]
    flags = [item for item in inputs if str(item).startswith("--")]
    return call("plan", *given, "--output", tmp_path / output, *flags)


def test_plan_names_what_a_run_would_leave_out(call: Call, tmp_path: Path, server: WebServer) -> None:
    good = server.put("/good.jsonl", Page(b'{"text": "x"}\n'))
    (tmp_path / "list").write_text(f"{good}\n{server.url}/bad.jsonl\n")
    refused = plan(call, tmp_path, f"@{tmp_path / 'list'}")
    assert (refused.code, refused.err) == (
        1,
        f"winnow: {server.url}/bad.jsonl: cannot be read: HTTP 404 Not Found; --skip-unreadable goes on without it\n",
    )
    planned = plan(call, tmp_path, f"@{tmp_path / 'list'}", "--skip-unreadable", "--json")
    assert planned.code == 0, planned.err
    assert names(planned.json["inputs"]) == ["good.jsonl"]
    assert names(planned.json["skipped_inputs"]) == ["bad.jsonl"]
    shown = plan(call, tmp_path, f"@{tmp_path / 'list'}", "--skip-unreadable")
    assert f"{server.url}/bad.jsonl: cannot be read: HTTP 404 Not Found" in shown.out
    nothing = plan(call, tmp_path, f"{server.url}/bad.jsonl", "--skip-unreadable")
    assert nothing.code == 1
    assert nothing.err == (
        f"winnow: none of 1 inputs can be read; the first: {server.url}/bad.jsonl: cannot be read: HTTP 404 Not Found\n"
    )


@pytest.mark.parametrize("command", ["plan", "run"])
def test_an_output_in_the_input_folder_is_refused_in_one_line(call: Call, tmp_path: Path, command: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"text": "x"}\n')
    refused = call(command, "--input", tmp_path / "in", "--output", tmp_path / "in" / "run", "--skip-unreadable")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert (
        f"winnow: {tmp_path / 'in' / 'run'}: the output folder is among the inputs ({tmp_path / 'in'})" in refused.err
    )
    assert not (tmp_path / "in" / "run").exists()
