"""Every real archive beside the checkout runs, and no record of it is missing from documents, rejected and failed."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame
import pyarrow.parquet as pq
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed


def count_records(path: Path) -> int:
    """Return the records of an archive by a library that is not ours; a broken end counts as one."""
    data = path.read_bytes()
    if path.name.endswith(".lz4"):
        data = lz4.frame.open(io.BytesIO(data)).read()
    count = 0
    try:
        for record in ArchiveIterator(io.BytesIO(data), no_record_parse=True):
            count += 1
            record.raw_stream.read()
    except (ArchiveLoadFailed, EOFError):
        count += 1
    return count


def fates_by_archive(run: Any) -> Counter[str]:
    """Return how many records of each archive have a fate: documents kept at the end of `lines`, rejected, failed."""
    fates: Counter[str] = Counter()
    for stage, table in [
        *(
            (stage, table)
            for stage in ("web/index", "web/extract", "web/clean", "dedup")
            for table in ("rejected", "failed")
        ),
        ("dedup", "documents"),
    ]:
        fates.update(Path(row["archive"]).name for row in run.rows(stage, table))
    return fates


def check_ledger(winnow: Callable[..., str], folder: Path) -> list[dict[str, Any]]:
    stages: list[dict[str, Any]] = json.loads(winnow("ledger", folder, "--json"))["stages"]
    for stage in stages:
        assert stage["read"] == stage["kept"] + sum(stage["dropped"].values()) + sum(stage["failed"].values())
    for one, other in itertools.pairwise(stages):
        assert other["read"] == one["kept"]
    assert len(stages) == 7
    return stages


@pytest.fixture(scope="module")
def all_archives(
    archives: list[Path],
    winnow: Callable[..., str],
    run_of: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """One run over all archives; small rows, for the texts are few."""
    folder = tmp_path_factory.mktemp("archives") / "run"
    settings = ("extract.engine=resiliparse", "tokenizer.vocab_size=2000", "shards.row_tokens=4096")
    changes = [word for setting in settings for word in ("--set", setting)]
    return run_of(folder, winnow("run", "--input", *archives, "--output", folder, *changes))


def test_the_ledger_balances(winnow: Callable[..., str], all_archives: Any) -> None:
    stages = check_ledger(winnow, all_archives.folder)
    assert stages[-1]["kept"] > 100
    assert sum(shard["tokens"] for shard in all_archives.manifest("shards").facts["shards"]) > 100_000


def test_no_record_of_any_archive_is_missing(archives: list[Path], all_archives: Any) -> None:
    counted = {path.name: count_records(path) for path in archives}
    assert fates_by_archive(all_archives) == counted
    assert all_archives.manifest("web/index").counts.read == sum(counted.values())


def test_no_record_has_two_fates(all_archives: Any) -> None:
    places = Counter()
    for stage in ("web/index", "web/extract", "web/clean", "dedup"):
        for row in all_archives.rows(stage, "rejected") + all_archives.rows(stage, "failed"):
            places[row["archive"], row["offset"], row["id"], row["url"]] += 1
    assert [place for place, n in places.items() if n > 1] == []
    ids = [row["id"] for row in all_archives.rows("web/extract", "documents")]
    assert len(set(ids)) == len(ids)


def test_rejected_and_failed_records_say_why_and_where(all_archives: Any, archives: list[Path]) -> None:
    sizes = {str(path): path.stat().st_size for path in archives}
    for stage in ("web/index", "web/extract", "web/clean", "dedup"):
        for row in all_archives.rows(stage, "rejected") + all_archives.rows(stage, "failed"):
            assert re.fullmatch(r"[a-z][a-z0-9_]*", row.get("reason") or row["cause"])
            assert 0 <= row["offset"] < sizes[row["archive"]]
            assert row["stage"] == stage


def test_a_cut_member_fails_and_says_where(all_archives: Any) -> None:
    (row,) = all_archives.rows("web/index", "failed")
    assert Path(row["archive"]).name == "chatnoir-eu__clipped.warc.gz"
    assert (row["cause"], row["offset"]) == ("truncated_member", 0)
    assert row["url"].startswith("http://www.houstonpress.com/")


def test_what_comes_before_a_cut_is_kept(
    archives: list[Path], winnow: Callable[..., str], run_of: Callable[..., Any], tmp_path: Path
) -> None:
    whole = next(path for path in archives if path.name == "webis-de__github.warc.gz")
    cut = tmp_path / whole.name
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 4])
    settings = ("extract.engine=resiliparse", "tokenizer.vocab_size=300", "clean.junk=off", "clean.fineweb=off")
    changes = [word for setting in settings for word in ("--set", setting)]
    run = run_of(tmp_path / "run", winnow("run", "-i", cut, "-o", tmp_path / "run", *changes))
    (failure,) = run.rows("web/index", "failed")
    assert failure["cause"] == "truncated_member"
    assert fates_by_archive(run) == {cut.name: count_records(cut)}
    assert all(row["offset"] < failure["offset"] for row in run.rows("web/extract", "documents"))


def test_malformed_status_lines_are_not_dropped(all_archives: Any, archives: list[Path]) -> None:
    quirky = next(path for path in archives if "clueweb-quirk" in path.name)
    statuses = Counter(
        row["reason"] for row in all_archives.rows("web/index", "rejected") if row["archive"] == str(quirky)
    )
    assert statuses["http_status"] == 0


def test_the_default_engine_runs_on_an_archive_from_the_command_line(
    archives: list[Path], winnow: Callable[..., str], run_of: Callable[..., Any], tmp_path: Path
) -> None:
    small = next(path for path in archives if path.name.startswith("chatnoir-eu__warcfile.warc.gz"))
    run = run_of(tmp_path / "run", winnow("run", "-i", small, "-o", tmp_path / "run"))
    check_ledger(winnow, run.folder)
    assert fates_by_archive(run) == {small.name: count_records(small)}


def test_an_archive_in_pieces_gives_the_documents_of_the_whole(
    archives: list[Path], all_archives: Any, winnow: Callable[..., str], run_of: Callable[..., Any], tmp_path: Path
) -> None:
    whole = next(path for path in archives if path.name == "webis-de__github.warc.gz")
    plain = tmp_path / "github.warc"  # the same records uncompressed: other bytes, the same ids
    plain.write_bytes(gzip.decompress(whole.read_bytes()))
    settings = ("extract.engine=resiliparse", "tokenizer.vocab_size=300", "clean.junk=off", "clean.fineweb=off")
    changes = [word for setting in settings for word in ("--set", setting)]
    run = run_of(tmp_path / "run", winnow("run", "-i", plain, "-o", tmp_path / "run", *changes))
    expected = {
        row["id"]: row["text"] for row in all_archives.rows("web/extract", "documents") if row["archive"] == str(whole)
    }
    assert {row["id"]: row["text"] for row in run.rows("web/extract", "documents")} == expected


def test_shards_of_real_pages_are_read_back(all_archives: Any) -> None:
    for file in all_archives.shard_files():
        table = pq.ParquetFile(file).read()
        assert table.num_rows
        assert all(len(row) == 4096 for row in table["tokens"].to_pylist())
