"""The lines stage over several runs: lines count on from run to run, until their bucket is full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.stages.survey import SurveyStage
from schemas.errors import ConfigError
from schemas.identity import content_id
from schemas.records import Document
from transforms.dedup.frequent_lines import LinesConfig
from transforms.dedup.line_survey import FrequentLines


def stage(**settings: Any) -> SurveyStage:
    config = LinesConfig(**{"max_copies": 2, "bucket_docs": 4, "count_documents": False, **settings})
    return SurveyStage("dedup", (FrequentLines(config),))


def documents(run: str, *texts: str, language: str = "en") -> list[Document]:
    return [Document(id=content_id(run, str(n)), text=text, language=language) for n, text in enumerate(texts)]


FIRST = documents("1", "Menu\nOne.", "Menu\nTwo.") + documents("1 de", "Menu\nEins.", language="de")
SECOND = documents("2", "Menu\nThree.\nSeen twice.\nSeen twice.")  # the third Menu of English documents
THIRD = documents("3", "Menu\nSeen twice.\nFour.") + documents("3 de", "Menu\nZwei.", language="de")
FOURTH = documents("4", "Menu\nSeen twice.\nFive.")  # bucket 0 was full after the third run: all counts begin anew


def four_runs(data: Any, parts: tuple[int, int, int, int] = (1, 1, 1, 1)) -> Any:
    for some, count in zip((FIRST, SECOND, THIRD, FOURTH), parts, strict=True):
        data.documents(stage(), some, count)
    return data


@pytest.fixture(scope="module")
def four(new_dataset: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Four runs; tests must not change them."""
    return four_runs(new_dataset(tmp_path_factory.mktemp("four")))


def test_lines_count_on_until_their_bucket_is_full(four: Any) -> None:
    assert [done.kept("text") for done in four.runs] == [
        ["Menu\nEins.", "Menu\nOne.", "Menu\nTwo."],
        ["Three.\nSeen twice.\nSeen twice."],
        ["Four.", "Menu\nZwei."],
        ["Menu\nSeen twice.\nFive."],
    ]


def test_facts_tell_documents_by_language_and_the_lines_of_open_buckets(four: Any) -> None:
    facts = [done.manifest.facts for done in four.runs]
    assert [fact["surveyed_documents"]["lines"] for fact in facts] == [
        {"en": 2, "de": 1},
        {"en": 1},
        {"en": 1, "de": 1},
        {"en": 1},
    ]
    # Menu, One, Two and the German ones; Menu, Three, Seen twice; of the third run only German: its English bucket is
    # full; the fourth begins another
    assert [fact["known"]["lines-lines"]["rows"] for fact in facts] == [5, 3, 2, 3]


def test_parts_and_partitions_of_any_run_do_not_matter(
    four: Any, dataset: Callable[..., Any], same_tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transforms.survey.partitions_for", lambda rows, row_bytes: 3 + rows // 30)
    other = four_runs(dataset(), parts=(3, 2, 5, 1))
    assert other.runs[0].manifest.facts["known"]["lines-lines"]["files"] > 1
    same_tables([four, other])
    assert [done.kept("text") for done in other.runs] == [done.kept("text") for done in four.runs]


def test_a_run_without_documents_changes_nothing(four: Any, dataset: Callable[..., Any]) -> None:
    data = dataset()
    data.documents(stage(), [])
    data.runs.append(four.runs[0])
    data.documents(stage(), [], parts=0)
    data.runs.append(four.runs[1])
    assert data.documents(stage(), THIRD).kept("text") == four.runs[2].kept("text")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bucket_docs": 5}, "dedup.lines.bucket_docs: 5 is not allowed; it is 4 in "),
        ({"count_documents": True}, "dedup.lines.count_documents: True is not allowed; it is False in "),
    ],
)
def test_settings_that_runs_must_share(four: Any, changed: dict[str, Any], said: str) -> None:
    earlier = [(done.manifest, done.data) for done in four.runs]
    with pytest.raises(ConfigError) as error:
        stage(**changed).check_earlier(earlier)
    assert (
        str(error.value) == f"{said}{Path(four.folder) / '0'}, and the runs of a dataset are compared with each other"
    )


def test_the_limit_may_change_from_run_to_run(four: Any) -> None:
    stage(max_copies=9).check_earlier([(done.manifest, done.data) for done in four.runs])


def test_documents_without_lines_are_no_error(dataset: Callable[..., Any]) -> None:
    done = dataset().documents(stage(), documents("1", "...", "!?"))
    assert done.kept("text") == ["!?", "..."]


def test_the_lines_that_went_are_a_table(four: Any) -> None:
    edits = four.runs[1].rows("edits")
    assert {(row["stage"], row["step"], row["reason"]) for row in edits} == {("dedup", "lines", "frequent_lines")}
    texts = {document.id: document.text for document in SECOND}
    assert [row["removed"] for row in edits] == [texts[row["id"]][row["start"] : row["end"]] for row in edits]
    assert [row["removed"] for row in edits] == ["Menu\n"]
    assert {row["id"] for row in edits} <= set(texts)
