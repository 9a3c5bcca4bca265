"""The runner on stages of a few lines: skip, redo, say why, balance, commit."""

from __future__ import annotations

import dataclasses
import errno
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import storage
from pipelines.engines.engine import Engine
from pipelines.runs.counts import KEPT, Counts, Fate
from pipelines.runs.dataset import SourceFile, describe
from pipelines.runs.folder import Manifest, RunFolder
from pipelines.runs.graph import Node, Recipe
from pipelines.runs.plan import VERSION, changed_settings, plan
from pipelines.runs.runner import Watcher, run
from pipelines.runs.stage import StageContext, StageResult
from pipelines.runs.tables import FateWriter, read_batches
from schemas.errors import ConfigError, InputError, RunError
from schemas.records import Document, Failure, Rejection, arrow_schema, to_batch
from storage.listing.inputs import describe_inputs

SCHEMA = arrow_schema(Document)


@dataclass(frozen=True)
class Sieve:
    """Keeps documents whose number is below `limit`; the first stage makes `made` of them for each input."""

    name: str
    settings: Any = field(default_factory=lambda: {"limit": 100})
    resources: tuple[str, ...] = ()
    kept_table: str = "documents"
    made: int = 0
    lost: int = 0  # documents it reads and forgets
    unread: int = 0  # documents of the stage before that it does not read
    told: int = 0  # kept documents it claims beyond those it wrote
    error: OSError | None = None
    calls: Counter[str] = field(default_factory=Counter, compare=False)

    @property
    def code(self) -> list[Any]:
        return [type(self)]

    def prepare(self) -> None:
        self.calls["prepare"] += 1
        if self.settings.get("refused"):
            raise ConfigError("refused: True is not allowed")

    def run(self, context: StageContext) -> StageResult:
        self.calls["run"] += 1
        context.set_parts(1)
        if self.error:
            raise self.error
        texts = [str(n) for n in range(self.made * len(context.inputs))]
        if context.upstream.stages:
            batches = read_batches(context.upstream.tables.part("documents", 0), ["text"])
            texts = [text for batch in batches for text in batch.column("text").to_pylist()][self.unread :]
        with FateWriter(context.target, self.name, 0, "documents", SCHEMA) as fates:
            for text in texts[self.lost :]:
                self._settle(fates, text)
            fates.counts.read["web"] = len(texts)
        fates.counts.fates[Fate("web", "en", KEPT, "")] += self.told
        storage.write_atomic(context.target.done(0), fates.counts.to_json())
        return StageResult(1, {"seen": len(texts)})

    def _settle(self, fates: FateWriter, text: str) -> None:
        record = {"id": text, "url": "", "source": "web", "language": "en", "stage": self.name, "step": "sieve"}
        if text == "13":
            fates.fail(Failure(**record, cause="unlucky"))
        elif int(text) >= self.settings["limit"]:
            fates.reject(Rejection(**record, reason="too_big"))
        else:
            document = Document(id=text, text=text, source="web", language="en")
            fates.keep(to_batch(Document, [document]), {("web", "en"): 1})


