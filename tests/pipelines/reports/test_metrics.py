"""The metrics file: what it says, that a monitor can read it, and what it keeps of the file before it."""

from __future__ import annotations

import math
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from pipelines.reports.metrics import Family, check_metrics, render, write_metrics
from pipelines.reports.outcome import KINDS, Outcome
from pipelines.runs.counts import DROPPED, FAILED, KEPT, Counts, Fate
from pipelines.runs.folder import Manifest, RunFolder
from schemas.errors import ConfigError

STAGES = ["index", "clean", "shards"]
START = datetime(2026, 5, 1, 2, 17, tzinfo=UTC)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def ended(output: object, code: int = 0, new_inputs: int = 3, wall_s: float = 10.5) -> Outcome:
    return Outcome("run", str(output), START, wall_s, code, "said", new_inputs, "")


def counts_of(fates: dict[str | tuple[str, str], int], edits: dict[str, int] | None = None) -> Counts:
    """Return the counts of records of one source, by fate, or fate and reason."""
    whole = {(fate, "") if isinstance(fate, str) else fate: n for fate, n in fates.items()}
    return Counts.of(
        {"x": sum(whole.values())}, {Fate("x", "", fate, why): n for (fate, why), n in whole.items()}, edits
    )


def make_run(path: Path, stages: int = 3, tokens: int = 1000) -> None:
    """Commit a run of three stages, or its first ones."""
    folder = RunFolder(str(path))
    folder.open("common_crawl", "0.1.0", STAGES)
    inputs = [
        {"path": "a.warc.gz", "size": 9, "checksum": "c", "source": "x"},
        {"path": "b.warc.gz", "size": 9, "checksum": "d", "source": "x"},
    ]
    folder.record(inputs, "")
    counts = [
        counts_of({KEPT: 6, (DROPPED, "older_copy"): 2, (DROPPED, "media_type"): 1, (FAILED, "truncated_member"): 1}),
        counts_of({KEPT: 4, (DROPPED, "too_few_words"): 2}, edits={"email": 5}),
        counts_of({KEPT: 4}),
    ]
    shard = {"tokens": tokens, "documents": 4, "size_bytes": 4096, "path": "source=x/shard-00000.parquet"}
    upstream: dict[str, str] = {}
    for stage, count in list(zip(STAGES, counts, strict=True))[:stages]:
        facts = {"shards": [shard]} if stage == "shards" else {}
        cpu_s = {"gopher": 0.25, "read": 1.5} if stage == "clean" else {}
        manifest = Manifest(
            stage=stage, key=f"key-{stage}", version="0.1.0", upstream=upstream, config={}, inputs=inputs, parts=1,
            counts=count, facts=facts, cpu_s=cpu_s, wall_s=2.0 if stage != "shards" else 0.0,
        )  # fmt: skip
        folder.commit(manifest)
        upstream = {stage: manifest.key}


def samples_of(path: Path) -> Samples:
    """Return every sample as Prometheus' own parser reads it."""
    text = path.read_bytes().decode()  # a carriage return in a label stays one
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """Return the one sample of a name that has these labels; None if there is none."""
    found = [
        value for (other, pairs), value in samples.items() if other == name and labels.items() <= dict(pairs).items()
    ]
    assert len(found) <= 1, (name, labels)
    return found[0] if found else None


def check_rules(text: str) -> None:
    """Check what `promtool check metrics` and node_exporter check, and what a diff and a person want."""
    assert text.endswith("\n")
    assert "\n\n" not in text
    names, series = [], []
    for line in text.splitlines():
        kind = re.fullmatch(r"# TYPE (\w+) (counter|gauge)", line)
        if kind:
            assert names[-1] == kind[1]  # HELP stands right before
            assert kind[1].endswith("_total") == (kind[2] == "counter")
        elif line.startswith("# "):
            told = re.fullmatch(r"# HELP (winnow_[a-z_]+) (\S.*)", line)
            assert told, line
            names.append(told[1])
        else:
            assert line.startswith(names[-1] + "{dataset="), line
            assert re.fullmatch(r"[^ ].*\} -?[0-9.e+-]+", line), line  # no timestamp: the collector refuses it
            series.append(line.rpartition(" ")[0])
    assert len(names) == len(set(names))
    assert len(series) == len(set(series))
    for name in names:
        assert not re.search(r"_(count|sum|bucket|info|ms|millis|kb|mb)$", name), name


# --- what it says


