from __future__ import annotations

import dataclasses
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.models.fasttext_model import one_line
from classifiers.training import fasttext_process
from classifiers.training.examples import read_examples, split
from classifiers.training.figures import ThresholdRow, area_under_curve, at_threshold, best_threshold
from classifiers.training.labelled_table import read_labelled
from classifiers.training.train_fasttext import TrainConfig, train_classifier
from schemas.errors import ConfigError

SMALL = TrainConfig(dim=8, epoch=5, lr=0.5, bucket=1000, holdout=0.2)
ROWS = [(f"a theorem and its proof {n}", "good") for n in range(60)] + [(f"buy pills {n}", "bad") for n in range(60)]

SCORES = np.array([0.9, 0.8, 0.8, 0.3, 0.1])
POSITIVE = np.array([True, False, True, True, False])


def write_jsonl(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))
    return path


def test_at_threshold_by_hand() -> None:
    # kept at 0.8: three texts, two positive, of three positive in all
    assert at_threshold(SCORES, POSITIVE, 0.8) == ThresholdRow(
        threshold=0.8, kept=0.6, precision=2 / 3, recall=2 / 3, f1=2 / 3
    )
    assert at_threshold(SCORES, POSITIVE, 0.81).kept == 0.2  # the limit itself is kept
    nothing = at_threshold(SCORES, POSITIVE, 0.95)
    assert (nothing.kept, nothing.precision, nothing.recall, nothing.f1) == (0.0, None, 0.0, None)
    empty = at_threshold(np.array([]), np.array([], dtype=bool), 0.5)
    assert (empty.kept, empty.precision, empty.recall) == (0.0, None, None)


def test_area_under_curve_by_hand() -> None:
    # pairs: 0.9 beats both negatives; 0.8 ties one, beats the other; 0.3 beats one: (2 + 1.5 + 1) / 6
    assert area_under_curve(SCORES, POSITIVE) == 0.75
    assert area_under_curve(SCORES, np.ones(5, dtype=bool)) is None
    assert area_under_curve(np.array([]), np.array([], dtype=bool)) is None


def test_best_threshold_by_hand() -> None:
    # F1 at 0.9: 2/4; at 0.8: 4/6; at 0.3: 6/7; at 0.1: 6/8
    assert best_threshold(SCORES, POSITIVE) == 0.3
    # at 0.9: 2/3 and at 0.1: 4/6 are equal: the higher one
    assert best_threshold(np.array([0.9, 0.5, 0.4, 0.1]), np.array([True, False, False, True])) == 0.9
    assert best_threshold(SCORES, np.zeros(5, dtype=bool)) is None


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), max_size=30))
def test_figures_equal_their_definitions(pairs: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in pairs], dtype=float)
    positive = np.array([flag for _, flag in pairs], dtype=bool)
    wins = [(a > b) + (a == b) / 2 for a in scores[positive] for b in scores[~positive]]
    area = area_under_curve(scores, positive)
    assert area == (pytest.approx(sum(wins) / len(wins)) if wins else None)
    best = best_threshold(scores, positive)
    if best is not None:
        assert at_threshold(scores, positive, best).f1 == max(at_threshold(scores, positive, t).f1 for t in set(scores))


def test_the_same_rows_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    shuffled = sorted(ROWS, key=lambda row: row[0][::-1])
    first = train_classifier(write_jsonl(tmp_path / "a.jsonl", ROWS), tmp_path / "a.bin", SMALL)
    second = train_classifier(write_jsonl(tmp_path / "b.jsonl", shuffled), tmp_path / "b.bin", SMALL)
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()
    assert first == second
    other = train_classifier(tmp_path / "a.jsonl", tmp_path / "c.bin", dataclasses.replace(SMALL, seed=1))
    assert other.sha256 != first.sha256