class Notes(Watcher):
    """Writes down what the runner tells."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def stage_skipped(self, planned: Any, manifest: Manifest) -> None:
        self.heard.append(f"= {manifest.stage}")

    def stage_started(self, planned: Any, target: Any) -> None:
        self.heard.append(f"> {planned.id}")

    def stage_parts(self, parts: int) -> None:
        self.heard.append(f"{parts} parts")

    def stage_committed(self, manifest: Manifest) -> None:
        self.heard.append(f"+ {manifest.stage}")


@dataclass
class Bench:
    """A recipe of three sieves over two inputs, and a folder."""

    folder: RunFolder
    inputs: list[Path]
    stages: tuple[Sieve, ...]
    engine: Engine

    def change(self, number: int, **changes: Any) -> Bench:
        stages = list(self.stages)
        stages[number] = dataclasses.replace(stages[number], **changes)
        return dataclasses.replace(self, stages=tuple(stages))

    @property
    def archives(self) -> list[dict[str, Any]]:
        return describe([SourceFile("web", path) for path in sorted(map(str, self.inputs))])

    @property
    def recipe(self) -> Recipe:
        names = [stage.name for stage in self.stages]
        nodes = [
            Node(stage.name, stage, (names[n - 1],) if n else (), source="" if n else "web")
            for n, stage in enumerate(self.stages)
        ]
        return Recipe("sieves", tuple(nodes), {"web": None})

    def run(self, name: str = "sieves") -> tuple[list[Manifest], list[str]]:
        notes = Notes()
        self.folder.open(name, VERSION, [stage.name for stage in self.stages])
        return run(self.recipe, self.archives, self.folder, self.engine, notes), notes.heard

    def whys(self) -> dict[str, str]:
        return {step.id: step.why for step in plan(self.recipe, self.archives, self.folder)}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    inputs = [tmp_path / "a.warc", tmp_path / "b.warc"]
    for path in inputs:
        path.write_text(path.name)
    stages = (Sieve("first", made=10), Sieve("second", settings={"limit": 15}), Sieve("third"))
    return Bench(RunFolder(str(tmp_path / "run")), inputs, stages, Engine([], tmp_path / "log"))


UNCHANGED = "committed and unchanged"


def test_counts_come_from_the_tables(bench: Bench) -> None:
    manifests, heard = bench.run()
    kept = Fate("web", "en", "kept", "")
    assert [manifest.counts for manifest in manifests] == [
        Counts.of({"web": 20}, {kept: 19, Fate("web", "en", "failed", "unlucky"): 1}),
        Counts.of({"web": 19}, {kept: 14, Fate("web", "en", "dropped", "too_big"): 5}),
        Counts.of({"web": 14}, {kept: 14}),
    ]
    assert heard == [
        "> first",
        "1 parts",
        "+ first",
        "> second",
        "1 parts",
        "+ second",
        "> third",
        "1 parts",
        "+ third",
    ]


def test_a_manifest_says_what_it_was_made_of(bench: Bench) -> None:
    manifests, _ = bench.run()
    first, second, _ = manifests
    assert (first.upstream, second.upstream) == ({}, {"first": first.key})
    assert first.inputs == bench.archives
    assert second.config == {"limit": 15}
    assert first.facts == {"seen": 20}
    assert first.counts.documents == {"en": 19}
    assert first.version == VERSION
    assert {"python", "winnow", "source"} <= set(first.versions)
    assert bench.folder.manifest("second") == second


def test_nothing_is_done_twice(bench: Bench) -> None:
    before, _ = bench.run()
    after, heard = bench.run()
    assert heard == ["= first", "= second", "= third"]
    assert after == before
    assert [stage.calls for stage in bench.stages] == [Counter(prepare=1, run=1)] * 3


def test_what_is_skipped_is_not_prepared_either(bench: Bench) -> None:
    bench.run()
    changed = bench.change(2, settings={"limit": 3})
    changed.run()
    assert [stage.calls["prepare"] for stage in changed.stages] == [1, 1, 2]


def test_a_changed_setting_redoes_its_stage_and_those_after_it(bench: Bench) -> None:
    bench.run()
    changed = bench.change(1, settings={"limit": 12})
    assert changed.whys() == {"first": UNCHANGED, "second": "changed: limit: 15 -> 12", "third": "second is redone"}
    manifests, heard = changed.run()
    assert [word for word in heard if word[0] in "=+"] == ["= first", "+ second", "+ third"]
    assert manifests[2].counts.read == 12
    sizes = [len(list(Path(bench.folder.stage(stage)).iterdir())) for stage in ("first", "second", "third")]
    assert sizes == [2, 4, 4]  # a manifest and its data folder, and those of the former result


def test_changed_back_is_redone_with_the_same_key(bench: Bench) -> None:
    before, _ = bench.run()
    bench.change(1, settings={"limit": 12}).run()
    assert bench.whys()["second"] == "changed: limit: 12 -> 15"
    after, _ = bench.run()
    assert [manifest.key for manifest in after] == [manifest.key for manifest in before]
    assert [manifest.counts for manifest in after] == [manifest.counts for manifest in before]


def test_a_new_input_redoes_all(bench: Bench, tmp_path: Path) -> None:
    bench.run()
    more = tmp_path / "c.warc"
    more.write_text("c")
    bench.inputs.append(more)
    assert bench.whys() == {
        "first": "inputs: 1 new, 0 gone, 0 changed", "second": "first is redone", "third": "first is redone"
    }  # fmt: skip
    bench.inputs.remove(bench.inputs[0])
    assert bench.whys()["first"] == "inputs: 1 new, 1 gone, 0 changed"


def test_a_changed_input_redoes_all(bench: Bench) -> None:
    bench.run()
    bench.inputs[0].write_text("more than before")
    assert bench.whys()["first"] == "inputs: 0 new, 0 gone, 1 changed"


def test_a_changed_resource_redoes_its_stage(bench: Bench, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("one")
    bench = bench.change(1, resources=(str(words),))
    bench.run()
    assert bench.whys()["second"] == UNCHANGED
    words.write_text("one\ntwo")
    assert bench.whys() == {
        "first": UNCHANGED, "second": "inputs: 0 new, 0 gone, 1 changed", "third": "second is redone"
    }  # fmt: skip


def test_before_the_first_run_nothing_is_done(bench: Bench) -> None:
    assert set(bench.whys().values()) == {"not done yet"}


def test_a_stage_made_from_another_state_is_redone(bench: Bench) -> None:
    bench.run()
    changed = bench.change(1, settings={"limit": 12}, error=OSError(errno.EIO, "gone"))
    stopped = changed.change(2)
    with pytest.raises(RunError, match=r"stage second: .*gone"):
        stopped.run()
    # The second stage of the old settings is still committed, so is the third: going back costs nothing.
    assert bench.whys() == dict.fromkeys(("first", "second", "third"), UNCHANGED)


def test_a_record_without_a_fate_stops_the_run(bench: Bench) -> None:
    with pytest.raises(
        RunError, match=r"stage second: the ledger does not balance: source web: read 19 records, 17 have a fate"
    ):
        bench.change(1, lost=2).run()
    assert bench.folder.manifest("first") is not None
    assert bench.folder.manifest("second") is None


def test_a_record_that_was_not_read_stops_the_run(bench: Bench) -> None:
    with pytest.raises(RunError, match="stage third: read 12 records, but 14 were kept before it"):
        bench.change(2, unread=2).run()


def test_tables_that_do_not_hold_what_was_counted_stop_the_run(bench: Bench) -> None:
    with pytest.raises(RunError, match="stage second: its tables do not hold what its parts counted"):
        bench.change(1, told=1).run()


def test_a_full_disk_is_one_line(bench: Bench) -> None:
    with pytest.raises(RunError, match="no space left while writing stage second; nothing was committed"):
        bench.change(1, error=OSError(errno.ENOSPC, "full")).run()
    assert bench.folder.manifest("second") is None
    _, heard = bench.run()
    assert "= first" in heard


def test_settings_are_checked_before_any_stage_runs(bench: Bench) -> None:
    refused = bench.change(2, settings={"limit": 1, "refused": True})
    with pytest.raises(ConfigError, match="refused: True is not allowed"):
        refused.run()
    assert [stage.calls["run"] for stage in refused.stages] == [0, 0, 0]


def test_a_folder_of_another_recipe_is_refused(bench: Bench) -> None:
    bench.run()
    with pytest.raises(
        RunError, match=f"written by Winnow {VERSION}, recipe sieves, format 2; this is .* recipe other"
    ):
        bench.run("other")


def test_a_folder_of_another_version_is_refused(bench: Bench) -> None:
    bench.run()
    marker = Path(bench.folder.path, "winnow.json")
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "version": "99.0"}))
    with pytest.raises(RunError, match=r"written by Winnow 99.0, .* give a new folder"):
        bench.run()


def test_a_folder_of_a_run_over_other_inputs_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.run()
    other = tmp_path / "other.warc"
    other.write_text("x")
    with pytest.raises(RunError, match=r"holds a run over other inputs \(a.warc, ...\)"):
        dataclasses.replace(bench, inputs=[other]).run()
    assert bench.whys()["first"] == UNCHANGED


def test_a_folder_of_something_else_is_refused_and_left_alone(bench: Bench) -> None:
    folder = Path(bench.folder.path)
    folder.mkdir()
    (folder / "thesis.tex").write_text("ten years of work")
    with pytest.raises(RunError, match="not empty and not the output of a Winnow run"):
        bench.run()
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_a_vanished_input_is_an_input_error(bench: Bench) -> None:
    bench.inputs[0].unlink()
    with pytest.raises(InputError, match=r"a\.warc: cannot be read: No such file"):
        bench.run()


def test_staging_of_other_settings_is_removed(bench: Bench) -> None:
    bench.run()
    left = Path(bench.folder.stage("second"), "0123456789abcdef", "documents")
    left.mkdir(parents=True)
    bench.change(1, settings={"limit": 2}).run()
    assert not left.exists()


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a: 1 -> 2"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c: 2 -> 3"]),
        ({"a": 1}, {"b": 1}, ["a: gone", "b: new"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a: [1, 2] -> [1]"]),
    ],
)
def test_changed_settings(before: Any, now: Any, expected: list[str]) -> None:
    assert changed_settings(before, now) == expected


def test_inputs_are_described_in_the_order_given(tmp_path: Path) -> None:
    paths = []
    for n in range(40):
        paths.append(tmp_path / f"{(n * 7) % 40}.warc")
        paths[-1].write_text("x" * n)
    described = describe_inputs([str(path) for path in paths])
    assert [(entry["path"], entry["size"]) for entry in described] == [(str(path), n) for n, path in enumerate(paths)]
    assert all(entry["checksum"].startswith(f"{entry['size']}:") for entry in described)


def test_a_batch_of_nothing_is_a_table(bench: Bench) -> None:
    manifests, _ = bench.change(0, made=0).run()
    assert [manifest.counts.read for manifest in manifests] == [0, 0, 0]
    assert (
        pa.Table.from_batches(
            read_batches(bench.folder.data("third", manifests[2].key).part("documents", 0)), SCHEMA
        ).num_rows
        == 0
    )