def test_a_whole_dataset(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "textfile" / "winnow.prom"
    make_run(data)
    make_run(data / "runs" / "000001", tokens=500)
    write_metrics(str(file), str(data), ended(data))
    check_rules(file.read_text())
    found = samples_of(file)
    pages = {
        tuple(dict(pairs)[name] for name in ("stage", "fate", "reason")): value
        for (name, pairs), value in found.items()
        if name == "winnow_pages"
    }
    assert pages == {
        ("index", "kept", ""): 12,
        ("index", "dropped", "older_copy"): 4,
        ("index", "dropped", "media_type"): 2,
        ("index", "failed", "truncated_member"): 2,
        ("clean", "kept", ""): 8,
        ("clean", "dropped", "too_few_words"): 4,
        ("shards", "kept", ""): 8,
    }
    assert value(found, "winnow_edits", stage="clean", edit="email") == 10
    assert value(found, "winnow_stage_wall_seconds", stage="clean") == 4
    assert value(found, "winnow_stage_cpu_seconds", stage="clean", step="gopher") == 0.5
    assert value(found, "winnow_stage_pages_per_second", stage="index") == 5
    assert value(found, "winnow_stage_pages_per_second", stage="shards") is None  # it took no time that was measured
    assert value(found, "winnow_dataset_runs", state="finished") == 2
    assert value(found, "winnow_dataset_runs", state="unfinished") == 0
    sizes = {"inputs": 4, "shards": 2, "bytes": 8192, "documents": 8, "tokens": 1500}
    assert {name: value(found, f"winnow_dataset_{name}") for name in sizes} == sizes
    ends = START.timestamp() + 10.5
    last = {"timestamp_seconds": ends, "duration_seconds": 10.5, "exit_code": 0, "new_inputs": 3}
    assert {name: value(found, f"winnow_last_run_{name}") for name in last} == last
    assert value(found, "winnow_last_success_timestamp_seconds") == ends
    assert {kind: value(found, "winnow_runs_total", outcome=kind) for kind in KINDS} == {
        **dict.fromkeys(KINDS, 0),
        "done": 1,
    }
    assert {dict(pairs)["dataset"] for _, pairs in found} == {str(data)}


def test_a_run_that_is_not_finished_counts_by_what_it_committed(tmp_path: Path) -> None:
    make_run(tmp_path / "data", stages=2)
    write_metrics(str(tmp_path / "m.prom"), str(tmp_path / "data"), ended(tmp_path / "data", 143))
    found = samples_of(tmp_path / "m.prom")
    assert value(found, "winnow_pages", stage="clean", fate="kept") == 4
    assert value(found, "winnow_dataset_runs", state="unfinished") == 1
    assert (value(found, "winnow_dataset_inputs"), value(found, "winnow_dataset_tokens")) == (0, 0)


def test_same_bytes_for_the_same_state(tmp_path: Path) -> None:
    make_run(tmp_path / "data")
    written = []
    for name in ("a.prom", "b.prom"):
        write_metrics(str(tmp_path / name), str(tmp_path / "data"), ended(tmp_path / "data"))
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_nothing_there_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_metrics(str(tmp_path / "m.prom"), str(tmp_path / "nowhere"), ended("x", 1, 0))
    check_rules((tmp_path / "m.prom").read_text())
    found = samples_of(tmp_path / "m.prom")
    assert value(found, "winnow_last_run_exit_code") == 1
    assert value(found, "winnow_last_success_timestamp_seconds") is None
    assert not (tmp_path / "nowhere").exists()
    assert capsys.readouterr().err == ""


def test_a_broken_dataset_still_tells_how_the_run_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path / "data")
    (tmp_path / "data" / "clean" / "manifest.json").write_text("{")
    write_metrics(str(tmp_path / "m.prom"), str(tmp_path / "data"), ended("x", 1))
    found = samples_of(tmp_path / "m.prom")
    assert value(found, "winnow_last_run_exit_code") == 1
    assert not any(name.startswith(("winnow_pages", "winnow_dataset")) for name, _ in found)
    said = capsys.readouterr().err
    assert said.startswith("winnow: warning: ")
    assert "manifest.json: not a manifest" in said
    assert said.count("\n") == 1


# --- what it keeps


def test_the_last_success_is_kept_over_failures_and_runs_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "m.prom"
    for code, new_inputs in [(0, 3), (1, 3), (3, 0), (143, 2), (130, 2), (2, 0), (1, 0), (137, 0)]:
        write_metrics(str(file), "d", ended("d", code, new_inputs, wall_s=5.0 if code == 0 else 50.0))
    found = samples_of(file)
    assert value(found, "winnow_last_success_timestamp_seconds") == START.timestamp() + 5
    assert value(found, "winnow_last_run_timestamp_seconds") == START.timestamp() + 50
    assert value(found, "winnow_last_run_exit_code") == 137
    runs = {kind: value(found, "winnow_runs_total", outcome=kind) for kind in KINDS}
    assert runs == {"done": 1, "empty": 0, "error": 3, "held": 1, "nothing_new": 0, "stopped": 2, "usage": 1}
    write_metrics(str(file), "d", ended("d", 0, 0, wall_s=70.25))
    found = samples_of(file)
    assert value(found, "winnow_last_success_timestamp_seconds") == START.timestamp() + 70.25
    assert value(found, "winnow_runs_total", outcome="nothing_new") == 1
    assert value(found, "winnow_runs_total", outcome="error") == 3


