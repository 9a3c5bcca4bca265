"""Inputs that answer when they are listed and not when they are read: they end a run, or are failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.runs.dataset import SourceFile, describe
from pipelines.runs.upstream import Upstream
from pipelines.stages.index import IndexStage
from pipelines.stages.read import ReadStage
from schemas.errors import ChangedInputError, InputError
from storage.network import remote
from tests.storage.web_server import Page, WebServer, serving
from transforms.sources.tables.tables import Tables, TablesConfig

ROWS = b"".join(json.dumps({"id": str(n), "text": f"Text number {n}."}).encode() + b"\n" for n in range(5))
FOR_EVER = 10_000
SOURCE = Tables("rows", TablesConfig())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    with serving() as server:
        yield server


@pytest.fixture
def data(new_dataset: Callable[..., Any], tmp_path: Path) -> Any:
    made = new_dataset(tmp_path)
    made.skip_unreadable = True
    return made


def listed(server: WebServer, **pages: Page) -> list[dict[str, Any]]:
    files = [SourceFile("rows", server.put(f"/{name}.jsonl", page)) for name, page in pages.items()]
    return describe(files)


def break_off(page: Page, how: str) -> None:
    if how == "refused":
        page.refusals = [(500, {})] * FOR_EVER
    else:
        page.drops = [0] * FOR_EVER


@pytest.mark.parametrize("how", ["refused", "dropped"])
def test_a_file_that_cannot_be_scanned(data: Any, server: WebServer, how: str) -> None:
    bad = Page(ROWS)
    files = listed(server, bad=bad, good=Page(ROWS.replace(b"Text", b"Other")))
    break_off(bad, how)
    done = data.run(IndexStage(SOURCE), files, Upstream())
    assert (done.manifest.counts.read, done.manifest.counts.kept) == (6, 5)
    assert done.manifest.counts.failed == {"unreadable_input": 1}
    [failure] = done.rows("failed")
    assert failure["archive"] == f"{server.url}/bad.jsonl"
    assert "bad.jsonl: cannot be read after 4 attempts: " in failure["detail"]


@pytest.mark.parametrize("how", ["refused", "dropped"])
def test_a_file_that_cannot_be_read_again(data: Any, server: WebServer, how: str) -> None:
    bad = Page(ROWS)
    index = data.run(
        IndexStage(SOURCE), listed(server, bad=bad, good=Page(ROWS.replace(b"Text", b"Other"))), Upstream()
    )
    assert index.manifest.counts.kept == 10
    break_off(bad, how)
    data.runs.clear()
    done = data.run(ReadStage(SOURCE), [], Upstream(((index.manifest, index.data),)))
    assert (done.manifest.counts.read, done.manifest.counts.kept) == (10, 5)
    assert done.manifest.counts.failed == {"unreadable_input": 5}
    assert {row["archive"] for row in done.rows("failed")} == {f"{server.url}/bad.jsonl"}


def test_without_the_flag_it_ends_the_run(data: Any, server: WebServer) -> None:
    data.skip_unreadable = False
    bad = Page(ROWS)
    files = listed(server, bad=bad, good=Page(ROWS.replace(b"Text", b"Other")))
    break_off(bad, "refused")
    with pytest.raises(InputError, match=r"bad\.jsonl: cannot be read after 4 attempts: HTTP 500"):
        data.run(IndexStage(SOURCE), files, Upstream())


def test_a_file_that_has_changed_is_an_error_in_any_case(data: Any, server: WebServer) -> None:
    page = Page(ROWS)
    index = data.run(IndexStage(SOURCE), listed(server, page=page), Upstream())
    page.data = ROWS[: len(ROWS) // 2]
    data.runs.clear()
    with pytest.raises(ChangedInputError, match=r"has changed since it was indexed; run again"):
        data.run(ReadStage(SOURCE), [], Upstream(((index.manifest, index.data),)))
