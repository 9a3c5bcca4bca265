"""The output folder: keys, manifests, the chain of commits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.runs.counts import Counts, Fate
from pipelines.runs.folder import FORMAT, Manifest, RunFolder, stage_key
from schemas.errors import RunError

STAGES = ["one", "two", "three"]


def fates(kept: int, dropped: int, failed: int, source: str = "web") -> dict[Fate, int]:
    return {
        Fate(source, "en", "kept", ""): kept, Fate(source, "en", "dropped", "too_big"): dropped,
        Fate(source, "", "failed", "cut"): failed,
    }  # fmt: skip


def manifest(stage: str, key: str, **upstream: str) -> Manifest:
    counts = Counts.of({"web": 3}, fates(1, 1, 1), {"pii:emails": 2}, 17)
    return Manifest(
        stage=stage,
        key=key,
        version="1",
        upstream=upstream,
        config={"limit": [1, None]},
        inputs=[],
        parts=2,
        counts=counts,
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(str(tmp_path / "run"))


def test_counts_balance_when_every_record_has_one_fate() -> None:
    assert Counts.of({"web": 6}, fates(1, 2, 3)).unbalanced() == []
    assert Counts.of({"web": 7}, fates(1, 2, 3)).unbalanced() == ["source web: read 7 records, 6 have a fate"]
    assert Counts.of({"web": 5}, fates(1, 2, 3)).unbalanced() == ["source web: read 5 records, 6 have a fate"]
    assert Counts().unbalanced() == []


def test_a_source_that_lost_a_record_is_not_saved_by_one_that_doubled_one() -> None:
    counts = Counts.of({"web": 3, "wiki": 1}, {**fates(1, 0, 1), **fates(2, 0, 0, "wiki")})
    assert counts.unbalanced() == [
        "source web: read 3 records, 2 have a fate", "source wiki: read 1 records, 2 have a fate"
    ]  # fmt: skip
    assert (counts.read, counts.kept, counts.kept_of) == (4, 3, {"web": 1, "wiki": 2})
    assert (counts.failed, counts.dropped, counts.documents) == ({"cut": 1}, {}, {"en": 3})


def test_a_manifest_reads_back_as_it_was(folder: RunFolder) -> None:
    written = manifest("clean", "k1", before="k0")
    folder.commit(written)
    assert folder.manifest("clean") == written
    assert Manifest.from_json(written.to_json(), "here") == written


def test_there_is_no_manifest_before_the_commit(folder: RunFolder) -> None:
    folder.open("recipe", "1", STAGES)
    assert folder.manifest("clean") is None
    assert folder.committed() == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"stage": "x"}', '{"counts": {"reads": 3}}', '{"counts": 3}'])
def test_a_damaged_manifest_is_one_line(folder: RunFolder, text: str) -> None:
    path = Path(folder.stage("clean"), "manifest.json")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(RunError, match=r"manifest\.json: not a manifest of this version of Winnow") as caught:
        folder.manifest("clean")
    assert "\n" not in str(caught.value)


def test_the_chain_is_that_of_the_last_run(folder: RunFolder) -> None:
    folder.open("recipe", "1", ["z", "b", "a"])
    read = {"b": {"z": "k1"}, "z": {}, "a": {"b": "k2"}, "old": {"a": "k3"}}
    for stage, key in (("b", "k2"), ("z", "k1"), ("a", "k3"), ("old", "k9")):
        folder.commit(manifest(stage, key, **read[stage]))
    assert [(found.stage, data.root) for found, data in folder.committed()] == [
        ("z", f"{folder.path}/z/k1"), ("b", f"{folder.path}/b/k2"), ("a", f"{folder.path}/a/k3")
    ]  # fmt: skip


def test_the_chain_ends_where_a_stage_was_made_from_another_state(folder: RunFolder) -> None:
    folder.open("recipe", "1", STAGES)
    folder.commit(manifest("one", "k1"))
    folder.commit(manifest("two", "k2", one="k1-of-yesterday"))
    folder.commit(manifest("three", "k3", two="k2"))
    assert [found.stage for found, _ in folder.committed()] == ["one"]


def test_a_commit_removes_what_it_replaces_and_nothing_else(folder: RunFolder) -> None:
    for stage, key in (("two", "old"), ("one", "old"), ("one", "new")):
        Path(folder.data(stage, key).part("documents", 0)).parent.mkdir(parents=True)
        if stage == "one":
            folder.commit(manifest(stage, key))
    assert sorted(path.name for path in Path(folder.stage("one")).iterdir()) == ["manifest.json", "new"]
    assert [path.name for path in Path(folder.stage("two")).iterdir()] == ["old"]


def test_stale_staging_goes_but_the_committed_and_the_new_stay(folder: RunFolder) -> None:
    folder.commit(manifest("one", "committed"))
    for key in ("committed", "new", "left"):
        Path(folder.data("one", key).root).mkdir()
    folder.remove_stale("one", keep="new")
    assert sorted(path.name for path in Path(folder.stage("one")).iterdir()) == ["committed", "manifest.json", "new"]


def test_a_new_folder_is_marked_and_opened_again(folder: RunFolder) -> None:
    folder.open("recipe", "1", STAGES)
    folder.open("recipe", "1", STAGES)
    marker = json.loads(Path(folder.path, "winnow.json").read_text())
    assert marker == {"format": FORMAT, "recipe": "recipe", "version": "1", "stages": STAGES}


def test_an_empty_folder_and_one_of_hidden_files_is_new(folder: RunFolder) -> None:
    Path(folder.path).mkdir()
    Path(folder.path, ".lock").touch()
    folder.open("recipe", "1", STAGES)
    folder.check("recipe", "1")


@pytest.mark.parametrize("text", ["", "[]", "3", '{"format": 1}', "\x00"])
def test_a_damaged_marker_is_one_line(folder: RunFolder, text: str) -> None:
    Path(folder.path).mkdir()
    Path(folder.path, "winnow.json").write_text(text)
    with pytest.raises(RunError, match=r"winnow\.json: not the marker of a Winnow run"):
        folder.open("recipe", "1", STAGES)


def test_another_format_is_refused(folder: RunFolder) -> None:
    Path(folder.path).mkdir()
    Path(folder.path, "winnow.json").write_text('{"format": 0, "recipe": "recipe", "version": "1"}')
    with pytest.raises(RunError, match="format 0; this is Winnow 1, recipe recipe, format 2; give a new folder"):
        folder.check("recipe", "1")


def test_a_missing_folder_is_no_run(folder: RunFolder) -> None:
    with pytest.raises(RunError, match=r"no Winnow run here \(winnow.json is missing\)"):
        folder.check("recipe", "1")


def test_the_key_is_of_all_that_a_result_depends_on() -> None:
    inputs = [{"path": "a", "size": 1, "checksum": "1:2"}]
    given = {
        "stage": "clean",
        "config": {"min": 1, "max": 2},
        "inputs": inputs,
        "upstream": {"before": "up"},
        "versions": {"a": "1"},
    }
    others = {
        "stage": "other", "config": {"min": 1, "max": 3}, "inputs": [{**inputs[0], "checksum": "1:3"}], "upstream": {},
        "versions": {"a": "2"},
    }  # fmt: skip
    keys = {stage_key(**{**given, name: other}) for name, other in others.items()}  # type: ignore[arg-type]
    assert len(keys | {stage_key(**given)}) == 6  # type: ignore[arg-type]
    assert stage_key(**{**given, "config": {"max": 2, "min": 1}}) == stage_key(**given)  # type: ignore[arg-type]


def test_parts_are_named_so_that_they_sort() -> None:
    data = RunFolder("/run").data("clean", "k")
    assert data.part("documents", 7) == "/run/clean/k/documents/part-000007.parquet"
    assert data.part("rejected", 123456, "-copies") == "/run/clean/k/rejected/part-123456-copies.parquet"
    assert data.done(7) == "/run/clean/k/done/part-000007.json"
    assert data.done(7, "scanned") == "/run/clean/k/scanned/part-000007.json"
