"""Same input, same output: the shards do not depend on workers, order, names, ranges or restarts."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAMES = ("web/index", "web/extract", "web/clean", "dedup", "tokenize", "mix", "shards")
TINY_RANGES = "import transforms.sources.formats as f; f.MIN_PART_BYTES = 20_000; f.PARTS = 1000; "
Run = Any


def planned(winnow: Callable[..., str], web: Any, folder: Path, *more: object, inputs: tuple[object, ...] = ()) -> Any:
    given = inputs or (web.crawl,)
    return json.loads(winnow("plan", "--input", *given, "--output", folder, *web.options, *more, "--json"))["stages"]


@pytest.fixture
def copy_of_run(small_run: Run, tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return Path(shutil.copytree(small_run.folder, tmp_path / "copy"))


def test_shards_are_the_files_whose_checksums_are_told(small_run: Run) -> None:
    told = small_run.shards()
    assert told
    for file, digest in zip(small_run.shard_files(), told.values(), strict=True):
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest


def test_worker_processes_write_the_same_bytes(small_web: Any, small_run: Run, tmp_path: Path) -> None:
    options = ("--", "--direct_num_workers=2", "--direct_running_mode=multi_processing")
    assert small_web.run(tmp_path / "run", *options).shards() == small_run.shards()


def test_tiny_ranges_of_archives_give_the_same_bytes(small_web: Any, small_run: Run, tmp_path: Path) -> None:
    run = small_web.run(tmp_path / "run", before=TINY_RANGES)
    assert run.manifest("web/index").parts > 4 * small_run.manifest("web/index").parts
    assert run.shards() == small_run.shards()


def test_archives_of_other_names_in_other_places_give_the_same_bytes(
    small_web: Any, small_run: Run, tmp_path: Path
) -> None:
    files = sorted(small_web.crawl.iterdir())
    inputs = []
    for n, file in enumerate(reversed(files)):  # reversed: the parts come in another order
        inputs.append(tmp_path / str(n % 2) / f"{n}-{file.name}")
        inputs[-1].parent.mkdir(exist_ok=True)
        shutil.copyfile(file, inputs[-1])
    run = small_web.run(tmp_path / "run", "--set", "index.ingest.part_mib=4096", inputs=inputs)
    assert run.shards() == small_run.shards()


@pytest.mark.parametrize("way", ["reversed", "glob", "list", "gzip list", "twice"])
def test_however_inputs_are_given_they_are_the_same_inputs(
    small_web: Any, small_run: Run, tmp_path: Path, winnow: Callable[..., str], way: str
) -> None:
    files = sorted(map(str, small_web.crawl.iterdir()), reverse=True)
    listing = tmp_path / ("paths.gz" if way == "gzip list" else "paths")
    text = "\n".join(files) + "\n"
    listing.write_bytes(gzip.compress(text.encode()) if way == "gzip list" else text.encode())
    inputs: dict[str, tuple[object, ...]] = {
        "reversed": tuple(files),
        "glob": (f"{small_web.crawl}/crawl-*", f"{small_web.crawl}/*.jsonl"),
        "list": (f"@{listing}",),
        "gzip list": (f"@{listing}",),
        "twice": (small_web.crawl, files[0]),
    }
    stages = planned(winnow, small_web, small_run.folder, inputs=inputs[way])
    assert [stage["name"] for stage in stages if stage["run"]] == []


def test_a_second_run_skips_every_stage_and_is_quick(small_web: Any, small_run: Run) -> None:
    before = {path: path.stat().st_mtime_ns for path in small_run.folder.rglob("*.parquet")}
    started = time.monotonic()
    again = small_web.run(small_run.folder)
    assert time.monotonic() - started < 15  # 2 s on an idle machine; the run itself takes longer
    assert again.printed.count("committed and unchanged") == len(NAMES)
    assert {path: path.stat().st_mtime_ns for path in small_run.folder.rglob("*.parquet")} == before


def test_a_changed_threshold_redoes_its_stage_and_those_after_it(
    small_web: Any, small_run: Run, copy_of_run: Path, winnow: Callable[..., str], tmp_path: Path
) -> None:
    change = ("--set", "clean.gopher.min_words=300")
    stages = planned(winnow, small_web, copy_of_run, *change)
    assert [stage["name"] for stage in stages if stage["run"]] == list(NAMES[2:])
    whys = {stage["name"]: stage["why"] for stage in stages}
    assert whys["web/extract"] == "committed and unchanged"
    assert whys["web/clean"].startswith("changed: gopher.min_words: 50 -> 300")
    assert whys["dedup"] == "changed: words_after_lines.min_words: 50 -> 300"
    assert set(list(whys.values())[4:]) == {"web/clean is redone"}

    again = small_web.run(copy_of_run, *change)
    assert again.printed.count("committed and unchanged") == 2
    assert again.manifest("web/clean").counts.dropped["too_few_words"] > 0
    assert again.shards() != small_run.shards()
    # The way there does not matter: a run made so from the start has the same bytes.
    assert small_web.run(tmp_path / "fresh", *change).shards() == again.shards()
    # What was replaced is kept until it is dropped.
    assert [len(list((copy_of_run / stage).iterdir())) for stage in NAMES] == [2, 2, *[4] * (len(NAMES) - 2)]
    winnow("drop-former", copy_of_run)
    assert [len(list((copy_of_run / stage).iterdir())) for stage in NAMES] == [2] * len(NAMES)


def test_a_changed_tokenizer_redoes_nothing_before_it(
    small_web: Any, small_run: Run, copy_of_run: Path, winnow: Callable[..., str]
) -> None:
    change = ("--set", "tokenizer.vocab_size=1000")
    stages = planned(winnow, small_web, copy_of_run, *change)
    assert [stage["name"] for stage in stages if stage["run"]] == list(NAMES[4:])
    assert stages[4]["why"] == "changed: tokenizer.vocab_size: 4096 -> 1000"
    again = small_web.run(copy_of_run, *change)
    assert again.printed.count("committed and unchanged") == 4
    assert again.manifest("tokenize").facts["tokenizer"]["vocab_size"] == 1000
    assert small_web.run(copy_of_run).shards() == small_run.shards()  # and back
