"""The dedup stage over several runs: texts and clusters that an earlier run has seen are dropped, and only those."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.engines.engine import Engine
from pipelines.runs.upstream import Upstream
from pipelines.stages.local import LocalStage
from pipelines.stages.survey import SurveyStage
from schemas.errors import ConfigError, RunError
from schemas.identity import content_id
from schemas.records import Document
from transforms.dedup.exact_copies import BestPerKey, KeepConfig, exact_copies
from transforms.dedup.frequent_lines import LinesConfig
from transforms.dedup.keys_over_limit import KeysOverLimit
from transforms.dedup.line_survey import FrequentLines
from transforms.dedup.minhash import MinHashConfig
from transforms.dedup.near_copy_survey import NearCopies, NearCopiesConfig
from transforms.heuristics.gopher import GopherConfig, decide_length, measure_length
from transforms.shuffle import known_rows as known
from transforms.step import Drop, Edit, Editor, Filter
from transforms.text.view import TextView


def stage(
    keep: str = "newest", *, exact: bool = True, near: bool = True, rounds: int = 2, **minhash: int
) -> SurveyStage:
    config = NearCopiesConfig(keep=keep, minhash=MinHashConfig(**minhash))  # type: ignore[arg-type]
    surveys = [exact_copies(KeepConfig(keep=keep))] * exact + [NearCopies(config)] * near
    return SurveyStage("dedup", tuple(surveys), rounds=rounds)


STAGE = stage()
WORDS = ("river", "stone", "garden", "letter", "window", "market", "harbour", "teacher", "music", "winter", "bread")


def text_of(seed: int, changed: int = 0) -> str:
    """Return 120 words of a seed, the last `changed` of them others."""
    words = random.Random(seed).choices(WORDS, k=120)
    return " ".join(words[: 120 - changed] + [f"other{seed}x{n}" for n in range(changed)])


def document(name: str, text: str, day: int = 1) -> Document:
    fetched = datetime(2020, 1, day, tzinfo=UTC)
    return Document(id=content_id(name), text=text, url=f"https://{name}.example/", fetched_at=fetched, language="en")


def fates(done: Any, documents: list[Document]) -> list[tuple[str, str, str]]:
    """Reason, name and the name of the keeper of what was dropped."""
    names = {document.id: document.url.split("/")[2].removesuffix(".example") for document in documents}
    return sorted((reason, names[name], names[keeper]) for reason, name, keeper in done.dropped)


FIRST = [document("a", text_of(1)), document("b", text_of(2)), document("b2", text_of(2, changed=4), day=2)]
SECOND = [
    document("a-again", text_of(1), day=9),  # newer, and still not taken
    document("a-near", text_of(1, changed=5), day=9),
    document("b-near", text_of(2, changed=6), day=9),
    document("c", text_of(3)),
    document("c-again", text_of(3), day=2),
    document("c-near", text_of(3, changed=5), day=3),
]
THIRD = [
    document("c-third", text_of(3)),
    document("c-near-third", text_of(3, changed=4)),
    document("a-third", text_of(1)),
    document("d", text_of(4)),
]
ALL = FIRST + SECOND + THIRD


def three_runs(dataset: Any, parts: tuple[int, int, int] = (1, 1, 1)) -> Any:
    for documents, count in zip((FIRST, SECOND, THIRD), parts, strict=True):
        dataset.documents(STAGE, documents, count)
    return dataset


@pytest.fixture(scope="module")
def three(new_dataset: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Three runs; tests must not change them."""
    return three_runs(new_dataset(tmp_path_factory.mktemp("three")))