def test_another_dataset_is_not_continued(tmp_path: Path) -> None:
    file = tmp_path / "m.prom"
    write_metrics(str(file), "one", ended("one"))
    write_metrics(str(file), "two", ended("two", 1))
    found = samples_of(file)
    assert value(found, "winnow_runs_total", outcome="done") == 0
    assert value(found, "winnow_last_success_timestamp_seconds") is None


@pytest.mark.parametrize(
    "former",
    [
        b"",
        b"\xff\x00\n",
        b"a thesis\n",
        b'winnow_runs_total{dataset="d",outcome="done"} -1\n',
        b'winnow_runs_total{dataset="d",outcome="done"} NaN\n',
        b'winnow_runs_total{dataset="d",outcome="done"} 1e999\n',
        b'winnow_runs_total{dataset="d",outcome="done"} ' + b"9" * 400 + b"\n",
        b'winnow_runs_total{dataset="d",outcome="done"} 7 1700000000\n',
        b'winnow_runs_total{dataset="d",outcome="do',
        b'winnow_runs_total{dataset="d",' + b'a="b",' * 50_000 + b"\n",
    ],
)
def test_a_former_file_that_is_none_is_passed_over(tmp_path: Path, former: bytes) -> None:
    (tmp_path / "m.prom").write_bytes(former)
    write_metrics(str(tmp_path / "m.prom"), "d", ended("d"))
    check_rules((tmp_path / "m.prom").read_text())
    assert value(samples_of(tmp_path / "m.prom"), "winnow_runs_total", outcome="done") == 1


@pytest.mark.parametrize(
    "name", ['a "quoted" name', "back\\slash", "line\nfeed", "\\n", 'x="y"} 3', "öäü 木", "\udcff", "a\r\nb\u2028c\x85"]
)
def test_any_path_goes_there_and_back(tmp_path: Path, name: str) -> None:
    file = tmp_path / "m.prom"
    for _ in range(2):
        write_metrics(str(file), name, ended(name))
    assert value(samples_of(file), "winnow_runs_total", outcome="done", dataset=name.replace("\udcff", "?")) == 2


@settings(deadline=None)
@given(st.text(), st.text(), st.floats(min_value=0, max_value=1e15, allow_nan=False))
def test_any_label_and_value_is_read_back(dataset: str, reason: str, number: float) -> None:
    family = Family("winnow_pages", "gauge", "Any \\ help\nwith lines.")
    family.add(number, reason=reason)
    ((read,),) = [family.samples for family in text_string_to_metric_families(render([family], dataset))]
    clean = {"dataset": dataset, "reason": reason}
    assert read.labels == {name: text.encode("utf-8", "replace").decode() for name, text in clean.items()}
    assert math.isclose(read.value, number, rel_tol=1e-9, abs_tol=1e-6)


# --- the file itself


def test_the_file_is_readable_by_others_and_nothing_else_is_left(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_metrics(str(tmp_path / "t" / "m.prom"), "d", ended("d"))
    finally:
        os.umask(before)
    assert (tmp_path / "t" / "m.prom").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["m.prom"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    file, stop, wrong = tmp_path / "m.prom", threading.Event(), []
    write_metrics(str(file), "d", ended("d"))

    def read() -> None:
        while not stop.is_set():
            text = file.read_text()
            if not text.endswith("\n") or 'outcome="usage"' not in text:
                wrong.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        write_metrics(str(file), "d", ended("d"))
    stop.set()
    reader.join()
    assert wrong == []


def test_runs_that_end_at_once_are_all_counted(tmp_path: Path) -> None:
    def end(_: int) -> None:
        write_metrics(str(tmp_path / "m.prom"), "d", ended("d", 3, 0))

    with ThreadPoolExecutor(max_workers=8) as pool:  # each opens the directory by itself, as processes do
        list(pool.map(end, range(80)))
    assert value(samples_of(tmp_path / "m.prom"), "winnow_runs_total", outcome="held") == 80


@pytest.mark.parametrize("path", ["metrics.txt", "prom", "s3://bucket/m.prom", "https://x/m.prom", ".prom/"])
def test_a_place_that_no_collector_reads_is_refused(path: str) -> None:
    with pytest.raises(
        ConfigError, match=f"--metrics {re.escape(path)}: expected a local file whose name ends in .prom"
    ):
        check_metrics(path)


def test_what_cannot_be_written_is_one_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.prom").mkdir()
    for place, why in [
        (tmp_path / "file" / "m.prom", "File exists"),
        (tmp_path / "folder.prom", "expected a local file whose name ends in .prom"),
        (tmp_path / "m.txt", "expected a local file whose name ends in .prom"),
    ]:
        write_metrics(str(place), "d", ended("d"))
        said = capsys.readouterr()
        assert said == ("", f"winnow: warning: --metrics {place}: {why}; no metrics were written\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.prom"]
