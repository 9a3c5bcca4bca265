"""The index stage over several runs: addresses and payloads that an earlier run has seen are dropped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.stages import index
from pipelines.stages.index import IndexStage, UrlConfig
from schemas.errors import ConfigError
from transforms.sources.items import IngestConfig
from transforms.sources.web.archives import WebArchives
from transforms.sources.web.page_reader import PageReader, PageReading


def stage(url: UrlConfig | None = None, **ingest: int) -> IndexStage:
    config = IngestConfig(**ingest)  # type: ignore[arg-type]
    return IndexStage(WebArchives("web", config, PageReader(PageReading())), url or UrlConfig())


STAGE = stage()

FIRST = [
    ("a", "https://www.a.example/", "Text of a.", 5),
    ("a-old", "http://a.example", "Older text of a.", 1),
    ("b", "https://b.example/", "Text of b.", 1),
    ("b-copy", "https://copy-of-b.example/", "Text of b.", 2),
]
SECOND = [
    ("a-newer", "https://a.example/#top", "Newer text of a.", 9),
    ("a-old-text", "https://elsewhere.example/", "Older text of a.", 9),  # it lost its address before: not a payload
    ("b-text", "https://other.example/", "Text of b.", 9),
    ("lost", "https://b.example/?utm_source=x", "Another text.", 9),
    ("c", "https://c.example/", "Text of c.", 9),
    ("c-old", "https://c.example", "Old text of c.", 8),
    ("no-url", "", "Text of b.", 9),
]
THIRD = [
    ("late", "https://other.example/", "Late text.", 9),  # known since the second run, though it was dropped there
    ("fresh", "https://d.example/", "Another text.", 9),  # its text came with a known address: never a payload
    ("c-text", "https://e.example/", "Text of c.", 9),
]


def archive(folder: Path, name: str, rows: list[tuple[str, str, str, int]]) -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text(
        "".join(
            json.dumps({"id": name, "url": url, "text": text, "date": f"2020-01-{day:02d}"}) + "\n"
            for name, url, text, day in rows
        )
    )
    return path


def three_runs(data: Any, folder: Path) -> Any:
    for number, rows in enumerate((FIRST, SECOND, THIRD)):
        data.archives(STAGE, [archive(folder, f"{number}", rows)])
    return data


@pytest.fixture(scope="module")
def three(new_dataset: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Three runs; tests must not change them."""
    folder = tmp_path_factory.mktemp("three")
    return three_runs(new_dataset(folder), folder)


def fates(done: Any) -> list[tuple[str, str]]:
    return sorted((row["reason"], row["url"]) for row in done.rows("rejected"))


def test_three_runs(three: Any) -> None:
    first, second, third = three.runs
    assert fates(first) == [
        ("older_copy_of_url", "http://a.example"),
        ("same_payload", "https://b.example/"),
    ]
    assert fates(second) == [
        ("older_copy_of_url", "https://c.example"),
        ("payload_in_earlier_run", ""),
        ("payload_in_earlier_run", "https://other.example/"),
        ("url_in_earlier_run", "https://a.example/#top"),
        ("url_in_earlier_run", "https://b.example/?utm_source=x"),
    ]
    assert second.kept("url") == ["https://c.example/", "https://elsewhere.example/"]
    assert fates(third) == [
        ("payload_in_earlier_run", "https://e.example/"),
        ("url_in_earlier_run", "https://other.example/"),
    ]
    assert third.kept("url") == ["https://d.example/"]


def test_a_rejection_names_the_record_of_the_earlier_run(three: Any) -> None:
    """By the 128 bits of the record's id, as for copies within a run: those of the copy that won there."""
    first, second, _ = three.runs
    won = {row["url"]: "{:016x}{:016x}".format(*index.record_key(row["record_id"])) for row in first.rows("headers")}
    details = {row["url"]: row["detail"] for row in second.rows("rejected")}
    assert details["https://a.example/#top"] == won["https://www.a.example/"]
    assert details["https://other.example/"] == won["https://copy-of-b.example/"]


def test_facts_tell_what_is_left_for_later_runs(three: Any) -> None:
    rows = [{kind: fact["rows"] for kind, fact in done.manifest.facts["known"].items()} for done in three.runs]
    assert rows == [{"urls": 3, "payloads": 2}, {"urls": 3, "payloads": 2}, {"urls": 2, "payloads": 1}]


def test_partitions_of_any_run_do_not_matter(
    three: Any, dataset: Callable[..., Any], same_tables: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    counts = iter([7, 1, 4])
    monkeypatch.setattr(index, "partitions_for", lambda rows, row_bytes: next(counts))
    other = three_runs(dataset(), tmp_path)
    assert other.runs[0].manifest.facts["known"]["urls"]["files"] > 1
    same_tables([three, other])


def test_a_run_without_records(three: Any, dataset: Callable[..., Any], tmp_path: Path) -> None:
    data = dataset()
    data.archives(STAGE, [])
    data.archives(STAGE, [archive(tmp_path, "empty", [])])
    data.archives(STAGE, [archive(tmp_path, "0", FIRST)])
    assert data.runs[0].manifest.facts["known"]["urls"]["files"] == 0
    assert fates(data.runs[2]) == fates(three.runs[0])


def test_settings_that_runs_must_share(three: Any) -> None:
    earlier = [(done.manifest, done.data) for done in three.runs]
    other = stage(UrlConfig(one_per_payload=False))
    with pytest.raises(
        ConfigError, match=r"index\.url\.one_per_payload: False is not allowed; it is True in .*/0, and"
    ):
        other.check_earlier(earlier)
    stage(part_mib=64).check_earlier(earlier)