def test_three_runs_keep_one_of_each_cluster(three: Any) -> None:
    runs = three.runs
    assert fates(runs[0], ALL) == [("near_copy", "b", "b2")]
    second = fates(runs[1], ALL)
    assert second[:3] == [
        ("exact_copy", "c", "c-again"),
        ("near_copy", "c-again", "c-near"),
        ("near_copy_of_earlier_run", "a-near", "a"),
    ]
    reason, name, keeper = second[3]
    assert (reason, name) == ("near_copy_of_earlier_run", "b-near")
    assert keeper == min(("b", "b2"), key=content_id)  # the smaller id of the known members, kept in its run or not
    assert second[4] == ("text_in_earlier_run", "a-again", "a")
    assert [name for _, name, _ in fates(runs[2], ALL)] == ["c-near-third", "a-third", "c-third"]
    assert sorted(reason for reason, _, _ in fates(runs[2], ALL)) == [
        "near_copy_of_earlier_run", "text_in_earlier_run", "text_in_earlier_run",
    ]  # fmt: skip
    kept = {row["url"]: row["near_copies"] for done in runs for row in done.rows("documents")}
    assert {url.split("/")[2]: stats["size"] for url, stats in kept.items()} == {
        "a.example": 1, "b2.example": 2, "c-near.example": 2, "d.example": 1,
    }  # fmt: skip


def test_a_rejection_holds_the_similarity_with_the_known_copy(three: Any) -> None:
    runs = three.runs
    (row,) = [row for row in runs[1].rows("rejected") if row["url"] == "https://a-near.example/"]
    assert row["step"] == "near_copies"
    assert row["limit"] == 0.7
    assert 0.8 < row["value"] < 1


def known_of(keys: int, buckets: int, signatures: int) -> dict[str, int]:
    return {"exact_copies-keys": keys, "near_copies-buckets": buckets, "near_copies-signatures": signatures}


def test_facts_tell_what_is_left_for_later_runs(three: Any) -> None:
    runs = three.runs
    rows = [{kind: fact["rows"] for kind, fact in done.manifest.facts["known"].items()} for done in runs]
    assert rows[0] == known_of(keys=3, buckets=3 * 14, signatures=3)
    assert rows[1] == known_of(keys=4 - 1 + 1, buckets=4 * 14, signatures=4)  # a-near, b-near, c-again, c-near
    assert rows[2] == known_of(keys=2, buckets=2 * 14, signatures=2)
    bytes_of = {kind: fact["bytes"] - 16 * fact["files"] for kind, fact in runs[0].manifest.facts["known"].items()}
    assert bytes_of == known_of(keys=3 * 32, buckets=3 * 14 * 24, signatures=3 * 464)


def test_parts_and_partitions_of_any_run_do_not_matter(
    three: Any, dataset: Callable[..., Any], same_tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transforms.survey.partitions_for", lambda rows, row_bytes: 5 + rows % 7)
    other = three_runs(dataset(), parts=(3, 5, 2))
    assert min(fact["files"] for fact in other.runs[1].manifest.facts["known"].values()) > 1
    same_tables([three, other])


def test_worker_processes_do_not_matter(
    three: Any, dataset: Callable[..., Any], same_tables: Any, tmp_path: Path
) -> None:
    engine = Engine(["--direct_num_workers=2", "--direct_running_mode=multi_processing"], tmp_path / "log")
    several = dataset(run_pipeline=lambda build, work: engine.run("dedup", build, work))
    several.runs = three.runs[:1]
    several.documents(STAGE, SECOND, 3)
    assert several.runs[1].dropped == three.runs[1].dropped


def test_runs_without_documents(three: Any, dataset: Callable[..., Any]) -> None:
    data = dataset()
    data.documents(STAGE, [])
    assert data.runs[0].manifest.facts["known"]["exact_copies-keys"]["files"] == 0
    data.documents(STAGE, [], parts=0)
    data.runs.append(three.runs[0])
    data.documents(STAGE, [], parts=0)
    assert [reason for reason, _, _ in data.documents(STAGE, FIRST).dropped] == ["text_in_earlier_run"] * 3


def test_two_runs_keep_the_texts_that_one_run_keeps(dataset: Callable[..., Any]) -> None:
    exact = stage(near=False, rounds=1)
    dice = random.Random(7)
    documents = [document(f"n{n}", text_of(dice.randrange(20)), dice.randrange(1, 28)) for n in range(40)]
    once, split = dataset(), dataset()
    once.documents(exact, documents)
    for some in (documents[:15], documents[15:]):
        split.documents(exact, some)
    kept = sorted(text for done in split.runs for text in done.kept("text"))
    assert kept == once.runs[0].kept("text")
    assert 10 < len(kept) < 21


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ngram": 4}, "dedup.near_copies.minhash.ngram: 4 is not allowed; it is 5 in "),
        ({"seed": 2}, "dedup.near_copies.minhash.seed: 2 is not allowed; it is 1 in "),
        ({"exact": False}, "dedup.exact_copies: cannot be switched on or off; "),
        ({"near": False}, "dedup.near_copies: cannot be switched on or off; "),
    ],
)
def test_settings_that_runs_must_share(
    three: Any, dataset: Callable[..., Any], changes: dict[str, Any], said: str
) -> None:
    data = dataset(run_pipeline=None)
    data.runs = three.runs[:1]
    with pytest.raises(ConfigError) as error:
        data.documents(stage(**changes), SECOND)
    assert str(error.value).startswith(said)
    assert str(error.value).endswith("the runs of a dataset are compared with each other")