def test_training_does_not_depend_on_what_the_memory_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the zeroed memory fastText trains on leftovers: here on bytes 0xFE, which are huge negative numbers."""
    table = write_jsonl(tmp_path / "t.jsonl", ROWS)
    monkeypatch.setenv("MALLOC_PERTURB_", "1")
    assert train_classifier(table, tmp_path / "m.bin", SMALL).auc == 1.0
    monkeypatch.setattr(fasttext_process, "ZEROED_MEMORY", "1")
    with pytest.raises(ConfigError, match="fastText cannot train with these settings: RuntimeError: Encountered NaN"):
        train_classifier(table, tmp_path / "m.bin", SMALL)


def test_the_report_beside_the_model(tmp_path: Path) -> None:
    rows = [*ROWS, ("", "good"), (" \n\0", "bad"), ("__label__good </s> theorem", "bad")]
    report = train_classifier(write_jsonl(tmp_path / "t.jsonl", rows), tmp_path / "deep" / "m.bin", SMALL)
    saved = json.loads((tmp_path / "deep" / "m.bin.json").read_text())
    assert saved["sha256"] == report.sha256
    assert saved["settings"]["word_ngrams"] == 2
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == [
        f"m.bin{end}" for end in ("", ".json", ".md", ".png")
    ]
    assert report.n_empty == 2
    assert sum(report.n_train.values()) + sum(report.n_held_out.values()) == 121
    assert sum(report.n_held_out.values()) in range(10, 40)
    assert report.auc is not None
    assert report.auc > 0.9
    assert report.at_suggested is not None
    assert report.at_suggested.threshold == report.suggested_threshold
    assert [row.threshold for row in report.thresholds][:2] == [0.05, 0.1]
    assert any("held-out texts of bad: the figures are rough" in note for note in report.notes)


def test_a_label_in_a_text_teaches_nothing(tmp_path: Path) -> None:
    """A page that writes fastText's own marks cannot label itself."""
    marked = [(f"__label__good {text}", label) for text, label in ROWS]
    report = train_classifier(write_jsonl(tmp_path / "t.jsonl", marked), tmp_path / "m.bin", SMALL)
    assert sorted(report.n_train) == ["bad", "good"]
    assert report.auc == 1.0


def test_imbalance_is_noted(tmp_path: Path) -> None:
    config = dataclasses.replace(SMALL, holdout=0.0)
    rows = ROWS[:5] + [(f"spam {n}", "bad") for n in range(51)]
    report = train_classifier(write_jsonl(tmp_path / "t.jsonl", rows), tmp_path / "m.bin", config)
    assert "bad is 10 times as frequent as good: choose a threshold, 0.5 means little here" in report.notes
    assert report.auc is report.suggested_threshold is report.at_suggested is None
    report = train_classifier(write_jsonl(tmp_path / "t.jsonl", rows[:-1]), tmp_path / "m.bin", config)
    assert not any("frequent" in note for note in report.notes)


def test_equal_texts_fall_on_the_same_side(tmp_path: Path) -> None:
    rows = [(text, label) for text, label in ROWS for _ in range(3)]
    report = train_classifier(write_jsonl(tmp_path / "t.jsonl", rows), tmp_path / "m.bin", SMALL)
    assert all(n % 3 == 0 for n in (*report.n_train.values(), *report.n_held_out.values()))


