"""The step, and a planted truth: what is planted in texts is found in others, whatever its spelling."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from classifiers.steps.toxicity import ScoreToxicity, ToxicityConfig, ToxicityStats, decide, toxicity_sites
from classifiers.training.student import TrainReport
from classifiers.training.train_fasttext import TrainConfig, train_classifier
from schemas.errors import ConfigError
from schemas.records import Document
from transforms.step import Draft, Drop

CLEAN = ["the", "harbour", "was", "quiet", "and", "teacher", "read", "letter", "near", "window", "music", "market"]
PLANTED = ["vrokling", "smelkop", "drabnitz"]
TRAIN = TrainConfig(
    text_form="words", positive_label="toxic", language_column="language",
    dim=16, epoch=25, lr=0.5, bucket=2000, min_subword=3, max_subword=5, holdout=0.3,
)  # fmt: skip


def planted(n: int, seed: int) -> list[dict[str, str]]:
    """Return texts of clean words, half of them with a planted one, in two languages."""
    generator = random.Random(seed)
    rows = []
    for number in range(n):
        words = generator.choices(CLEAN, k=12)
        toxic = number % 2 == 0
        if toxic:
            words[generator.randrange(12)] = generator.choice(PLANTED)
        rows.append({
            "text": " ".join(words), "label": "toxic" if toxic else "clean", "language": ("en", "de")[number // 2 % 2]
        })  # fmt: skip
    return rows


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainReport]:
    folder = tmp_path_factory.mktemp("toxicity")
    table, test = write(folder / "t.jsonl", planted(400, 0)), write(folder / "test.jsonl", planted(100, 1))
    return folder / "m.bin", train_classifier(table, folder / "m.bin", TRAIN, [test])


@pytest.fixture
def config(trained: tuple[Path, TrainReport]) -> ToxicityConfig:
    return ToxicityConfig(model_path=str(trained[0]), model_sha256=trained[1].sha256, max_score=0.5)


def drafts(*texts: str, language: str = "en") -> list[Draft]:
    return [Draft(Document(id=f"{n:032x}", text=text, language=language)) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("score", "limit", "drop"),
    [
        (0.5, 0.5, None),
        (0.5001, 0.5, Drop("too_toxic", 0.5001, 0.5)),
        (1.0, None, None),
        (None, 0.0, None),
    ],
)
def test_decide(score: float | None, limit: float | None, drop: Drop | None) -> None:
    assert decide(ToxicityStats(score), ToxicityConfig(model_path="m", max_score=limit)) == drop


def test_what_was_planted_is_found_in_texts_that_were_not_trained_on(trained: tuple[Path, TrainReport]) -> None:
    report = trained[1]
    assert list(report.held_out) == ["all", "de", "en"]
    assert list(report.tests) == ["test.jsonl"]
    for found in (*report.held_out.values(), *report.tests["test.jsonl"].values()):
        assert found.auc is not None
        assert found.auc_low is not None
        assert found.auc >= found.auc_low > 0.95
    assert report.tests["test.jsonl"]["all"].n == 100


def test_the_card_has_the_figures_by_language(trained: tuple[Path, TrainReport]) -> None:
    card = trained[0].with_name("m.bin.md").read_text()
    assert trained[1].sha256 in card
    held_out = trained[1].held_out["de"]
    assert f"| de | {held_out.n} | {held_out.n_positive} | {held_out.auc:.3f} |" in card
    for part in ("## Held-out texts", "## Test: `test.jsonl`", "### Precision and recall: en", "`text_form=words`"):
        assert part in card
    assert card.count("| recall | precision |") == 6


def test_texts_that_training_had_are_no_test(trained: tuple[Path, TrainReport], tmp_path: Path) -> None:
    rows = planted(400, 0)
    (tmp_path / "t").mkdir()
    test = write(tmp_path / "t" / "test.jsonl", planted(100, 1) + rows)
    report = train_classifier(write(tmp_path / "t.jsonl", rows), tmp_path / "m.bin", TRAIN, [test])
    n_train = sum(report.n_train.values())
    assert report.tests["test.jsonl"]["all"].n == 500 - n_train
    assert f"test.jsonl: {n_train} of its texts are in the training table and left out" in report.notes
    assert report.sha256 == trained[1].sha256  # a test teaches nothing
    with pytest.raises(ConfigError, match=r"two tables have one name: test\.jsonl, test\.jsonl"):
        train_classifier(tmp_path / "t.jsonl", tmp_path / "m.bin", TRAIN, [test, test])


def test_the_step_scores_drops_and_keeps(config: ToxicityConfig) -> None:
    some = drafts("A teacher, VROKLING!, read the letter.", "A teacher read the letter.", "", "you smelkops")
    step = copy.copy(ScoreToxicity(config))  # by __reduce__, as pickle does
    step.run(some, Counter())
    assert [draft.drop.reason if draft.drop else None for draft in some] == ["too_toxic", None, None, "too_toxic"]
    assert some[2].measures["toxicity"] == ToxicityStats(None)
    alone = drafts("A teacher read the letter.")
    step.run(alone, Counter())
    assert alone[0].measures["toxicity"] == some[1].measures["toxicity"]


def test_other_languages_are_not_judged(config: ToxicityConfig) -> None:
    for language, scored in (("en", True), ("de", False), ("", False)):
        (draft,) = drafts("vrokling smelkop", language=language)
        ScoreToxicity(config).run([draft], Counter())
        assert (draft.measures["toxicity"].score is not None) is scored
        assert draft.alive is not scored


def test_without_a_model_nothing_is_scored_or_dropped() -> None:
    (draft,) = drafts("vrokling")
    step = ScoreToxicity(ToxicityConfig())
    step.open()
    step.run([draft], Counter())
    assert draft.measures["toxicity"] == ToxicityStats(None)
    assert draft.alive


def test_a_site_is_judged_by_the_measure_of_the_step() -> None:
    assert (toxicity_sites().step, toxicity_sites().measure) == (ScoreToxicity.name, "score")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_score": 0.5}, r"max_score: 0\.5 is not allowed without a model_path"),
        ({"model_path": "m", "max_score": 1.5}, "max_score"),
        ({"languages": ()}, "languages: must name at least one"),
        ({"text_form": "letters"}, "text_form: 'letters' is not allowed"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ToxicityConfig(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("low", "high"), [(3, 0), (0, 3), (4, 3)])
def test_runs_of_characters_have_both_ends(low: int, high: int) -> None:
    with pytest.raises(ConfigError, match=f"max_subword: {high} is not allowed with min_subword {low}"):
        TrainConfig(min_subword=low, max_subword=high)