def test_what_is_kept_in_a_cluster_may_change_from_run_to_run(three: Any) -> None:
    earlier = [(done.manifest, done.data) for done in three.runs]
    stage("longest", rounds=5).check_earlier(earlier)


def test_a_run_that_left_no_tables_cannot_be_added_to(
    three: Any, dataset: Callable[..., Any], with_manifest: Any
) -> None:
    data = dataset(run_pipeline=None)
    facts = {name: fact for name, fact in three.runs[0].manifest.facts.items() if name != "known"}
    data.runs = [with_manifest(three.runs[0], facts=facts)]
    with pytest.raises(RunError) as error:
        data.documents(STAGE, SECOND)
    assert str(error.value) == (
        f"{three.folder}/0: its stage dedup left no known exact_copies-keys for later runs; start a new dataset"
    )


def test_damage_is_said_before_anything_runs_or_while_it_runs(dataset: Callable[..., Any], tmp_path: Path) -> None:
    engine = Engine([], tmp_path / "log")
    data = dataset(run_pipeline=lambda build, work: engine.run("dedup", build, work))
    data.documents(STAGE, FIRST)
    (file,) = Path(data.runs[0].data.table("known/near_copies-buckets")).iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    with pytest.raises(RunError) as error:
        data.documents(STAGE, SECOND)
    assert str(error.value) == f"{file}: is damaged: these are not the known hashes that an earlier run wrote"
    file.unlink()
    known._committed_files.cache_clear()  # what another process would find
    data.run_pipeline = None
    with pytest.raises(RunError, match="known hashes of an earlier run are missing or cut"):
        data.documents(STAGE, SECOND)


def test_the_best_score_is_kept_where_it_is_asked_for(dataset: Callable[..., Any], tmp_path: Path) -> None:
    texts = [document("low", text_of(1), day=9), document("high", text_of(1), day=1)]
    scored = dataset().documents(LocalStage("score", (Score(),)), texts)
    data = dataset()
    done = data.run(stage("best_score"), [], Upstream(((scored.manifest, scored.data),), measures={"quality": Scored}))
    assert fates(done, texts) == [("exact_copy", "low", "high")]


@dataclasses.dataclass(frozen=True, slots=True)
class Scored:
    score: float


class Score:
    """Scores a document by its name."""

    name = "quality"
    settings = None
    resources = ()
    stats = Scored

    def open(self) -> None: ...

    def run(self, drafts: Any, edits: Any) -> None:
        for draft in drafts:
            draft.measures[self.name] = Scored(0.9 if "high" in draft.document.url else 0.1)