def write_rows(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_sites_are_held_out_whole(tmp_path: Path) -> None:
    rows = [{"text": text, "label": label, "site": f"{n % 20}.example"} for n, (text, label) in enumerate(ROWS)]
    table = write_rows(tmp_path / "t.jsonl", rows)
    parts = split(read_examples(table, SMALL, one_line)[0], SMALL)
    assert not {one.site for one in parts.training} & {one.site for one in parts.held_out}
    assert len(parts.training) + len(parts.held_out) == len(rows)
    assert len(parts.held_out) % 6 == 0  # texts of a site
    report = train_classifier(table, tmp_path / "m.bin", SMALL)
    assert report.split_by == "site"
    assert "whole sites are held out" in (tmp_path / "m.bin.md").read_text()
    # A text that a held-out site has, too, is no text to learn from.
    held = parts.held_out[0]
    copies = [{"text": held.text, "label": held.label, "site": parts.training[n].site} for n in range(2)]
    assert train_classifier(write_rows(table, [*rows, *copies]), tmp_path / "m.bin", SMALL).n_shared == 2
    # Without the column, or with '', texts are split one by one.
    other = dataclasses.replace(SMALL, site_column="")
    assert train_classifier(table, tmp_path / "m.bin", other).split_by == "text"
    with pytest.raises(ConfigError, match="row 1 has no column 'domain'"):
        train_classifier(table, tmp_path / "m.bin", dataclasses.replace(SMALL, site_column="domain"))


def test_texts_that_the_teacher_was_not_sure_of_are_left_out(tmp_path: Path) -> None:
    chances = [0.5, 0.75, 0.2, 0.95, None, 0.05]
    rows = [{"text": text, "label": label, "p": chances[n % 6]} for n, (text, label) in enumerate(ROWS)]
    table = write_rows(tmp_path / "t.jsonl", rows)
    config = dataclasses.replace(SMALL, probability_column="p", min_certainty=0.8)
    report = train_classifier(table, tmp_path / "m.bin", config)
    parts = split(read_examples(table, config, one_line)[0], config)
    assert report.n_uncertain > 0
    assert {one.probability for one in parts.training} == {0.2, 0.95, None, 0.05}
    assert 0.5 in {one.probability for one in parts.held_out}  # what it is measured on is as it comes
    with pytest.raises(ConfigError, match=r"row 1: the probability is 1\.5; must be >= 0, <= 1"):
        train_classifier(write_rows(table, [{**rows[0], "p": 1.5}]), tmp_path / "m.bin", config)
    with pytest.raises(ConfigError, match=r"min_certainty: 0\.8 is not allowed without a probability_column"):
        dataclasses.replace(SMALL, min_certainty=0.8)


def test_a_table_as_the_teacher_writes_it(tmp_path: Path) -> None:
    n = len(ROWS)
    columns = {
        "id": [str(k) for k in range(n)], "url": [f"https://{k % 15}.example/{k}" for k in range(n)],
        "site": [f"{k % 15}.example" for k in range(n)], "language": ["en" if k % 3 else "" for k in range(n)],
        "text": [text for text, _ in ROWS], "label": [label for _, label in ROWS],
        "probability": [0.9] * n,
        "value": [None if k % 9 == 0 else {"good": 0.9, "bad": 0.1}[label] for k, (_, label) in enumerate(ROWS)],
    }  # fmt: skip
    pa.parquet.write_table(pa.table(columns), tmp_path / "labels.parquet")
    config = dataclasses.replace(SMALL, probability_column="value", min_certainty=0.8, language_column="language")
    report = train_classifier(tmp_path / "labels.parquet", tmp_path / "m.bin", config)
    assert (report.split_by, report.n_uncertain) == ("site", 0)
    assert list(report.held_out) == ["all", "en"]
    assert report.auc == 1.0


def test_grades_are_positive_from_one_on(tmp_path: Path) -> None:
    rows = [(text, str(n % 3 if label == "bad" else 3 + n % 3)) for n, (text, label) in enumerate(ROWS)]
    config = dataclasses.replace(SMALL, positive_from=3)
    report = train_classifier(write_jsonl(tmp_path / "t.jsonl", rows), tmp_path / "m.bin", config)
    assert sorted(report.n_train) == ["below", "good"]
    assert report.n_train["good"] + report.n_held_out["good"] == 60
    assert report.auc == 1.0
    with pytest.raises(ConfigError, match="row 1: 'good' is not a whole number, as positive_from asks for"):
        train_classifier(write_jsonl(tmp_path / "t.jsonl", ROWS), tmp_path / "m.bin", config)
    with pytest.raises(ConfigError, match="positive_label: 'below' is not allowed with positive_from"):
        dataclasses.replace(config, positive_label="below")


def test_the_card_has_calibration_keep_rates_and_errors(tmp_path: Path) -> None:
    noisy = [(text, label if n % 10 else "bad") for n, (text, label) in enumerate(ROWS)]
    config = dataclasses.replace(SMALL, holdout=0.6, error_samples=2)
    report = train_classifier(write_jsonl(tmp_path / "t.jsonl", noisy), tmp_path / "m.bin", config)
    assert report.calibration is not None
    assert report.calibration.n == sum(report.n_held_out.values())
    assert [row.kept >= rate for row, rate in zip(report.keep_rates, (0.05, 0.1, 0.2, 0.3), strict=False)] == [True] * 4
    wrong = [one for one in report.errors if one.label == "bad"]
    assert wrong[0].text.startswith("a theorem")  # the noise is found
    assert wrong[0].score > 0.5
    card = (tmp_path / "m.bin.md").read_text()
    for title in ("## Calibration", "## Thresholds by share kept", "## Worst errors"):
        assert title in card
    assert (tmp_path / "m.bin.png").read_bytes()[:4] == b"\x89PNG"


def test_without_matplotlib_the_tables_remain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    report = train_classifier(write_jsonl(tmp_path / "t.jsonl", ROWS), tmp_path / "m.bin", SMALL)
    assert "no picture: matplotlib is in the extra `train`" in report.notes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.bin", "m.bin.json", "m.bin.md", "t.jsonl"]


def test_a_quantized_model_is_small_and_reproducible(tmp_path: Path) -> None:
    rows = [(f"{text} a{n} b{n} c{n} d{n}", label) for n, (text, label) in enumerate(ROWS)]
    table = write_jsonl(tmp_path / "t.jsonl", rows)
    config = dataclasses.replace(SMALL, quantize=True, dim=4, bucket=300)
    first = train_classifier(table, tmp_path / "a.ftz", config)
    assert train_classifier(table, tmp_path / "b.ftz", config).sha256 == first.sha256
    assert first.auc is not None
    assert first.auc > 0.9
    train_classifier(table, tmp_path / "c.bin", dataclasses.replace(config, quantize=False))
    assert (tmp_path / "a.ftz").stat().st_size < (tmp_path / "c.bin").stat().st_size
    with pytest.raises(ConfigError, match="Matrix too small for quantization"):
        train_classifier(write_jsonl(table, ROWS), tmp_path / "d.ftz", dataclasses.replace(config, bucket=1))


def test_what_a_search_finds_gives_the_same_model_again(tmp_path: Path) -> None:
    """The search goes by the clock, so it is not repeated here: its settings are."""
    table = write_jsonl(tmp_path / "t.jsonl", ROWS)
    report = train_classifier(table, tmp_path / "a.bin", dataclasses.replace(SMALL, autotune_s=1, dim=8))
    names = {"wordNgrams": "word_ngrams", "minCount": "min_count", "minn": "min_subword", "maxn": "max_subword"}
    found = {names.get(name, name): value for name, value in report.found.items()}
    assert {"lr", "dim", "epoch", "bucket"} < found.keys()
    if found["bucket"]:  # 0 is our own choice of it
        assert train_classifier(table, tmp_path / "b.bin", dataclasses.replace(SMALL, **found)).sha256 == report.sha256
    assert "Found by training: `lr=" in (tmp_path / "a.bin.md").read_text()


def test_every_kind_of_table_gives_the_same_rows(tmp_path: Path) -> None:
    rows = [('with "quotes", commas\nand\tlines', "1"), ("文字 ✓ " * 50_000, "0"), ("", "x")]
    table = pa.table({"text": [text for text, _ in rows], "other": [1, 2, 3], "label": [label for _, label in rows]})
    write_jsonl(tmp_path / "t.jsonl", rows)
    pa.csv.write_csv(table, tmp_path / "t.csv")
    pa.csv.write_csv(table, tmp_path / "t.tsv", pa.csv.WriteOptions(delimiter="\t"))
    pa.parquet.write_table(table, tmp_path / "t.parquet")
    for name in ("t.jsonl", "t.csv", "t.tsv"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    names = ["t.jsonl", "t.csv", "t.tsv", "t.parquet", "t.jsonl.gz", "t.csv.gz", "t.tsv.gz"]
    for name in names:
        assert list(read_labelled(tmp_path / name, "text", "label")) == rows, name


def test_whole_numbers_are_labels_and_a_byte_order_mark_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('\ufeff{"content": "a", "kind": 1}\n\n{"content": "b", "kind": 0}\n')
    assert list(read_labelled(path, "content", "kind")) == [("a", "1"), ("b", "0")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.jsonl", '{"body": "a", "label": "x"}', "row 1 has no column 'text'; columns: body, label"),
        ("t.csv", "text,kind\na,b\n", "row 1 has no column 'label'; columns: text, kind"),
        ("t.jsonl", "", "texts of at least two labels; found: none"),
        ("t.csv", "", "is empty"),
        ("t.csv", "text,label\n", "texts of at least two labels; found: none"),
        ("t.tsv", "text\tlabel\na\tgood\n", r"texts of at least two labels; found: good \(1\)"),
        ("t.csv", "text,label\na,0\nb,1\n", r"positive_label: 'good' is not a label of .*; found: 0 \(1\), 1 \(1\)"),
        ("t.jsonl", '{"text": "a", "label": "x"}\n{oops', "line 2 is not JSON"),
        ("t.jsonl", "[1]", "line 1 is not a JSON object but list"),
        ("t.jsonl", '{"text": null, "label": "x"}', "row 1: the text is NoneType, not a string"),
        ("t.jsonl", '{"text": "a", "label": "very good"}', "row 1: 'very good' is not a label"),
        ("t.jsonl", '{"text": "a", "label": ""}', "row 1: '' is not a label"),
        ("t.jsonl", '{"text": "a", "label": 0.5}', "row 1: 0.5 is not a label"),
        ("t.jsonl", '{"text": "a", "label": true}', "row 1: True is not a label"),
        ("t.csv", "text,label\na,b,c\n", "not a valid table: .*Expected 2 columns, got 3"),
        ("t.parquet", "no parquet", "not a valid table"),
        ("t.jsonl.gz", "no gzip", "cannot be read"),
        ("t.xlsx", "", "unknown kind of table; allowed: .jsonl"),
    ],
)
def test_a_table_that_cannot_be_used(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=message) as error:
        train_classifier(tmp_path / name, tmp_path / "m.bin", dataclasses.replace(SMALL, holdout=0.0))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "m.bin").exists()


