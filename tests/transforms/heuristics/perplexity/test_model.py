"""The model file: the same bytes for any order, what is scored, and KenLM's score against the ARPA file itself."""

from __future__ import annotations

import io
import zipfile

import pytest

from schemas.blocks import CODE, PARAGRAPH, Blocks
from schemas.errors import ConfigError
from tests.transforms.heuristics.perplexity.conftest import CONFIG, TEXTS, Trained
from transforms.heuristics.perplexity.model import PerplexityModel, Score, lines_of, read_pinned
from transforms.heuristics.perplexity.train import train_perplexity
from transforms.text.view import TextView
from transforms.tokens.tokenizer import TokenizerConfig, load


def arpa_score(data: bytes, language: str, lines: list[str]) -> tuple[float, int]:
    """Return the sum of log10 p of lines, and their tokens with the ends, from the files in a model file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        tokenizer = load(archive.read("tokenizer.json"), "tokenizer.json", TokenizerConfig())
        text = archive.read(f"{language}.arpa").decode()
    table: dict[tuple[str, ...], tuple[float, float]] = {}
    for row in text.splitlines():
        columns = row.split("\t")
        if len(columns) > 1:
            backoff = float(columns[2]) if len(columns) == 3 else 0.0
            table[tuple(columns[1].split(" "))] = (float(columns[0]), backoff)
    total, n_tokens = 0.0, 0
    for line in lines:
        words = ["<s>", *map(str, tokenizer.encode_batch([line])[0][1:-1].tolist()), "</s>"]
        words = [word if (word,) in table else "<unk>" for word in words]
        for end in range(2, len(words) + 1):
            gram = tuple(words[max(0, end - CONFIG.order) : end])
            while gram not in table:
                total += table.get(gram[:-1], (0.0, 0.0))[1]
                gram = gram[1:]
            total += table[gram][0]
        n_tokens += len(words) - 1
    return total, n_tokens


def test_the_same_bytes_for_any_order(trained: Trained) -> None:
    data, report = train_perplexity(TEXTS[::-1], CONFIG)
    assert (data, report) == (trained.data, trained.report)
    assert [(row.language, row.texts) for row in report.languages] == [("de", 20), ("en", 200)]
    assert all(len(row.ngrams) == 3 for row in report.languages)


def test_fewer_ngrams_with_pruning(trained: Trained) -> None:
    _, report = train_perplexity(TEXTS, type(CONFIG)(vocab_size=400, order=3, prune=30))
    german, english = (row.ngrams for row in report.languages)
    whole = trained.report.languages[1].ngrams
    assert english[:2] == whole[:2]
    assert 0 < english[2] < whole[2]
    assert len(german) == 2  # no line occurs more than 20 times


@pytest.mark.parametrize(
    ("text", "blocks", "lines"),
    [
        ("Am 3. Mai 1999\n\n  kam er. \n", (), ["am 0. mai 0000", "kam er."]),
        ("ÉCOLE: ٣ mots", (), ["école: 0 mots"]),
        ("One two.\n\nx = 1", ((PARAGRAPH, 0, 8), (CODE, 10, 15)), ["one two."]),
        (" \n\n", (), []),
    ],
)
def test_what_is_scored(text: str, blocks: tuple[tuple[int, int, int], ...], lines: list[str]) -> None:
    assert lines_of(TextView(text, "fr", Blocks.of(blocks))) == lines


def test_ccnets_perplexity() -> None:
    assert Score(-6.0, 3).perplexity == pytest.approx(100.0)
    assert Score(0.0, 0).perplexity is None


@pytest.mark.parametrize("text", ["The cat sees the dog.", "Dog the the\nsees.", "Ωμέγα 漢字", ""])
def test_the_score_of_kenlm_is_that_of_the_file(trained: Trained, text: str) -> None:
    pytest.importorskip("kenlm", reason="needs the extra `perplexity`")
    model = PerplexityModel.open(trained.data, "model.zip")
    english, none = model.score([TextView(text, "en"), TextView(text, "fr")], ["en", "fr"])
    assert none is None
    assert english is not None
    log10, n_tokens = arpa_score(trained.data, "en", lines_of(TextView(text, "en")))
    assert english.log10 == pytest.approx(log10, abs=1e-4)  # KenLM adds in 32 bits
    assert english.n_tokens == n_tokens


def test_sentences_like_those_of_training_are_less_perplexing(trained: Trained) -> None:
    pytest.importorskip("kenlm", reason="needs the extra `perplexity`")
    model = PerplexityModel.open(trained.data, "model.zip")
    texts = ["The bird likes the garden.", "Garden the likes bird the.", "qxz vvv zzq kjw"]
    scores = model.score([TextView(text, "en") for text in texts], ["en"] * 3)
    values = [score.perplexity for score in scores if score is not None]
    assert values == sorted(values)  # type: ignore[type-var]
    assert values[1] > 2 * values[0]  # type: ignore[operator]


def test_files_that_are_no_model(trained: Trained) -> None:
    with pytest.raises(ConfigError, match=r"gone\.zip: cannot be read: No such file"):
        read_pinned("/nowhere/gone.zip", "0" * 64)
    with pytest.raises(ConfigError, match=f"its SHA-256 is {trained.report.sha256}, not 000"):
        read_pinned(str(trained.path), "0" * 64)
    pytest.importorskip("kenlm", reason="needs the extra `perplexity`")
    with pytest.raises(ConfigError, match="not a file of train-perplexity"):
        PerplexityModel.open(b"PK no", "model.zip")


@pytest.mark.parametrize(
    ("texts", "said"), [([], "no text has a word"), ([("a b", "../x")], "'../x' is not a language")]
)
def test_texts_that_teach_nothing(texts: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        train_perplexity(texts, CONFIG)