def test_a_stage_that_is_killed_between_surveys_goes_on_and_leaves_no_scratch(
    three: Any, dataset: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, graphs = dataset(), []
    run_pipeline = data.run_pipeline

    def killed(build: Any, work: float) -> None:
        graphs.append(work)
        if len(graphs) == 2:
            raise KeyboardInterrupt
        run_pipeline(build, work)

    data.run_pipeline = killed
    with pytest.raises(KeyboardInterrupt):
        data.documents(STAGE, FIRST, 2)
    assert data.documents(STAGE, FIRST, 2).dropped == three.runs[0].dropped
    assert len(graphs) == 3  # the first survey is not judged again
    assert not Path(data.runs[0].data.table("scratch")).exists()


def spam_key(draft: Any, config: Any) -> list[tuple[int, int]]:
    return [(7, 1)] if "spam" in draft.document.text else []


def often(totals: Any, config: int) -> Any:
    return totals["count"] > config


def drop_spam(draft: Any, found: Any, config: int) -> Drop:
    return Drop("spam", found[7].count, config)


def pair_key(draft: Any) -> tuple[int, int]:
    return (1, int(draft.document.text.rsplit("-", 1)[1]))


def test_a_survey_sees_the_documents_that_the_one_before_left(dataset: Callable[..., Any]) -> None:
    """A pair is a newer spam and an older good text: the spam goes first, and the good one has no better copy."""
    documents = [
        document(f"{kind}{n}", f"{kind}-{n}", day) for kind, day in (("spam", 9), ("good", 1)) for n in range(5)
    ]
    surveys = (
        KeysOverLimit("spam", spam_key, often, drop_spam, 3),
        BestPerKey("pairs", pair_key, "pair", "pair_of_earlier_run"),
    )
    data = dataset()
    done = data.documents(SurveyStage("dedup", surveys), documents, 2)
    assert done.manifest.counts.dropped == {"spam": 5}
    assert done.manifest.facts["surveyed_documents"]["pairs"] == {"en": 5}


def test_the_keeper_of_a_cluster_is_not_lost_by_its_frequent_lines(dataset: Callable[..., Any]) -> None:
    """Its copies went for it, and had the same lines."""
    lines = [f"This line number {n} stands on several pages." for n in "abcdef"]
    shared = "\n".join(lines)
    texts = [
        document("a", f"{shared}\nThe end of it.", day=2),
        document("a2", f"{shared}\nThe end of it all.", day=1),
        document("alone", f"{shared}\n{text_of(9)}", day=1),
        *(document(f"b{n}", f"{line}\n{text_of(n)}") for n, line in enumerate(lines)),
    ]
    surveys = (NearCopies(NearCopiesConfig()), FrequentLines(LinesConfig(max_copies=2)))
    then = (Filter("words", measure_length, decide_length, GopherConfig(min_words=20)),)
    done = dataset().documents(SurveyStage("dedup", surveys, then), texts)
    assert fates(done, texts) == [("near_copy", "a2", "a")]
    kept = {row["url"]: row["text"] for row in done.rows("documents")}
    assert kept["https://a.example/"] == texts[0].text
    assert kept["https://alone.example/"] == text_of(9)
    assert done.manifest.counts.edits["lines:not_of_keepers"] == 1
    assert done.manifest.counts.edits["lines:frequent_lines"] == 12


def empty(view: TextView, config: None) -> Edit:
    return Edit([(0, len(view.text), "")], {"all": 1})


def test_a_text_that_a_step_after_the_surveys_empties_goes(dataset: Callable[..., Any]) -> None:
    surveys = (exact_copies(KeepConfig()),)
    done = dataset().documents(SurveyStage("dedup", surveys, (Editor("empty", empty, None),)), FIRST)
    assert done.manifest.counts.dropped == {"no_text_left": len(FIRST)}
