"""The step: what it adds to the signals of a text, and the column that a stage writes."""

from __future__ import annotations

import dataclasses
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from classifiers.steps.redpajama import ModelFile, RedPajamaConfig, RedPajamaSignals
from classifiers.training.train_fasttext import TrainConfig, train_classifier
from schemas.errors import ConfigError
from schemas.records import Document, stats_array, stats_type
from transforms.signals.redpajama import RedPajamaStats
from transforms.step import Draft

TEXT = "The bad cat.\nThe dog!"


def draft(text: str = TEXT, **fields: Any) -> Draft:
    return Draft(Document(id="0" * 32, text=text, **{"language": "en", "url": "https://a.com/x", **fields}))


def found(step: RedPajamaSignals, *drafts: Draft) -> list[RedPajamaStats]:
    travelled: RedPajamaSignals = pickle.loads(pickle.dumps(step))
    travelled.open()
    travelled.run(drafts, Counter())
    assert all(one.drop is None for one in drafts)
    return [one.measures["redpajama"] for one in drafts]


def test_without_lists_and_models_their_signals_are_null() -> None:
    (stats,) = found(RedPajamaSignals(RedPajamaConfig()), draft(language_score=0.75))
    nulls = {name for name, value in dataclasses.asdict(stats).items() if value is None}
    assert nulls == {
        "ccnet_perplexity", "ccnet_bucket", "rps_doc_stop_word_fraction", "rps_doc_ldnoobw_words",
        "rps_doc_ut1_blacklist", "rps_doc_ml_wikiref_score", "rps_doc_ml_palm_score", "rps_doc_ml_wikipedia_score",
    }  # fmt: skip
    assert stats.ccnet_language_score == 0.75


def test_lists_of_the_language(tmp_path: Path) -> None:
    for name, words in {"stop": "The\n", "dirty": "bad\nbad cat\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "en").write_text(words)
    (tmp_path / "ut1" / "adult").mkdir(parents=True)
    (tmp_path / "ut1" / "adult" / "domains").write_text("a.com\n")
    config = RedPajamaConfig(
        stop_words_directory=str(tmp_path / "stop"),
        dirty_words_directory=str(tmp_path / "dirty"),
        ut1_directory=str(tmp_path / "ut1"),
        ut1_categories=("adult",),
    )
    step = RedPajamaSignals(config)
    assert [Path(path).relative_to(tmp_path).as_posix() for path in step.resources] == [
        "stop/en", "dirty/en", "ut1/adult/domains"
    ]  # fmt: skip
    english, german = found(step, draft(), draft(language="de", url="https://b.com/"))
    assert english.rps_doc_stop_word_fraction == round(2 / 7, 8)
    assert (english.rps_doc_ldnoobw_words, english.rps_doc_ut1_blacklist) == (2, 0)
    assert (german.rps_doc_stop_word_fraction, german.rps_doc_ldnoobw_words, german.rps_doc_ut1_blacklist) == (
        None,
    ) * 3


@pytest.mark.parametrize(("bucket", "number"), [("head", 0), ("middle", 1), ("tail", 2), ("all", None)])
def test_perplexity_is_that_of_the_column(bucket: str, number: int | None) -> None:
    measured, unmeasured = draft(), draft()
    measured.stored = {"perplexity": {"perplexity": 321.5, "bucket": bucket}}
    unmeasured.stored = {"perplexity": None}
    stats, nothing = found(RedPajamaSignals(RedPajamaConfig(), has_perplexity=True), measured, unmeasured)
    assert (stats.ccnet_perplexity, stats.ccnet_bucket) == (321.5, number)
    assert (nothing.ccnet_perplexity, nothing.ccnet_bucket) == (None, None)


def test_classifiers_tell_how_unlike_a_crawled_page_a_text_is(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    rows = [
        f"{text} {n},{label}"
        for n in range(60)
        for text, label in (("buy cheap shoes", "cc"), ("born in rome", "wiki"))
    ]
    table.write_text("text,label\n" + "\n".join(rows) + "\n")
    train = TrainConfig(positive_label="wiki", dim=8, epoch=20, lr=0.5, bucket=1000)
    sha256 = train_classifier(table, tmp_path / "m.bin", train).sha256
    config = RedPajamaConfig(palm=ModelFile(model_path=str(tmp_path / "m.bin"), model_sha256=sha256))
    page, article, empty = found(
        RedPajamaSignals(config), draft("buy\ncheap shoes"), draft("born in\nrome"), draft("")
    )  # fmt: skip
    assert page.rps_doc_ml_palm_score is not None
    assert article.rps_doc_ml_palm_score is not None
    assert page.rps_doc_ml_palm_score < 0.1 < 0.9 < article.rps_doc_ml_palm_score
    assert empty.rps_doc_ml_palm_score is None
    assert page.rps_doc_ml_wikiref_score is None


def test_what_is_named_and_absent_is_one_line(tmp_path: Path) -> None:
    for name in ("stop_words_directory", "dirty_words_directory"):
        with pytest.raises(ConfigError, match=rf"redpajama.{name}: '.*absent' does not exist"):
            RedPajamaSignals(RedPajamaConfig(**{name: str(tmp_path / "absent")})).open()


def test_the_column_holds_a_list_for_each_signal_of_lines() -> None:
    (stats,) = found(RedPajamaSignals(RedPajamaConfig()), draft())
    array = stats_array(RedPajamaStats, [stats, None])
    assert str(stats_type(RedPajamaStats).field("rps_lines_num_words").type) == "list<item: double>"
    row, missing = array.to_pylist()
    assert row == {
        name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(stats).items()
    }
    assert row["rps_lines_num_words"] == [3.0, 2.0]
    assert missing is None
