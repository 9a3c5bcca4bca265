"""A dataset: which run is next, what it reads, and that the ones before it stay; on stages of a few lines."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.reports.ledger import dataset_ledger
from pipelines.runs.dataset import SourceFile, refuse_later_run
from pipelines.runs.folder import RunFolder
from pipelines.runs.runner import plan
from schemas.errors import InputError, RunError
from storage.listing.inputs import describe_inputs
from tests.pipelines.dataset_bench import STAGES, Bench, snapshot, stop

# --- one run after the other


def test_the_first_run_is_the_folder_itself(bench: Bench) -> None:
    ending = bench.new()
    assert (ending.run, ending.new_inputs) == (bench.dataset.path, 2)
    assert bench.inputs() == [["a", "b"]]
    assert bench.first.seen == [[]]
    marker = json.loads(Path(bench.dataset.path, "winnow.json").read_text())
    assert marker["stages"] == STAGES


def test_twice_in_a_row_does_nothing_the_second_time(bench: Bench) -> None:
    bench.new()
    before = snapshot(bench.root / "out")
    ending = bench.new()
    assert ending.message == "nothing new: 2 inputs are all in committed runs"
    assert (ending.run, ending.new_inputs) == ("", 0)
    assert snapshot(bench.root / "out") == before


def test_a_later_run_reads_what_is_new_and_knows_the_earlier_ones(bench: Bench) -> None:
    bench.new()
    before = snapshot(bench.root / "out")
    bench.add("c")
    ending = bench.new()
    assert (ending.run, ending.new_inputs) == (f"{bench.dataset.path}/runs/000001", 1)
    bench.add("d", "e")
    bench.new()
    assert bench.inputs() == [["a", "b"], ["c"], ["d", "e"]]
    assert bench.second.seen == [[], [3], [3, 3]]
    after = snapshot(bench.root / "out")
    assert {path: after[path] for path in before} == before, "an earlier run was touched"


def test_a_later_run_has_keys_of_its_own(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    bench.new()
    (zero, one) = bench.dataset.runs()
    manifests = [run.manifest("second") for run in (zero, one)]
    assert [manifest.earlier for manifest in manifests if manifest] == [[], [manifests[0].key]]  # type: ignore[union-attr]
    alone = Bench(bench.root / "alone")
    alone.root.mkdir()
    archives = one.inputs() or []
    keys = [step.key for step in plan(bench.recipe, archives, one, bench.dataset.earlier(one))]
    assert keys == [manifest.key for manifest, _ in one.committed()]
    assert not set(keys) & {step.key for step in plan(bench.recipe, archives, RunFolder(str(alone.root)))}


def test_a_limit_eats_the_inputs_bit_by_bit_in_order(bench: Bench) -> None:
    bench.add("c", "d", "e")
    assert [bench.new(2).new_inputs for _ in range(4)] == [2, 2, 1, 0]
    assert bench.inputs() == [["a", "b"], ["c", "d"], ["e"]]


def test_a_file_that_changed_is_new_and_a_vanished_one_is_not_missed(bench: Bench) -> None:
    bench.new()
    (bench.root / "in" / "a").write_text("other than before")
    (bench.root / "in" / "b").unlink()
    bench.new()
    assert bench.inputs() == [["a", "b"], ["a"]]
    assert bench.new().new_inputs == 0


def test_an_address_on_the_web_is_known_by_itself(bench: Bench) -> None:
    bench.new()
    run = bench.dataset.runs()[0]
    address = "http://127.0.0.1:1/crawl.warc.gz"  # nobody answers there
    run.record([{"path": address, "size": 7, "checksum": "7:ETag=x", "source": "web"}], "")
    assert bench.dataset.new_inputs([SourceFile("web", address)]) == []
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1/other"):
        bench.dataset.new_inputs([SourceFile("web", "http://127.0.0.1:1/other.warc.gz")])


def test_what_is_known_is_not_looked_up_but_for_a_change(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.new()
    bench.add("c", "d", "e")
    looked: list[str] = []

    def describe(paths: list[str], unreadable: Any) -> Any:
        looked.extend(paths)
        return describe_inputs(paths, unreadable)

    monkeypatch.setattr("pipelines.runs.dataset.describe_inputs", describe)
    assert [Path(entry["path"]).name for entry in bench.dataset.new_inputs(bench.files, 1)] == ["c"]
    assert [Path(path).name for path in looked] == ["a", "b", "c"]


# --- earlier runs stay


def test_a_plain_run_that_would_redo_something_is_refused(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    bench.new()
    with pytest.raises(RunError, match=r"later runs \(1\) build on this one, but its stage first would be redone"):
        bench.whole()
    (bench.root / "in" / "c").unlink()
    before = snapshot(bench.root / "out")
    bench.whole()
    assert snapshot(bench.root / "out") == before
    bench.second = dataclasses.replace(bench.second, settings={"limit": 2})
    with pytest.raises(RunError, match=r"its stage second would be redone.*limit: 3 -> 2.*--new") as caught:
        bench.whole()
    assert "\n" not in str(caught.value)
    assert snapshot(bench.root / "out") == before


def test_a_plain_run_of_a_dataset_of_one_run_may_redo_it(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    assert bench.whole().new_inputs == 1
    assert bench.inputs() == [["a", "b", "c"]]
    assert bench.new().new_inputs == 0


def test_other_settings_are_those_of_the_next_run(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    bench.second = dataclasses.replace(bench.second, settings={"limit": 2})
    bench.new()
    kept = [run.committed()[1][0].counts.kept for run in bench.dataset.runs()]
    assert kept == [3, 2]


def rewrite(run: RunFolder, **changes: Any) -> None:
    path = Path(run.path, "winnow.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_an_earlier_run_of_another_version_is_built_on(bench: Bench) -> None:
    bench.new()
    rewrite(bench.dataset.runs()[0], version="0.0.1")
    bench.add("c")
    bench.new()
    assert bench.second.seen[-1] == [3]
    with pytest.raises(RunError, match=r"written by Winnow 0\.0\.1"):
        bench.whole()


def test_an_earlier_run_of_another_format_or_recipe_is_refused(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    for changes in ({"format": 0}, {"recipe": "other", "format": 1}):
        rewrite(bench.dataset.runs()[0], **changes)
        with pytest.raises(RunError, match="this is Winnow"):
            bench.new()


def test_a_stopped_run_of_another_version_is_not_gone_on_with(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.new()
    bench.add("c")
    stop(bench, monkeypatch)
    rewrite(bench.dataset.runs()[1], version="0.0.1")
    with pytest.raises(RunError, match=r"written by Winnow 0\.0\.1.*; finish it with that Winnow, or remove it"):
        bench.new()


def test_a_file_of_another_source_is_new_though_its_path_is_known(bench: Bench) -> None:
    bench.new()
    (entry, _) = bench.dataset.new_inputs([SourceFile("wiki", path) for path in bench.paths])
    assert (entry["source"], entry["path"]) == ("wiki", bench.paths[0])


@pytest.mark.parametrize("text", ["", "[]", '{"inputs": 3}', '{"inputs": [{"path": "x"}]}', "\x00"])
def test_a_damaged_record_of_inputs_is_one_line(bench: Bench, text: str) -> None:
    bench.new()
    Path(bench.dataset.path, "inputs.json").write_text(text)
    with pytest.raises(RunError, match=r"inputs\.json: not a record of a run's inputs") as caught:
        bench.new()
    assert "\n" not in str(caught.value)


def test_a_middle_run_that_is_not_whole_stops_the_next(bench: Bench) -> None:
    bench.new()
    for name in "cd":
        bench.add(name)
        bench.new()
    os.unlink(bench.root / "out" / "runs" / "000001" / "second" / "manifest.json")  # noqa: PTH108
    bench.add("e")
    with pytest.raises(RunError, match=r"runs/000001: this run is not finished, and .*runs/000003 was begun after it"):
        bench.new()


def test_a_stage_is_redone_when_an_earlier_run_was_taken_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.new()
    bench.add("c")
    bench.new()
    bench.add("d")
    stop(bench, monkeypatch)
    shutil.rmtree(bench.root / "out" / "runs" / "000001")
    run = bench.dataset.runs()[1]
    steps = plan(bench.recipe, run.inputs() or [], run, bench.dataset.earlier(run))
    assert steps[0].why == "the dataset's earlier runs are not those it was made after"


def test_a_later_run_is_not_run_by_itself(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    path = bench.new().run
    with pytest.raises(RunError, match=r"runs/000001: is a run of the dataset .*/out; give that, with --new"):
        refuse_later_run(path)
    refuse_later_run(bench.dataset.path)
    refuse_later_run(str(bench.root / "runs" / "000001"))  # of no dataset


def test_a_run_is_found_by_its_number(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    path = bench.new().run
    assert [bench.dataset.run(n).path for n in (0, 1)] == [bench.dataset.path, path]
    with pytest.raises(RunError, match=r"--run 2: no such run in .*; there are runs 0, 1"):
        bench.dataset.run(2)


def test_a_folder_of_something_else_is_refused(bench: Bench) -> None:
    (bench.root / "out").mkdir()
    (bench.root / "out" / "thesis.tex").write_text("ten years of work")
    with pytest.raises(RunError, match="not empty and not the output of a Winnow run"):
        bench.new()


def test_many_known_inputs_are_not_asked_about(bench: Bench) -> None:
    bench.new()
    entries = [
        {"path": f"https://nowhere.invalid/{n}", "size": 1, "checksum": "1", "source": "web"} for n in range(90_000)
    ]
    bench.dataset.runs()[0].record(entries, "")
    assert bench.dataset.new_inputs([SourceFile("web", entry["path"]) for entry in entries]) == []  # no such host


# --- its ledger


def test_the_ledger_of_a_dataset_is_the_sum_of_its_runs(bench: Bench) -> None:
    bench.new()
    bench.add("c")
    bench.new()
    book = dataset_ledger(bench.dataset)
    fates = [(stage["name"], stage["read"], stage["kept"], stage["dropped"]) for stage in book["stages"]]
    assert fates == [("first", 12, 12, {}), ("second", 12, 6, {"too_big": 6})]
    assert [(run["run"], run["inputs"], run["finished"]) for run in book["runs"]] == [(0, 2, True), (1, 1, True)]
    assert [run["stages"][1]["kept"] for run in book["runs"]] == [3, 3]
    assert book["stages"][0]["wall_s"] == pytest.approx(sum(run["stages"][0]["wall_s"] for run in book["runs"]))


def test_the_ledger_says_which_run_is_not_finished(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.new()
    bench.add("c")
    stop(bench, monkeypatch)
    runs = dataset_ledger(bench.dataset)["runs"]
    assert [(run["finished"], len(run["stages"])) for run in runs] == [(True, 2), (False, 1)]
