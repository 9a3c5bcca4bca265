from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from classifiers.models.transformer_settings import TransformerSettings
from classifiers.steps.by_transformer import ScoreQualityByTransformer, quality_step, toxicity_step
from classifiers.steps.quality import QualityConfig, QualityStats, ScoreQuality
from classifiers.steps.toxicity import ScoreToxicity, ToxicityConfig
from pipelines.runs.code import code_identity
from schemas.errors import ConfigError
from tests.classifiers.tiny_roberta import Student
from transforms.step import Draft


def config(student: Student, **changes: object) -> QualityConfig:
    pinned = {"model_path": str(student.folder), "model_sha256": student.report.sha256}
    return QualityConfig(**{**pinned, **changes})  # type: ignore[arg-type]


def test_the_step_scores_and_drops(student: Student, make_drafts: Callable[..., list[Draft]]) -> None:
    drafts = make_drafts("the proof of the theorem and the lemma of a group", "cheap pills buy the offer", "")
    step = copy.copy(quality_step(config(student, min_score=0.5)))  # by __reduce__, as pickle does
    assert isinstance(step, ScoreQualityByTransformer)
    step.open()
    step.run(drafts, Counter())
    good, bad, empty = (draft.measures["quality"].score for draft in drafts)
    assert good > 0.7
    assert bad < 0.3
    assert empty is None
    assert [draft.drop.reason if draft.drop else None for draft in drafts] == [
        None, "quality_too_low", "quality_unknown",
    ]  # fmt: skip


def test_steps_of_one_process_share_the_model(student: Student) -> None:
    steps = [quality_step(config(student), name) for name in ("quality", "quality_strict")]
    for step in steps:
        step.open()
    assert steps[0]._model is steps[1]._model
    assert [step.name for step in map(copy.copy, steps)] == ["quality", "quality_strict"]


def test_a_column_has_the_name_of_the_step(student: Student, make_drafts: Callable[..., list[Draft]]) -> None:
    [draft] = make_drafts("a proof")
    quality_step(config(student), "quality_second").run([draft], Counter())
    assert isinstance(draft.measures["quality_second"], QualityStats)


def test_the_path_says_which_kind(student: Student, tmp_path: Path) -> None:
    assert type(quality_step(QualityConfig(model_path=str(tmp_path / "m.bin")))) is ScoreQuality
    assert type(toxicity_step(ToxicityConfig(model_path=str(student.folder)))) is not ScoreToxicity
    (tmp_path / "m.bin").touch()
    set_in_vain = QualityConfig(model_path=str(tmp_path / "m.bin"), transformer=TransformerSettings(threads=2))
    with pytest.raises(ConfigError, match=r"transformer: is not allowed for .*m\.bin, a file"):
        quality_step(set_in_vain).open()


def test_a_stage_by_fasttext_is_not_redone_for_another_torch(student: Student) -> None:
    with_torch = code_identity([quality_step(config(student))]).versions
    assert {"torch", "transformers"} <= with_torch.keys()
    assert not {"torch", "transformers"} & code_identity([ScoreQuality(QualityConfig())]).versions.keys()


def test_a_label_the_model_does_not_have_is_refused(student: Student) -> None:
    with pytest.raises(ConfigError, match="positive_label: 'fine' is not one of the model's: bad good"):
        quality_step(config(student, positive_label="fine")).open()
