from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
import torch

from classifiers.models.transformer_files import find_folder, folder_sha256, is_folder_model, resolve_folder
from classifiers.models.transformer_model import TransformerModel, groups_by_length, open_shared, token_limit
from classifiers.models.transformer_settings import TransformerSettings
from schemas.errors import ConfigError
from tests.classifiers.tiny_roberta import Student, make_roberta
from tests.hub import hub

TEXTS = [
    " ".join(random.Random(n).choices(["theorem", "pills", "the", "Ünï", "字", "of"], k=n % 70)) for n in range(80)
]


def scores(model: TransformerModel, texts: list[str]) -> list[list[tuple[str, float]]]:
    return model.predict_batch(texts, 2, 10_000)


def test_a_score_is_that_of_a_plain_transformers_call(student: Student) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(student.folder)
    plain = AutoModelForSequenceClassification.from_pretrained(student.folder).eval()
    texts = [text for text in TEXTS if text]
    with torch.inference_mode():
        batch = tokenizer(texts, padding=True, truncation=True, max_length=32, return_tensors="pt")
        wanted = torch.softmax(plain(**batch).logits, dim=-1)[:, 1].tolist()
    found = [dict(one)["good"] for one in scores(TransformerModel(student.folder), texts)]
    assert found == pytest.approx(wanted, abs=2e-6)
    assert max(found) - min(found) > 0.5


def test_scores_depend_on_no_neighbour_batch_thread_or_order(student: Student) -> None:
    model = TransformerModel(student.folder)
    together = scores(model, TEXTS)
    assert [scores(model, [text])[0] for text in TEXTS] == together  # to the last bit
    assert scores(model, TEXTS[::-1])[::-1] == together
    assert scores(TransformerModel(student.folder, TransformerSettings(threads=2)), TEXTS[:9]) == together[:9]
    for batch_tokens in (64, 512, 100_000):
        other = scores(TransformerModel(student.folder, TransformerSettings(batch_tokens=batch_tokens)), TEXTS)
        for one, wanted in zip(other, together, strict=True):
            assert dict(one) == pytest.approx(dict(wanted), abs=1.1e-6)  # and one of rounding
    torch.set_num_threads(1)


def test_odd_texts(student: Student) -> None:
    model = TransformerModel(student.folder)
    empty, blank, half, long = scores(model, ["", " \n\t", "a \ud800 proof", "proof " * 100_000])
    assert empty == blank == []
    assert half == scores(model, ["a ? proof"])[0]
    assert long == scores(model, ["proof " * 40])[0]  # 32 tokens of both
    assert scores(model, []) == []
    assert [label for label, _ in long] == ["good", "bad"]
    assert model.predict_batch(["a proof"], 1, 10_000)[0] == scores(model, ["a proof"])[0][:1]
    assert model.predict_batch(["pills theorem"], 2, 5) == scores(model, ["pills"])


def test_batches_hold_texts_of_like_length() -> None:
    assert list(groups_by_length([5, 9, 5, 1], 0)) == [[1], [0], [2], [3]]
    assert list(groups_by_length([5, 9, 5, 1], 10)) == [[1], [0, 2], [3]]
    assert list(groups_by_length([5, 9, 5, 1], 100)) == [[1, 0, 2, 3]]
    assert list(groups_by_length([], 10)) == []


def test_a_roberta_has_fewer_places_than_it_says(tmp_path: Path) -> None:
    """Position ids begin behind the padding id: 66 places are 64 tokens. With 65 the model fails."""
    from transformers import AutoConfig, AutoTokenizer

    folder = make_roberta(tmp_path, ["a b c"])
    assert token_limit(AutoTokenizer.from_pretrained(folder), AutoConfig.from_pretrained(folder)) == 64


def test_one_model_in_a_process(student: Student) -> None:
    first = open_shared(student.folder, student.report.sha256, TransformerSettings())
    assert open_shared(student.folder, student.report.sha256, TransformerSettings()) is first
    assert open_shared(student.folder, student.report.sha256, TransformerSettings(batch_tokens=9)) is not first


def test_the_checksum_is_of_what_makes_the_scores(student: Student, tmp_path: Path) -> None:
    for file in student.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "README.md").write_text("another card")
    assert folder_sha256(tmp_path) == student.report.sha256
    assert resolve_folder(str(tmp_path), student.report.sha256.upper()) == tmp_path
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(ConfigError, match=f"its SHA-256 is .*, not {student.report.sha256} as configured"):
        resolve_folder(str(tmp_path), student.report.sha256)
    with pytest.raises(ConfigError, match="and none is configured"):
        resolve_folder(str(tmp_path), "")


def test_what_is_no_classifier_is_one_line(student: Student, tmp_path: Path) -> None:
    base = Path(student.config.base_model)
    with pytest.raises(ConfigError, match="is no trained classifier; it lacks classifier"):
        TransformerModel(base)
    with pytest.raises(ConfigError, match="is no folder of a transformers model"):
        find_folder(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be opened") as error:
        TransformerModel(tmp_path)
    assert "\n" not in str(error.value)
    assert [is_folder_model(path) for path in ("", "hf://a/b", str(tmp_path), str(tmp_path / "config.json"))] == [
        False, True, True, False,
    ]  # fmt: skip


def test_without_the_extra_it_is_one_line(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ConfigError, match=r"a transformers model needs transformers: pip install 'winnow-corpus"):
        TransformerModel(student.folder)


def test_a_model_of_the_hub(student: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {path.name: path.read_bytes() for path in student.folder.iterdir()}
    files["pytorch_model.bin"] = b"a pickle that nobody loads"
    constants = pytest.importorskip("huggingface_hub.constants")
    with hub(someone__student=files) as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        address = f"hf://someone/student@{'0' * 40}"
        folder = resolve_folder(address, student.report.sha256)
        assert scores(TransformerModel(folder), TEXTS) == scores(TransformerModel(student.folder), TEXTS)
        assert not (folder / "pytorch_model.bin").exists()
        with pytest.raises(ConfigError, match=r"hf://someone/other@0+: cannot be fetched: ") as error:
            find_folder(f"hf://someone/other@{'0' * 40}")
        assert "\n" not in str(error.value)
    assert resolve_folder(address, student.report.sha256) == folder  # from the cache, without a server
