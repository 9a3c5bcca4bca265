"""What a stage reads: the parts of several stages in one row."""

from __future__ import annotations

import pytest

from pipelines.runs.counts import Counts, Fate
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.upstream import Upstream
from schemas.errors import RunError


def stage(name: str, parts: int, source: str) -> tuple[Manifest, DataFolder]:
    counts = Counts.of({source: parts}, {Fate(source, "en", "kept", ""): parts})
    manifest = Manifest(
        stage=name, key="key", version="1", upstream={}, config={}, inputs=[], parts=parts, counts=counts
    )  # fmt: skip
    return manifest, DataFolder(f"/run/{name}/key")


def test_parts_are_numbered_through_and_an_empty_stage_has_none() -> None:
    upstream = Upstream((stage("a", 2, "web"), stage("none", 0, "web"), stage("b", 1, "wiki")))
    tables = upstream.tables
    assert [tables.part("documents", part) for part in range(upstream.parts)] == [
        "/run/a/key/documents/part-000000.parquet",
        "/run/a/key/documents/part-000001.parquet",
        "/run/b/key/documents/part-000000.parquet",
    ]
    assert upstream.counts.read_of == {"web": 2, "wiki": 1}


def test_only_one_stage_has_the_manifest() -> None:
    one = stage("a", 2, "web")
    assert Upstream((one,)).manifest == one[0]
    with pytest.raises(RunError, match="expected one stage before, found 2"):
        _ = Upstream((one, one)).manifest
    with pytest.raises(RunError, match="expected one stage before, found 0"):
        _ = Upstream().manifest
