"""The pages for who builds on Winnow: their code is run as a reader would run it."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
WORDS = ["river", "stone", "garden", "letter", "window", "market", "harbour", "teacher", "music", "winter", "bread"]


def sentence(seed: int, words: int = 40) -> str:
    return " ".join(WORDS[(seed * 7 + n * (seed % 5 + 1)) % len(WORDS)] for n in range(words)) + "."


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the page describes it: the module and two inputs."""
    folder = tmp_path_factory.mktemp("forum")
    (folder / "forum_recipe.py").write_text(BLOCKS[0][1], encoding="utf-8")
    (folder / "schemas").mkdir()  # not ours
    (folder / "schemas" / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    posts = [
        {
            "text": sentence(n),
            "url": f"https://quiet.example/{n}",
            "stars": n / 4,
            "id": f"p{n}",
            "by": {"name": f"é{n}"},
        }
        for n in range(30)
    ]
    posts += [{"text": "too short", "url": "https://quiet.example/short", "id": "short"}]
    posts += [{"text": sentence(99).upper(), "url": "https://quiet.example/loud", "id": "loud"}]
    half = [f"{sentence(n, 12).upper()} {sentence(n, 4)}" for n in (101, 102, 103)]  # loud on average, none alone
    posts += [{"text": text, "url": f"https://loud.example/{n}", "id": f"l{n}"} for n, text in enumerate(half)]
    books = [{"text": sentence(200 + n, 60), "url": f"https://books.example/{n}", "id": f"b{n}"} for n in range(20)]
    books += [{"text": sentence(3), "url": "https://books.example/copy", "id": "copy", "date": "2020-01-01"}]
    write(folder / "posts.jsonl", posts)
    write(folder / "books.jsonl", books)
    return folder


def commands() -> list[str]:
    """The lines of the page that start with `winnow`."""
    text = next(code for kind, code in BLOCKS if not kind and code.startswith("winnow config"))
    return [line.split("   #")[0].strip() for line in text.replace("\\\n", " ").splitlines()]


def run(folder: Path, line: str, code: int = 0, **environment: str) -> str:
    """Run a line as in a shell that stands in the folder."""
    words = shlex.split(line.partition(">")[0] if " > " in line else line)
    assert words[0] == "winnow"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("winnow")), *words[1:]],
        capture_output=True, text=True, cwd=folder, timeout=300, env={**os.environ, "COLUMNS": "200", **environment},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def ran(folder: Path) -> list[str]:
    """What the page's commands print."""
    return [run(folder, line) for line in commands()]


def shards(folder: Path, output: str) -> dict[str, str]:
    manifest = json.loads((folder / output / "shards" / "manifest.json").read_text())
    return {shard["path"]: shard["sha256"] for shard in manifest["facts"]["shards"]}


def by_source(folder: Path) -> dict[str, dict[str, Any]]:
    book = json.loads(run(folder, "winnow ledger runs/forum --by source --json"))
    return {stage["name"]: {row["source"]: row for row in stage["by"]} for stage in book["stages"]}


def test_the_page_runs_as_it_stands(ran: list[str]) -> None:
    config, done, ledger, plan = ran
    assert "min_words: 5" in config
    assert "runs/forum: done in" in done
    assert "posts" in ledger
    assert "changed: post.min_words: 5 -> 6" in plan


def test_the_ledger_balances_by_source(folder: Path, ran: list[str]) -> None:
    book = by_source(folder)
    assert list(book) == [
        "posts/index", "posts/read", "posts/clean", "books/index", "books/read", "dedup", "tokenize", "mix", "shards"
    ]  # fmt: skip
    assert book["posts/clean"]["posts"]["dropped"] == {"post_too_short": 1, "too_much_upper_case": 1}
    assert book["dedup"]["posts"]["dropped"] == {"exact_copy": 1, "site_over_limit": 3}
    assert book["dedup"]["books"] == {"source": "books", "kept": 21, "dropped": {}, "failed": {}}
    for before, after in (("posts/index", "posts/read"), ("posts/read", "posts/clean"), ("dedup", "tokenize")):
        for source, row in book[after].items():
            assert row["kept"] + sum(row["dropped"].values()) == book[before][source]["kept"]


