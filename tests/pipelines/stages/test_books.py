"""Files of books through the stages that read a source: several files a part, one fate each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.runs.upstream import Upstream
from pipelines.stages.index import IndexStage
from pipelines.stages.read import ReadStage
from transforms.sources.books.reader import BookReader
from transforms.sources.books.settings import BooksReadConfig, BooksScanConfig
from transforms.sources.books.source import Books

HEAD = "The Project Gutenberg eBook of The River\n\nTitle: The River\n\n"
BOOK = (
    "\n*** START OF THE PROJECT GUTENBERG EBOOK THE RIVER ***\n\nThe river was high that morning.\n\n"
    "*** END OF THE PROJECT GUTENBERG EBOOK THE RIVER ***\n"
)


def test_each_file_has_one_fate_and_its_own_place(new_dataset: Callable[..., Any], tmp_path: Path) -> None:
    files = {
        "12-0.txt": f"{HEAD}Release Date: May 22, 2008 [eBook #12]\nLanguage: English\n{BOOK}".encode(),
        "12-h.htm": f"<html><pre>{HEAD}Release Date: May 22, 2001 [eBook #12]\n{BOOK}</pre></html>".encode(),
        "13.txt": f"This is a COPYRIGHTED Project Gutenberg eBook.\n\n[eBook #13]\n{BOOK}".encode(),
        "14.zip": b"PK\x03\x04\0\0",
        "empty.txt": b"",
        "mine.txt": b"A book of my own has no head.\n\nIt has two paragraphs.\n",
        "big.txt": b"word " * 1000,
    }  # fmt: skip
    paths = []
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        paths.append(tmp_path / name)
    source = Books("books", BooksScanConfig(max_book_bytes=4000), BookReader(BooksReadConfig()))
    assert len(source.parts([(str(path), path.stat().st_size) for path in paths])) == 1
    data = new_dataset(tmp_path / "runs")
    index = data.archives(IndexStage(source), paths)
    assert Counter(reason for reason, _, _ in index.dropped) == {
        "copyrighted": 1, "not_a_book": 1, "oversized_book": 1, "older_copy_of_url": 1
    }  # fmt: skip
    assert [(row["cause"], Path(row["archive"]).name) for row in index.rows("failed")] == [("empty_file", "empty.txt")]
    assert {Path(row["archive"]).name for row in index.rows("rejected")} == {"13.txt", "14.zip", "big.txt", "12-h.htm"}
    data.runs.clear()
    rows = data.run(ReadStage(source), [], Upstream(((index.manifest, index.data),))).rows("documents")
    places = {Path(row["archive"]).name: (row["offset"], row["language"], row["books"]["number"]) for row in rows}
    assert places == {"12-0.txt": (0, "en", 12), "mine.txt": (0, "", 0)}
    assert {row["text"] for row in rows} >= {"A book of my own has no head.\n\nIt has two paragraphs."}
