"""The tables of a part: whole or not there, and counted as they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.runs.counts import Fate
from pipelines.runs.folder import DataFolder
from pipelines.runs.tables import (
    BATCH_ROWS,
    FateWriter,
    TableWriter,
    count_rows,
    documents_of,
    measured_by,
    read_batches,
    read_drafts,
    read_schema,
    with_measures,
)
from pipelines.runs.upstream import Tables
from schemas.errors import BadRecord
from schemas.records import Document, arrow_schema, to_batch
from transforms.step import Draft, Drop

SCHEMA = arrow_schema(Document)


def batch(*texts: str) -> pa.RecordBatch:
    return to_batch(
        Document, [Document(id=f"id-{n}", text=text, source="web", language="en") for n, text in enumerate(texts)]
    )


@dataclass(frozen=True)
class Length:
    n_chars: int


class Measure:
    """A step that measures and drops what is short."""

    name = "chars"
    settings = None
    resources: Sequence[str] = ()
    stats = Length

    def open(self) -> None: ...

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts:
            draft.measures["chars"] = Length(len(draft.document.text))
            if len(draft.document.text) < 3:
                draft.drop, draft.step = Drop("too_short", len(draft.document.text), 3), "chars"


def test_a_table_appears_whole_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "t" / "part.parquet"
    with TableWriter(str(path), SCHEMA) as table:
        table.write(batch("a"))
        assert not path.exists()
        table.write(batch("b", "c"))
    assert count_rows(str(path)) == 3
    assert [row["text"] for row in pq.ParquetFile(path).read().to_pylist()] == ["a", "b", "c"]


def test_a_table_does_not_appear_when_its_block_raises(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    with pytest.raises(ValueError, match="Schema at index 0"), TableWriter(str(path), SCHEMA, always=True) as table:
        table.write(pa.RecordBatch.from_pydict({"other": [1]}))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_table_appears_only_if_it_always_must(tmp_path: Path) -> None:
    with TableWriter(str(tmp_path / "a"), SCHEMA) as table:
        table.write(batch())
    with TableWriter(str(tmp_path / "b"), SCHEMA, always=True) as table:
        table.write(batch())
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert list(read_batches(str(tmp_path / "b"))) == []
    assert read_schema(str(tmp_path / "b")).names == SCHEMA.names


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with TableWriter(str(tmp_path / name), SCHEMA) as table:
            table.write(batch("one", "two"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_batches_are_bounded(tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    with TableWriter(path, SCHEMA) as table:
        table.write(batch(*map(str, range(3 * BATCH_ROWS + 1))))
    sizes = [found.num_rows for found in read_batches(path, ["text"])]
    assert max(sizes) <= BATCH_ROWS
    assert sum(sizes) == 3 * BATCH_ROWS + 1


def test_documents_read_back_as_they_were() -> None:
    documents = [
        Document(id="1", text="", url="u", source="s", language="x", language_score=0.5, record_id="r", archive="a"),
        Document(id="2", text="\U0001f33b שלום 日本", offset=1 << 40, length=7),
    ]
    assert documents_of(to_batch(Document, documents)) == documents


def test_every_draft_gets_the_fate_it_has(tmp_path: Path) -> None:
    source, target, step = DataFolder(str(tmp_path / "source")), DataFolder(str(tmp_path / "target")), Measure()
    with TableWriter(source.part("documents", 0), SCHEMA) as table:
        table.write(batch("long enough", "ab", "abc", "broken"))
    measured = measured_by([step])
    with FateWriter(target, "clean", 0, "documents", SCHEMA, measured=measured, with_dropped=True) as fates:
        for drafts in read_drafts(Tables(((source, 1),)), 0):
            drafts.drafts[3].failure, drafts.drafts[3].step = BadRecord("too_odd", "why"), "chars"
            step.run(drafts.drafts[:3], Counter())
            fates.write(drafts)
    counts = fates.counts
    assert counts.fates == {
        Fate("web", "en", "kept", ""): 2, Fate("web", "en", "dropped", "too_short"): 1,
        Fate("web", "en", "failed", "too_odd"): 1,
    }  # fmt: skip
    assert counts.text_bytes == 14
    (gone,) = pq.ParquetFile(target.part("dropped", 0)).read().to_pylist()
    assert (gone["id"], gone["source"], gone["chars"]) == ("id-1", "web", {"n_chars": 2})
    assert "text" not in gone
    kept = pq.ParquetFile(target.part("documents", 0)).read().to_pylist()
    assert [(row["id"], row["chars"]) for row in kept] == [("id-0", {"n_chars": 11}), ("id-2", {"n_chars": 3})]
    rejected = pq.ParquetFile(target.part("rejected", 0)).read().to_pylist()
    assert [(row["id"], row["stage"], row["step"], row["reason"], row["value"], row["limit"]) for row in rejected] == [
        ("id-1", "clean", "chars", "too_short", 2.0, 3.0)
    ]
    failed = pq.ParquetFile(target.part("failed", 0)).read().to_pylist()
    assert [(row["id"], row["step"], row["cause"], row["detail"]) for row in failed] == [
        ("id-3", "chars", "too_odd", "why")
    ]
    assert "text" not in rejected[0] | failed[0]


def test_a_part_without_rejections_has_no_table_of_them(tmp_path: Path) -> None:
    target = DataFolder(str(tmp_path))
    with FateWriter(target, "clean", 0, "documents", SCHEMA) as fates:
        fates.keep(batch("a"), {("web", "en"): 1})
    assert [path.name for path in tmp_path.iterdir()] == ["documents"]


def test_nothing_of_a_part_appears_when_its_block_raises(tmp_path: Path) -> None:
    target = DataFolder(str(tmp_path))
    with (
        pytest.raises(ValueError, match="Schema at index 0"),
        FateWriter(target, "clean", 0, "documents", SCHEMA) as fates,
    ):
        fates.keep(pa.RecordBatch.from_pydict({"other": [1]}), {})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_measure_made_again_replaces_its_column() -> None:
    once = with_measures(SCHEMA, measured_by([Measure()]))
    again = with_measures(once, measured_by([Measure()]))
    assert once.names[-1] == "chars"
    assert again.names.count("chars") == 1
