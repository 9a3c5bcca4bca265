"""The former result of a folder: kept by a rerun, whatever happens to that, until it is dropped or replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import storage
from pipelines.runs.folder import RunFolder
from pipelines.runs.former import drop_former, former_result
from schemas.errors import RunError
from tests.pipelines.runs.test_runner import Bench, bench

__all__ = ["bench"]

FULL = OSError(28, "full")


def limits(folder: RunFolder) -> list[Any]:
    """Return the settings of the committed stages."""
    return [manifest.config["limit"] for manifest, _ in folder.committed()]


def former(bench: Bench) -> RunFolder:
    return RunFolder(bench.folder.path, former=True)


def of(bench: Bench, *wanted: int) -> Bench:
    """Return the bench with other limits."""
    for number, limit in enumerate(wanted):
        bench = bench.change(number, settings={"limit": limit})
    return bench


def data_folders(bench: Bench) -> list[int]:
    """Return how many data folders each stage has."""
    stages = (Path(bench.folder.stage(stage)) for stage in ("first", "second", "third"))
    return [sum(path.is_dir() for path in stage.iterdir()) if stage.is_dir() else 0 for stage in stages]


def test_the_first_run_has_none(bench: Bench) -> None:
    bench.run()
    bench.run()
    assert former_result(bench.folder) is None
    assert former(bench).committed() == []
    with pytest.raises(RunError, match="keeps no former result"):
        drop_former(bench.folder)


def test_a_rerun_keeps_what_it_replaces(bench: Bench) -> None:
    before, _ = of(bench, 100, 15, 100).run()
    of(bench, 100, 12, 100).run()
    assert (limits(bench.folder), limits(former(bench))) == ([100, 12, 100], [100, 15, 100])
    assert [manifest for manifest, _ in former(bench).committed()] == before
    assert all(bench.folder.listing(m.stage, m.key) == m.files for m in before)
    kept = former_result(bench.folder)
    assert kept is not None
    assert (kept.stages, kept.size_bytes) == (["second", "third"], sum(m.files["bytes"] for m in before[1:]))
    assert former(bench).inputs() == bench.archives


def test_one_former_result_is_kept_that_of_the_run_before(bench: Bench) -> None:
    of(bench, 100, 15, 100).run()
    of(bench, 100, 12, 100).run()
    of(bench, 100, 12, 9).run()
    assert (limits(bench.folder), limits(former(bench))) == ([100, 12, 9], [100, 12, 100])
    assert data_folders(bench) == [1, 1, 2]
    of(bench, 100, 7, 9).run()
    assert (limits(bench.folder), limits(former(bench))) == ([100, 7, 9], [100, 12, 9])
    assert data_folders(bench) == [1, 2, 2]


def test_it_can_be_dropped_and_nothing_else_goes(bench: Bench) -> None:
    of(bench, 100, 15, 100).run()
    of(bench, 100, 12, 100).run()
    present = bench.folder.committed()
    dropped = drop_former(bench.folder)
    assert dropped.stages == ["second", "third"]
    assert former_result(bench.folder) is None
    assert bench.folder.committed() == present
    assert data_folders(bench) == [1, 1, 1]
    assert not list(Path(bench.folder.path).rglob("former.json"))
    assert of(bench, 100, 12, 100).run()[1] == ["= first", "= second", "= third"]


def test_changed_back_takes_the_parts_that_are_done(bench: Bench) -> None:
    before, _ = of(bench, 100, 15, 100).run()
    of(bench, 100, 12, 100).run()
    back, _ = of(bench, 100, 15, 100).run()
    assert [(m.key, m.counts, m.files) for m in back] == [(m.key, m.counts, m.files) for m in before]
    assert (limits(bench.folder), limits(former(bench))) == ([100, 15, 100], [100, 12, 100])
    drop_former(bench.folder)
    assert [m.key for m, _ in bench.folder.committed()] == [m.key for m in before]
    assert all(bench.folder.listing(m.stage, m.key) == m.files for m in before)


def test_a_rerun_that_broke_leaves_the_last_whole_result(bench: Bench) -> None:
    of(bench, 100, 15, 100).run()
    broken = of(bench, 100, 12, 100).change(2, error=FULL)
    for _ in range(2):
        with pytest.raises(RunError, match="no space left"):
            broken.run()
        assert limits(former(bench)) == [100, 15, 100]
    with pytest.raises(RunError, match="no space left"):
        of(broken, 100, 11, 100).run()  # other settings before it came to its end
    assert limits(former(bench)) == [100, 15, 100]
    of(bench, 100, 11, 100).run()
    assert (limits(bench.folder), limits(former(bench))) == ([100, 11, 100], [100, 15, 100])
    assert data_folders(bench) == [1, 2, 2]


def test_a_run_that_never_came_to_its_end_is_no_result(bench: Bench) -> None:
    with pytest.raises(RunError, match="no space left"):
        bench.change(2, error=FULL).run()
    of(bench, 100, 12, 100).run()
    assert former_result(bench.folder) is None
    assert data_folders(bench) == [1, 1, 1]


def test_dropped_in_the_middle_of_a_rerun_the_rerun_goes_on(bench: Bench) -> None:
    of(bench, 100, 15, 100).run()
    with pytest.raises(RunError, match="no space left"):
        of(bench, 100, 12, 100).change(2, error=FULL).run()
    drop_former(bench.folder)
    assert former_result(bench.folder) is None
    _, heard = of(bench, 100, 12, 100).run()
    assert [word for word in heard if word[0] in "=+"] == ["= first", "= second", "+ third"]
    assert data_folders(bench) == [1, 1, 1]


def test_a_stage_that_the_recipe_has_no_more_is_a_part_of_the_former_result(bench: Bench) -> None:
    of(bench, 100, 15, 9).run()
    shorter = Bench(bench.folder, bench.inputs, bench.stages[:2], bench.engine)
    of(shorter, 100, 12).run()
    assert (limits(bench.folder), limits(former(bench))) == ([100, 12], [100, 15, 9])
    assert bench.folder.stages() == ["first", "second"]
    drop_former(bench.folder)
    assert data_folders(bench) == [1, 1, 0]
    of(shorter, 100, 11).run()
    assert limits(former(bench)) == [100, 12]


def test_a_damaged_record_is_one_line(bench: Bench) -> None:
    bench.run()
    storage.write_atomic(f"{bench.folder.path}/former.json", b"[]")
    with pytest.raises(RunError, match=r"former\.json: not a record of a former result"):
        former_result(bench.folder)


@pytest.mark.parametrize("writes", range(5))
def test_killed_while_it_keeps_the_former_result(bench: Bench, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Whatever was written by then: the next run keeps the same result, and its data is all there."""
    of(bench, 100, 15, 100).run()
    of(bench, 100, 14, 100).run()
    before = [(manifest.stage, manifest.key) for manifest, _ in bench.folder.committed()]
    changed, left = of(bench, 100, 12, 100), [writes]
    write_atomic = storage.write_atomic

    def killed(path: str, data: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write_atomic(path, data)

    with monkeypatch.context() as patch:
        patch.setattr("storage.write_atomic", killed)
        with pytest.raises(KeyboardInterrupt):
            changed.run()
    changed.run()
    chain = former(bench).committed()
    assert [(manifest.stage, manifest.key) for manifest, _ in chain] == before
    assert all(bench.folder.listing(m.stage, m.key) == m.files for m, _ in chain)
    assert limits(bench.folder) == [100, 12, 100]
