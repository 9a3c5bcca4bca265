"""Training the extractor: labels, lexicon, export, and a model of a small made-up web that it then takes apart."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from classifiers.training.train_extractor import Example, TrainExtractorConfig, as_if_unread, exported, main, train
from classifiers.training.train_extractor_data import LabelledPage, block_weights, read_pages, site_of
from classifiers.training.train_extractor_labels import label_blocks
from schemas.errors import ConfigError
from transforms.extraction.choice.model import load_model
from transforms.extraction.page import extract_source

LONG = "the quick brown fox jumps over the lazy dog"


@pytest.mark.parametrize(
    ("blocks", "gold", "labels"),
    [
        ([LONG, "menu", "contact"], LONG, [1, 0, 0]),
        ([LONG + " and more", LONG], LONG, [9 / 11, 0]),  # each gold word once
        (["Home", LONG, "Home"], f"{LONG} Home", [0, 1, 1]),
        (["Price", LONG, "Price"], f"Price {LONG}", [1, 1, 0]),
        (["one two three four five six"], "one two three x four five six", [0]),
        (["one two three four x five six seven eight"], "one two three four. Five six seven eight", [8 / 9]),
        (["", "..."], LONG, [0, 0]),
        ([LONG], "", [0]),
        ([], LONG, []),
    ],
)
def test_labels(blocks: list[str], gold: str, labels: list[float]) -> None:
    assert label_blocks(blocks, gold) == pytest.approx(labels)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.example.org/a", "example.org"),
        ("http://news.example.co.uk", "example.co.uk"),
        ("https://example.de", "example.de"),
        ("nothing", ""),
    ],
)
def test_sites(url: str, site: str) -> None:
    assert site_of(url) == site


def write_web(folder: Path, n_sites: int) -> None:
    """Write articles and forum threads whose menus and footers are marked as such."""
    for name in ("html", "ground-truth"):
        (folder / name).mkdir(parents=True)
    for at in range(n_sites):
        posts = [f"Sentence {at} of part {part} says a thing or two about the matter at hand." for part in range(4)]
        body = "".join(f"<p>{post}</p>" for post in posts)
        menu = "<nav class=menu><a href=/>Home</a><a href=/x>About us</a></nav>"
        foot = f"<footer class=foot><p>Copyright {at} by the owners of this site, all rights reserved.</p></footer>"
        page = f"<html><body>{menu}<div class=content><h1>Head {at}</h1>{body}</div>{foot}</body></html>"
        (folder / "html" / f"{at:03}.html.gz").write_bytes(gzip.compress(page.encode(), mtime=0))
        truth = {
            "url": f"https://site{at}.example/{'forum' if at % 2 else 'news'}/a-page",
            "_internal": {"page_type": {"primary": "forum" if at % 2 else "article"}},
            "ground_truth": {"main_content": "\n\n".join(posts)},
        }
        (folder / "ground-truth" / f"{at:03}.json").write_text(json.dumps(truth), "utf-8")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web")
    write_web(folder, 40)
    return folder


def test_pages_are_read(web: Path) -> None:
    pages = read_pages(web)
    assert len(pages) == 40
    page = pages[3]
    assert (page.name, page.site, page.kind) == ("003", "site3.example", 3)
    assert page.labels.tolist() == [0, 0, 1, 1, 1, 1, 0]  # the menu is one block
    assert page.n_words.tolist()[:2] == [3, 2]
    weights = block_weights(page)
    assert weights.argmin() in (0, 1)
    assert len({each.fold(5) for each in pages}) == 5
    assert 0 < sum(each.held_out(0.25) for each in pages) < 40


def test_a_folder_without_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="no ground-truth"):
        read_pages(tmp_path)
    assert main([str(tmp_path)]) == 1
    assert "no ground-truth" in capsys.readouterr().err


@pytest.mark.parametrize("truth", ["", "[]", "{}", '{"url": "u", "_internal": {"page_type": {"primary": "poem"}}}'])
def test_a_broken_page_is_named(tmp_path: Path, truth: str) -> None:
    write_web(tmp_path / "web", 1)
    (tmp_path / "web" / "ground-truth" / "000.json").write_text(truth, "utf-8")
    with pytest.raises(ConfigError, match=r"000\.json: not a page"):
        read_pages(tmp_path / "web")


def test_a_page_without_known_words(web: Path) -> None:
    page = read_pages(web)[0]
    example = Example(page, np.arange(1, 9).reshape(4, 2), np.array([3, 2]))
    blank = as_if_unread(example, ("text_weight", "words", "signature_text_weight", "text_weight+1"))
    assert blank.table.tolist() == [[0, 0], [3, 4], [0, 0], [0, 0]]
    assert example.table[0].tolist() == [1, 2]


def test_trees_as_arrays() -> None:
    leaf = {"leaf_value": 0.5}
    split = {"split_feature": 3, "threshold": 2.5, "left_child": leaf, "right_child": {"leaf_value": -0.25}}
    forest = exported({"tree_info": [{"tree_structure": split}, {"tree_structure": leaf}]})
    assert (forest.depth, forest.bias, forest.roots.tolist()) == (1, 0, [0, 3])
    table = np.zeros((4, 2), np.int64)
    table[3] = [2, 3]
    assert forest.scores(table).tolist() == [10_000, 2_500]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_small_web_is_learnt(web: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for package in ("lightgbm", "sklearn", "scipy"):
        pytest.importorskip(package, reason=f"{package} is not installed: it comes with the extra train-extractor")
    config = TrainExtractorConfig(n_trees=40, min_leaf=5, held_out=0.3, n_threads=1)
    model, report = train(read_pages(web), config, validate_folds=True)
    assert report["held_out"]["f1"] > 0.97
    assert report["cross_validated"]["f1"] > 0.97
    assert set(report["held_out"]["kinds"]) == {"article", "forum"}
    extracted = extract_source(
        "<html><body><nav class=menu><a>Start</a></nav><div class=content><p>A new page with words nobody has seen"
        " before it was written.</p></div><footer class=foot><p>Copyright 7 by the owners of this site, all rights"
        " reserved.</p></footer></body></html>",
        "https://new.example/forum/a",
        model,
    )
    assert extracted.text == "A new page with words nobody has seen before it was written."
    assert extracted.kind == "forum"


def pages_of_one_site(pages: list[LabelledPage]) -> list[LabelledPage]:
    return pages[:1]


def test_one_site_is_too_few(web: Path) -> None:
    with pytest.raises(ConfigError, match="too few sites"):
        train(pages_of_one_site(read_pages(web)), TrainExtractorConfig(), validate_folds=False)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_command_writes_a_model(web: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for package in ("lightgbm", "sklearn", "scipy"):
        pytest.importorskip(package, reason=f"{package} is not installed: it comes with the extra train-extractor")
    files = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for file in files:
        assert main([str(web), "--to", str(file)]) == 0
        assert json.loads(capsys.readouterr().out)["pages"] == 40
    assert files[0].read_bytes() == files[1].read_bytes()
    assert load_model(files[0]).forest.depth >= 1
