"""Finding records: what is read for it, and from which files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.reports import records
from pipelines.reports.records import row_by_id, rows_by_id, rows_of, texts_of
from pipelines.runs.folder import DataFolder
from pipelines.runs.tables import TableWriter, read_batches
from schemas.records import Document, arrow_schema, to_batch

Reads = list[tuple[str, Sequence[str] | None]]  # name of a file, and the columns asked for


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    """A stage with two parts of two documents each."""
    folder = DataFolder(str(tmp_path))
    for part in range(2):
        with TableWriter(folder.part("documents", part), arrow_schema(Document)) as table:
            table.write(to_batch(Document, [Document(id=f"{part}-{n}", text=f"text {part} {n}") for n in range(2)]))
    return folder


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    found: Reads = []

    def read(path: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        found.append((Path(path).name, columns))
        return read_batches(path, columns)

    monkeypatch.setattr(records, "read_batches", read)
    return found


def test_whole_rows_are_read_only_of_the_file_with_the_id(data: DataFolder, reads: Reads) -> None:
    (row,) = rows_by_id(data, "documents", "1-0")
    assert (row["id"], row["text"]) == ("1-0", "text 1 0")
    assert reads == [
        ("part-000000.parquet", ["id"]), ("part-000001.parquet", ["id"]), ("part-000001.parquet", None)
    ]  # fmt: skip
    assert row_by_id(data, "documents", "2-0") is None
    assert list(rows_by_id(data, "rejected", "1-0")) == []


def test_texts_of_several_documents_are_read_at_once(data: DataFolder, reads: Reads) -> None:
    assert texts_of(data, {"0-1", "1-0", "2-0"}) == {"0-1": "text 0 1", "1-0": "text 1 0"}
    assert len(reads) == 2
    assert texts_of(data, set()) == {}
    assert len(reads) == 2


def test_columns_that_a_table_lacks_are_left_out(data: DataFolder) -> None:
    assert list(rows_of(data, "documents", ["id", "reason"])) == [{"id": name} for name in ("0-0", "0-1", "1-0", "1-1")]
