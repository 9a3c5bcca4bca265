"""What a stage reads: the parts of several stages in one row, and the columns of all of them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipelines.runs.counts import Counts, Fate
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.upstream import Upstream, union_of
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
    assert tables.first_parts("documents") == [tables.part("documents", 0), tables.part("documents", 2)]
    assert upstream.counts.read_of == {"web": 2, "wiki": 1}


def test_only_one_stage_has_the_manifest() -> None:
    one = stage("a", 2, "web")
    assert Upstream((one,)).manifest == one[0]
    with pytest.raises(RunError, match="expected one stage before, found 2"):
        _ = Upstream((one, one)).manifest
    with pytest.raises(RunError, match="expected one stage before, found 0"):
        _ = Upstream().manifest


def fields(**types: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in types.items()])


def test_the_union_has_each_column_once_and_what_one_lacks_may_be_null() -> None:
    web, wiki = fields(id=pa.string(), gopher=pa.int64()), fields(id=pa.string(), wiki=pa.int64(), gopher=pa.int64())
    union = union_of([web, wiki])
    assert [(field.name, field.nullable) for field in union] == [("id", False), ("gopher", False), ("wiki", True)]
    assert union_of([web]) == web
    assert union_of([]).names == []


def test_the_union_keeps_the_version_of_the_tables() -> None:
    web = fields(id=pa.string()).with_metadata({"winnow.schema_version": "1"})
    assert union_of([web, fields(id=pa.string())]).metadata == {b"winnow.schema_version": b"1"}


def test_columns_of_one_name_and_two_types_are_one_line() -> None:
    with pytest.raises(RunError) as caught:
        union_of([fields(score=pa.int64()), fields(score=pa.string())])
    assert str(caught.value) == "column score: int64 in one source, string in another"
