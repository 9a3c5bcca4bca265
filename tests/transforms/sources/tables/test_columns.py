"""The columns of tables, for a person whose settings name another one."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import InputError
from transforms.sources.tables.columns import column_names

ROW = b'{"body": "x", "link": "y", "n": 1}\n'


@pytest.mark.parametrize(
    ("name", "content", "names"),
    [
        ("a.jsonl", ROW, ["body", "link", "n"]),
        ("a.jsonl", b"\xef\xbb\xbf" + ROW, ["body", "link", "n"]),
        ("a.jsonl", b"\n{broken\n[1]\n" + ROW, ["body", "link", "n"]),
        ("a.jsonl", b"", []),
        ("a.jsonl", b"{broken\n", []),
        ("a.jsonl.gz", gzip.compress(ROW, mtime=0), ["body", "link", "n"]),
        ("a.jsonl.gz", gzip.compress(ROW + ROW * 99, mtime=0)[:-9], ["body", "link", "n"]),
        ("a.warc", b"WARC/1.0\r\n", []),
        ("a.csv", b"a,b\n1,2\n", []),
        ("a.parquet", b"PAR1 and no more", []),
    ],
)
def test_column_names(tmp_path: Path, name: str, content: bytes, names: list[str]) -> None:
    (tmp_path / name).write_bytes(content)
    assert column_names(str(tmp_path / name)) == names


def test_columns_that_are_no_text_have_their_type(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array([{"en": "x"}]), "raw": [b"x"], "url": ["u"], "n": [1]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert column_names(str(tmp_path / "a.parquet")) == [
        "text (struct<en: string>)", "raw (binary)", "url", "n (int64)"
    ]  # fmt: skip


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone"):
        column_names(str(tmp_path / "gone.jsonl"))