def test_each_source_has_its_share(folder: Path, ran: list[str]) -> None:
    manifest = json.loads((folder / "runs" / "forum" / "mix" / "manifest.json").read_text())
    shares = {row["name"]: row["reached_share"] for row in manifest["facts"]["mix"]["rows"] if row["axis"] == "source"}
    assert shares["books"] == pytest.approx(0.5, abs=0.1)
    assert shares["posts"] == pytest.approx(0.5, abs=0.1)


def test_an_edited_rule_redoes_the_stages_that_use_it(folder: Path, ran: list[str]) -> None:
    module = folder / "forum_recipe.py"
    whole = module.read_text(encoding="utf-8")
    line = f"winnow plan {commands()[1].partition('--recipe forum_recipe:recipe')[2].strip()} --json"
    unchanged = json.loads(run(folder, line))["stages"]
    module.write_text(whole.replace("if stats.n_words < config.min_words:", "if stats.n_words <= config.min_words:"))
    edited = json.loads(run(folder, line))["stages"]
    module.write_text(whole)
    assert [stage["name"] for stage in unchanged if stage["run"]] == []
    assert [stage["name"] for stage in edited if stage["run"]] == ["posts/clean", "dedup", "tokenize", "mix", "shards"]


def test_switched_off(folder: Path, ran: list[str]) -> None:
    line = f"winnow plan {commands()[1].partition('--recipe forum_recipe:recipe')[2].strip()} --set post=off --json"
    whys = {stage["name"]: stage["why"] for stage in json.loads(run(folder, line))["stages"]}
    assert whys["posts/clean"] == "changed: post: gone"
    assert whys["books/read"] == "committed and unchanged"


def test_what_if_decides_again_by_a_rule_of_ones_own(folder: Path, ran: list[str]) -> None:
    book = json.loads(
        run(folder, "winnow whatif runs/forum --set post.min_words=1 --set post.max_upper_fraction=0.7 --json")
    )
    clean = next(stage for stage in book["stages"] if stage["name"] == "posts/clean")
    rules = {(row["change"], row["reason"], row["new_reason"]): row["documents"] for row in book["changes"]}
    assert rules == {("comes", "post_too_short", ""): 1, ("goes", "", "too_much_upper_case"): 3}
    assert clean["undecided"] == 0
    assert clean["dropped"]["too_much_upper_case"] == {"before": 1, "after": 4}


def test_several_workers_and_new_inputs(folder: Path, ran: list[str]) -> None:
    line = commands()[1].replace("runs/forum", "runs/two")
    run(folder, f"{line} -- --direct_num_workers 2 --direct_running_mode multi_processing")
    assert shards(folder, "runs/two") == shards(folder, "runs/forum")
    for name in ("forum", "two"):
        run(folder, f"winnow export runs/{name} --to of-{name} --format jsonl")
    one, two = (
        {path.relative_to(folder / root): path.read_bytes() for path in (folder / root).rglob("*") if path.is_file()}
        for root in ("of-forum", "of-two")
    )
    assert one == two
    write(folder / "more.jsonl", [{"text": sentence(300 + n), "id": f"m{n}"} for n in range(5)])
    new = line.replace("--recipe forum_recipe:recipe", "").replace("books=books.jsonl", "books=more.jsonl")
    assert "runs/000001" in run(folder, f"{new} --new")
    book = json.loads(run(folder, "winnow ledger runs/two --by source --run 1 --json"))
    (read,) = [stage for stage in book["stages"] if stage["name"] == "books/read"]
    assert read["by"] == [{"source": "books", "kept": 5, "dropped": {}, "failed": {}}]
    assert "nothing new" in run(folder, f"{new} --new")


