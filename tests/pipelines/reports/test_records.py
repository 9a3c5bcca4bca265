"""Finding records: what is read for it, and from which files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.reports.records import row_by_id, rows_by_id, rows_of, texts_of
from pipelines.runs import rows
from pipelines.runs.folder import DataFolder
from pipelines.runs.rows import rows_at
from pipelines.runs.tables import ROW_GROUP_ROWS, TableWriter, read_batches
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

    def read(path: str, columns: Sequence[str] | None, n_rows: int) -> Iterator[pa.RecordBatch]:
        found.append((Path(path).name, columns))
        return read_batches(path, columns, n_rows)

    def read_at(path: str, places: Sequence[int], columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        found.append((Path(path).name, columns))
        return rows_at(path, places, columns)

    monkeypatch.setattr(rows, "read_batches", read)
    monkeypatch.setattr(rows, "rows_at", read_at)
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
    assert reads == [
        (f"part-00000{part}.parquet", columns) for part in range(2) for columns in (["id"], ["id", "text"])
    ]  # fmt: skip
    assert texts_of(data, set()) == {}
    assert len(reads) == 4


def test_of_a_long_file_only_the_row_groups_with_the_rows_are_read(tmp_path: Path) -> None:
    n = 3 * ROW_GROUP_ROWS
    path = DataFolder(str(tmp_path)).part("documents", 0)
    with TableWriter(path, arrow_schema(Document)) as table:
        for first in range(0, n, 64):
            table.write(
                to_batch(Document, [Document(id=f"{row:04d}", text=f"{row}") for row in range(first, first + 64)])
            )
    places = [0, 5, ROW_GROUP_ROWS - 1, n - 1]
    batches = list(rows_at(path, places, ["text"]))
    assert [text for batch in batches for text in batch.column("text").to_pylist()] == [str(row) for row in places]
    assert len(batches) == 2  # nothing of the group between them
    found = [name for batch in rows.rows_with(path, {"0700", "0001"}) for name in batch.column("id").to_pylist()]
    assert found == ["0001", "0700"]


def test_columns_that_a_table_lacks_are_left_out(data: DataFolder) -> None:
    assert list(rows_of(data, "documents", ["id", "reason"])) == [{"id": name} for name in ("0-0", "0-1", "1-0", "1-1")]
