from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.models.fasttext_model import FastTextModel, one_line
from schemas.errors import ConfigError


@pytest.fixture(scope="module")
def model(lid_path: Path) -> FastTextModel:
    return FastTextModel(lid_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("a", "a"),
        ("one\ntwo\r\nthree", "one two\r three"),
        ("a\u3000b\xa0c\u2028d", "a b c d"),
        ("stop </s> here", "stop < /s> here"),
        ("a __label__good word", "a __ label__good word"),
        ("half \ud800 a pair", "half ? a pair"),
        ("مرحبا\nשלום", "مرحبا שלום"),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text, 1000) == line


def test_one_line_is_cut_before_it_is_cleaned() -> None:
    assert one_line("abc", 2) == "ab"
    assert one_line("a" * 10_000_000, 100) == "a" * 100


@settings(deadline=None)
@given(st.text(st.sampled_from("a <>/s_label\n\0\ud800é\u3000"), max_size=60))
def test_no_line_holds_what_fasttext_reads_as_an_end_or_a_label(text: str) -> None:
    line = one_line(text.replace("a", "__label__").replace("b", "</s>"), 1000)
    assert "\n" not in line
    assert not {word for word in line.split() if word == "</s>" or word.startswith("__label__")}
    line.encode()


def test_text_after_an_end_mark_still_counts(model: FastTextModel) -> None:
    german = "Alle Menschen sind frei und gleich an Würde und Rechten geboren."
    assert model.predict_batch([f"Hello </s> {german}"], 1, 1000)[0][0][0] == "de"


def test_labels_are_the_176_without_prefix(model: FastTextModel) -> None:
    assert len(model.labels) == len(set(model.labels)) == 176
    assert {"en", "de", "zh", "ar"} <= set(model.labels)


def test_a_text_without_a_known_word_has_no_prediction(model: FastTextModel) -> None:
    assert model.predict_batch(["", " \n\t", "\0", "12345", "!!", "\ud800"], 2, 1000) == [[], [], [], [], [], []]
    assert model.predict_batch([], 2, 1000) == []


def test_probabilities_are_in_order_and_at_most_one(model: FastTextModel) -> None:
    [found] = model.predict_batch(["すべての人間は、生れながらにして自由であり"], 5, 1000)
    assert found[0] == ("ja", 1.0)  # fastText says 1.00001
    chances = [chance for _, chance in found]
    assert len(found) == 5
    assert chances == sorted(chances, reverse=True)
    assert all(0.0 <= chance <= 1.0 for chance in chances)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=40), max_size=6))
def test_alone_or_in_a_batch_is_the_same(texts: list[str]) -> None:
    model = _SHARED_MODEL[0]
    assert model.predict_batch(texts, 3, 30) == [model.predict_batch([text], 3, 30)[0] for text in texts]


_SHARED_MODEL: list[FastTextModel] = []


@pytest.fixture(autouse=True)
def _share(model: FastTextModel) -> None:
    """Hypothesis and a function's fixtures do not go together."""
    _SHARED_MODEL[:] = [model]


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(b"not a model")
    with pytest.raises(ConfigError, match=r"not a fastText classifier: .*wrong file format"):
        FastTextModel(path)


def test_opening_a_model_says_nothing(lid_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    FastTextModel(lid_path).predict_batch(["hello"], 1, 100)
    assert capfd.readouterr() == ("", "")