@pytest.mark.parametrize(
    ("line", "said", "code"),
    [
        ("winnow run --recipe nowhere:recipe --input x --output runs/x", "nowhere cannot be imported", 2),
        ("winnow run --recipe forum_recipe:nothing --input x --output runs/x", "has no function nothing", 2),
        ("winnow run --recipe forum --input x --output runs/x", "no such recipe; expected one of ", 2),
        ("winnow run --recipe forum_recipe:recipe --input posts.jsonl --output runs/x", "whose? give NAME=PATH", 2),
        ("winnow plan --recipe common_crawl --input posts.jsonl --output runs/forum", "recipe forum_recipe:recipe", 1),
    ],
)
def test_what_cannot_work_is_one_line(folder: Path, ran: list[str], line: str, said: str, code: int) -> None:
    printed = run(folder, line, code=code)
    assert said in printed
    assert printed.count("\n") == 1


def test_recipes_are_listed(winnow: Callable[..., str]) -> None:
    listed = [line.split()[0] for line in winnow("recipes").splitlines() if line.strip() and line[0] != " "]
    assert {"common_crawl", "tables", "wikipedia"} <= set(listed)


def test_transforms_as_a_library(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(compile(BLOCKS[-1][1], "recipes.md", "exec"), names)  # noqa: S102  the page's own code
    texts = ["the river and the stone", "letters to the old teacher", "the river and the stone", "x", "too short"]
    kept = names["deduplicated"](texts, str(tmp_path))
    assert sorted(kept) == ["letters to the old teacher", "the river and the stone"]


def test_the_page_of_tables_names_every_column() -> None:
    from schemas import records
    from transforms.extraction.extracted import PageFacts

    page = (ROOT / "docs" / "data-format.md").read_text(encoding="utf-8")
    for record in (
        records.Document, records.Rejection, records.Failure, records.EditedPiece, records.Header,
        records.TokenizedDocument, records.MixedDocument, records.TokenRow,
    ):  # fmt: skip
        for field in dataclasses.fields(record):
            assert f"| `{field.name}` | " in page
            assert field.metadata["doc"] in page, field.name
    for field in dataclasses.fields(PageFacts):
        assert f"| `{field.name}` | " in page


def test_its_code_reads_a_run(folder: Path, ran: list[str]) -> None:
    page = (ROOT / "docs" / "data-format.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(compile(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], "data-format.md", "exec"), names)  # noqa: S102
    assert names["reasons"](str(folder / "runs" / "forum"), "posts/clean") == {
        "post_too_short": 1, "too_much_upper_case": 1
    }  # fmt: skip
    documents = names["table"](str(folder / "runs" / "forum"), "dedup", "documents").to_table()
    assert set(documents.column("source").to_pylist()) == {"posts", "books"}
    posts = {row["source"]: row["post"] for row in documents.select(["source", "post"]).to_pylist()}
    assert posts["books"] is None
    assert posts["posts"]["n_words"] == 40
    metadata = {row["record_id"]: row["metadata"] for row in documents.select(["record_id", "metadata"]).to_pylist()}
    assert metadata["b1"] == ""
    assert metadata["p7"] == '{"stars":1.75,"by":{"name": "\\u00e97"}}'


def test_a_killed_run_of_two_sources_goes_on_to_the_same_bytes(folder: Path, ran: list[str]) -> None:
    words = shlex.split(commands()[1].replace("runs/forum", "runs/killed"))
    command = [str(Path(sys.executable).with_name("winnow")), *words[1:]]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = subprocess.Popen(command, cwd=folder, start_new_session=True, **quiet)  # type: ignore[call-overload]
    end = time.monotonic() + 120
    while not (folder / "runs" / "killed" / "dedup").exists() and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    assert not (folder / "runs" / "killed" / "shards" / "manifest.json").exists()
    printed = run(folder, shlex.join(words))
    assert printed.count("committed and unchanged") == 5  # the stages of both branches
    assert shards(folder, "runs/killed") == shards(folder, "runs/forum")


def test_the_settings_page_is_what_the_code_says() -> None:
    """`make docs` writes it."""
    from docs.generate import SETTINGS, settings_page

    assert SETTINGS.read_text(encoding="utf-8") == settings_page(), "docs/settings.md is older than the code: make docs"


def test_the_settings_page_has_every_setting_with_its_default_and_limits() -> None:
    from docs.generate import settings_page
    from pipelines.recipes.find import find_recipe
    from schemas.settings import PerLanguage

    def names(config: Any, where: str = "") -> list[str]:
        own = config.default if isinstance(config, PerLanguage) else config
        values = {field.name: getattr(own, field.name) for field in dataclasses.fields(own)}
        inner = {name: value for name, value in values.items() if dataclasses.is_dataclass(value)}
        within = [name for group, value in inner.items() for name in names(value, f"{where}{group}.")]
        return [*(f"{where}{name}" for name in values.keys() - inner.keys()), *within]

    page = settings_page()
    known = names(find_recipe("common_crawl").settings())
    assert len(known) > 100
    assert [name for name in known if f"| `{name}` | " not in page and f"### `{name}`" not in page] == []
    assert "| `index.ingest.part_mib` | `32` | largest range" in page
    assert "at a time, MiB [≥ 1, ≤ 4096] |" in page
    assert "| `stages[].schedule.peak` | `8e-05` | " in page
    assert "`off` switches it off" not in page.replace("=off` switches it off", "")


def test_figures_go_between_the_marks_alone() -> None:
    from docs.generate import MARKS, with_block

    block = f"{MARKS[0]}\nnew\n{MARKS[1]}"
    assert with_block(f"a\n{MARKS[0]}\nold\n\\1\n{MARKS[1]}\nb\n", block) == f"a\n{block}\nb\n"
    for text in ("none", f"{MARKS[0]} only", f"{block} {block}"):
        with pytest.raises(ValueError, match="marks"):
            with_block(text, block)


@pytest.mark.parametrize(
    "name", ["docs/coming-from.md", "docs/local.md", "docs/lists.md", "docs/looking.md", "README.md"]
)
def test_a_page_names_settings_that_there_are(name: str) -> None:
    page, settings = (ROOT / name).read_text(encoding="utf-8"), (ROOT / "docs" / "settings.md").read_text()
    groups = set(re.findall(r"### `([a-z_]+)`", settings))
    named = {word for word in re.findall(r"[`=\[ ](\w+(?:\.\w+)+)(?=[`= ])", page) if word.split(".")[0] in groups}
    known = set(re.findall(r"`((?:\w+\.)*\w+)`", settings))
    assert {word for word in named if word not in known} - {"tokenizer.json"} == set()
    assert name != "docs/coming-from.md" or len(named) > 15


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_the_page_of_exports_runs_as_it_stands(folder: Path, ran: list[str]) -> None:
    import numpy as np
    import pyarrow.parquet as pq

    page = (ROOT / "docs" / "export.md").read_text(encoding="utf-8").replace("runs/cc", "runs/forum")
    blocks = re.findall(r"```(\w*)\n(.*?)```", page, re.DOTALL)
    for line in blocks[0][1].splitlines():
        assert "MB" in run(folder, line.partition("   #")[0].strip())
    rows = [
        row
        for path in sorted((folder / "export" / "text").rglob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    assert {row["source"] for row in rows} == {"posts", "books"}
    names: dict[str, Any] = {}
    reader = next(code for kind, code in blocks if kind == "python" and "def documents" in code)
    exec(compile(reader, "export.md", "exec"), names)  # noqa: S102  the page's own code
    tokens = [names["documents"](str(folder / "export" / "flat" / source)) for source in ("books", "posts")]
    assert sum(map(len, tokens)) == len(rows)
    assert sum(len(document) for some in tokens for document in some) == sum(row["n_tokens"] for row in rows)
    assert np.unique([document[0] for some in tokens for document in some]).tolist() == [0]  # BOS