def test_other_tables_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.jsonl: cannot be read: No such file"):
        train_classifier(tmp_path / "nowhere.jsonl", tmp_path / "m.bin", SMALL)
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "\xe9", "label": "x"}')
    with pytest.raises(ConfigError, match="not a valid table: 'utf-8' codec"):
        train_classifier(tmp_path / "latin.jsonl", tmp_path / "m.bin", SMALL)
    pa.parquet.write_table(pa.table({"text": ["a"]}), tmp_path / "t.parquet")
    with pytest.raises(ConfigError, match="has no column 'label'; columns: text"):
        train_classifier(tmp_path / "t.parquet", tmp_path / "m.bin", SMALL)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    table = write_jsonl(tmp_path / "t.jsonl", ROWS)
    with pytest.raises(ConfigError, match=r"t.jsonl/m.bin: cannot be written: (Not a directory|File exists)"):
        train_classifier(table, table / "m.bin", SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.jsonl"]


def test_a_full_disk_leaves_no_model(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / ".m.bin.partial").symlink_to(full)
    with pytest.raises(ConfigError, match=r"m\.bin: cannot be written: No space left on device"):
        train_classifier(write_jsonl(tmp_path / "t.jsonl", ROWS), tmp_path / "m.bin", SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.jsonl"]


def test_on_documents_that_people_judged(shared_data: Path, tmp_path: Path) -> None:
    """261 web documents, 1 good and 0 not; 79 are held out. Few, so this only shows that something is learned."""
    table = shared_data / "quality" / "dclm_human_quality_dev.jsonl"
    config = TrainConfig(positive_label="1", holdout=0.3, dim=16, epoch=25, lr=0.5)
    report = train_classifier(table, tmp_path / "m.bin", config)
    assert sum(report.n_train.values()) + sum(report.n_held_out.values()) == 261
    assert report.auc is not None
    assert report.auc > 0.7
