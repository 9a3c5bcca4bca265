"""Sums of ledgers."""

from __future__ import annotations

import io

from rich.console import Console

from pipelines.reports.ledger import LANGUAGES_SHOWN, draw, mix_sums, stage_sums
from transforms.mixing.mix import MixConfig, plan_mix, report_mix


def stage(name: str, kept: int, dropped: dict[str, int], wall_s: float) -> dict[str, object]:
    read = kept + sum(dropped.values())
    return {
        "name": name,
        "read": read,
        "kept": kept,
        "dropped": dropped,
        "failed": {},
        "cpu_s": {"x": 0.1},
        "wall_s": wall_s,
    }


def test_stages_add_up_by_name() -> None:
    entries = [
        stage("a", 3, {"old": 1}, 0.1),
        stage("b", 3, {}, 1),
        stage("a", 2, {"new": 5, "old": 2}, 0.2),
        stage("c", 0, {}, 0),
    ]
    sums = stage_sums(entries)
    assert [entry["name"] for entry in sums] == ["a", "b", "c"]
    assert sums[0] == {
        "name": "a", "read": 13, "kept": 5, "dropped": {"new": 5, "old": 3}, "failed": {}, "cpu_s": {"x": 0.2},
        "wall_s": 0.3,
    }  # fmt: skip
    assert entries[0]["dropped"] == {"old": 1}, "a run's own ledger was changed"
    assert stage_sums([]) == []


def test_the_mix_of_one_run_is_its_own() -> None:
    report = report_mix(plan_mix({"s/en/q0": 10}, MixConfig()), {"s/en/q0": 10}).to_json()
    assert mix_sums([report]) is report
    assert mix_sums([]) is None


def test_the_mix_of_two_runs() -> None:
    one = report_mix(
        plan_mix({"s/en/q0": 10, "s/de/q0": 30}, MixConfig(language_shares={"fr": 0.1})), {"s/en/q0": 10, "s/de/q0": 20}
    )
    two = report_mix(plan_mix({"s/en/q0": 60}, MixConfig(token_budget=120, max_epochs=2)), {"s/en/q0": 120})
    total = mix_sums([one.to_json(), two.to_json()])
    assert total is not None
    assert (total["budget"], total["available_tokens"], total["reached_tokens"]) == (160, 100, 150)
    assert total["absent"] == []  # the second run did not want it
    rows = {(row["axis"], row["name"]): row for row in total["rows"]}
    english = rows["group", "s/en/q0"]
    assert (english["available_tokens"], english["reached_tokens"]) == (70, 130)
    assert english["epochs"] == 130 / 70
    assert english["reached_share"] == 130 / 150
    assert set(english) == set(one.to_json()["rows"][0])
    assert rows["language", "de"]["reached_share"] == 20 / 150
    axes = [row["axis"] for row in total["rows"]]
    assert axes == sorted(axes, key=("source", "language", "quality", "group").index)


def test_fates_by_group_add_up_even_where_a_run_had_no_documents() -> None:
    some = {"source": "web", "kept": 2, "dropped": {"old": 1}, "failed": {}}
    other = {"source": "books", "kept": 1, "dropped": {}, "failed": {"decode": 4}}
    parts = [[some], [], [some], [other]]
    (total,) = stage_sums([{**stage("a", 2, {}, 0), "by": part} for part in parts], ("source",))
    assert total["by"] == [other, {"source": "web", "kept": 4, "dropped": {"old": 2}, "failed": {}}]


def test_languages_that_had_the_limits_of_their_script_are_named_and_summed() -> None:
    first = {f"a{letter}": 1 for letter in "abcdefghijklm"}
    entries = [
        {**stage("clean", 20, {}, 0), "edits": {}, "is_first": True, "limits_by_script": languages}
        for languages in (first, {"am": 3}, {})
    ]
    (total,) = stage_sums(entries)
    assert total["limits_by_script"] == {**first, "am": 4}
    console = Console(width=400, record=True, file=io.StringIO())
    console.print(draw({"stages": [total], "shards": [], "mix": None}))
    said = console.export_text()
    assert "limits by script: am 4, aa 1, ab 1" in said
    assert f" and {len(first) - LANGUAGES_SHOWN} more" in said
