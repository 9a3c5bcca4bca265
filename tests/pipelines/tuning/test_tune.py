"""Limits of a language, fitted to texts of it: they keep such texts, are the same every time, and load as settings."""

from __future__ import annotations

import bz2
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from classifiers.steps.language import LanguageConfig
from demo_web.texts import write_article
from pipelines.commands import tune as command
from pipelines.commands.arguments.options import settings_of
from pipelines.recipes.common_crawl import CommonCrawlConfig
from pipelines.recipes.common_crawl import recipe as common_crawl
from pipelines.recipes.find import find_recipe
from pipelines.runs.graph import Recipe, branch
from pipelines.stages.index import IndexStage
from pipelines.stages.local import LocalStage
from pipelines.stages.read import ReadStage
from pipelines.tuning.reference import NAME, pieces, read_reference, read_source
from pipelines.tuning.tune import measures_of, tune
from schemas.identity import content_id
from schemas.records import Document, Header
from schemas.settings import PerLanguage, overlay, section, setting
from tests.pipelines.conftest import Call
from transforms.heuristics.fitted_limits import TuneConfig
from transforms.sources.tables.tables import Tables, TablesConfig
from transforms.sources.wikipedia.reader import ArticleReader
from transforms.sources.wikipedia.settings import WikipediaReadConfig, WikipediaScanConfig
from transforms.sources.wikipedia.source import Wikipedia
from transforms.step import Draft, Drop, Filter, run_steps
from transforms.text.view import TextView

# Stricter than Finnish is: mean words of 5 characters, stop words that are none.
STRICT = overlay(
    CommonCrawlConfig(),
    {"clean": {"gopher": {"by_language": {"fi": {"max_mean_word_chars": 5, "stop_words": ["qwertz", "yxcvb"]}}}}},
)
CONFIG = TuneConfig(share=0.95, confidence=0.9)


def articles(language: str, seeds: Sequence[int]) -> list[Document]:
    texts = ["\n".join(write_article(language, str(seed), paragraphs=4).blocks) for seed in seeds]
    return [Document(id=content_id(text), text=text, language=language) for text in texts]


def drafts_of(settings: CommonCrawlConfig, documents: Sequence[Document]) -> list[Draft]:
    """Return the documents as the clean stage leaves them, with all measures."""
    stage = common_crawl(settings).node("web/clean").stage
    drafts = [Draft(document) for document in documents]
    run_steps(stage.steps, drafts, Counter(), Counter(), lambda document_id: True)  # type: ignore[attr-defined]
    return drafts


def test_fitted_limits_keep_texts_that_they_were_not_fitted_to() -> None:
    tuned = tune(common_crawl, STRICT, "fi", articles("fi", range(100)), CONFIG)
    others = articles("fi", range(500, 600))
    before, after = (
        Counter(draft.drop.reason if draft.drop else "kept" for draft in drafts_of(settings, others))
        for settings in (STRICT, overlay(STRICT, tuned.changes))
    )
    assert before["words_too_long"] + before["too_few_stop_words"] == len(others)
    assert after["kept"] >= 0.95 * len(others)
    own = tuned.changes["clean"]["gopher"]["by_language"]["fi"]
    assert 10 <= own["max_mean_word_chars"] < 13
    assert {"ja", "on"} <= set(own["stop_words"])
    assert tuned.held_out["before"].get("kept", 0) == 0 < tuned.held_out["after"]["kept"]


def test_every_limit_says_what_it_rests_on_and_keeps_what_it_says() -> None:
    tuned = tune(common_crawl, CommonCrawlConfig(), "de", articles("de", range(60)), CONFIG)
    drafts = drafts_of(CommonCrawlConfig(), articles("de", range(300, 360)))
    assert len(tuned.limits) > 20
    for limit in tuned.limits:
        step, measure = limit["measure"].split(".")
        values = [getattr(draft.measures[step], measure) for draft in drafts]
        sign = 1 if ".max_" in limit["setting"] else -1
        assert sum(sign * value <= sign * limit["limit"] for value in values) >= 0.95 * len(values), limit
        assert sign * limit["limit"] >= sign * limit["english"]
        assert list(limit["quantiles"].values()) == sorted(limit["quantiles"].values())
        assert 0 < limit["texts"] <= 60


def test_too_few_texts_make_a_limit_looser_and_never_stricter() -> None:
    texts = articles("de", range(25))
    few = tune(common_crawl, CommonCrawlConfig(), "tr", texts, TuneConfig(share=0.99))
    for limit in few.limits:
        sign = 1 if ".max_" in limit["setting"] else -1
        assert limit["share"] < 0.99
        assert sign * limit["limit"] >= sign * limit["before"]
    many = tune(common_crawl, CommonCrawlConfig(), "tr", texts, TuneConfig(share=0.5))
    (length,) = [one for one in many.limits if one["setting"] == "clean.gopher.max_mean_word_chars"]
    assert length["limit"] < length["before"]  # German words are shorter than those that Turkish may have


def test_the_order_and_copies_of_texts_change_nothing() -> None:
    texts = articles("fi", range(40))
    few = TuneConfig(share=0.95, max_texts=25, min_texts=5, min_held_from=10)
    drawn = tune(common_crawl, STRICT, "fi", texts, few)
    assert drawn == tune(common_crawl, STRICT, "fi", [*reversed(texts), *texts[:7]], few)
    assert drawn.n_texts == 25 > drawn.n_fitted


def test_a_fit_of_the_recipe_is_passed_over() -> None:
    texts = articles("fi", range(24))
    with_fit = overlay(STRICT, {"kl": {"judge": "limit"}})
    assert tune(common_crawl, with_fit, "fi", texts, CONFIG) == tune(common_crawl, STRICT, "fi", texts, CONFIG)


def test_a_language_of_endings_gets_no_stop_words() -> None:
    texts = [
        Document(id=content_id(str(n)), text=f"sana{n} " * 3 + f"muu{n} tuo{n}. " * 20, language="fi")
        for n in range(20)
    ]
    tuned = tune(common_crawl, STRICT, "fi", texts, CONFIG)
    assert tuned.changes["clean"]["gopher"]["by_language"]["fi"]["stop_words"] == []
    assert tuned.stop_words[0]["texts_with_some"] == 0


@dataclass(frozen=True)
class ShoutConfig:
    max_upper_fraction: float = setting(0.1, "share of letters in upper case, at most")
    min_words: int = setting(1, "words")


@dataclass(frozen=True)
class ShoutStats:
    upper_fraction: float
    n_words: int


def shouting(view: TextView) -> ShoutStats:
    return ShoutStats(sum(map(str.isupper, view.text)) / len(view.text), view.n_words)


def too_loud(stats: ShoutStats, config: ShoutConfig) -> Drop | None:
    return Drop("loud", stats.upper_fraction, 0) if stats.upper_fraction > config.max_upper_fraction else None


@dataclass(frozen=True)
class OwnConfig:
    shout: PerLanguage[ShoutConfig] = section(lambda: PerLanguage(ShoutConfig()), "shouting")


def own_recipe(config: OwnConfig) -> Recipe:
    source = Tables("own", TablesConfig())
    rule = Filter("shout", shouting, too_loud, config.shout)
    return Recipe.of(
        "own", branch("own", source) | IndexStage(source) | ReadStage(source) | LocalStage("clean", (rule,))
    )


def test_a_rule_of_ones_own_is_fitted_by_the_names_of_its_limits() -> None:
    texts = [
        Document(id=content_id(str(n)), text=f"{'A' * (n % 5 + 20)}{'b' * (80 - n % 5)}", language="de")
        for n in range(70)
    ]
    tuned = tune(own_recipe, OwnConfig(), "de", texts, CONFIG)
    assert tuned.changes == {"shout": {"by_language": {"de": {"max_upper_fraction": 0.24}}}}
    step = Filter("shout", shouting, too_loud, OwnConfig().shout)
    assert measures_of(step) == {"max_upper_fraction": "upper_fraction"}


def test_a_text_is_cut_into_pieces_at_line_ends() -> None:
    text = "one two\n\nthree four five\nsix\nseven eight nine ten\neleven"
    assert pieces(text, 3) == ["one two\n\nthree four five", "six\nseven eight nine ten\neleven"]
    assert pieces(text, 0) == [text]
    assert pieces(" \n ", 3) == pieces("", 0) == []


def page(n: int, namespace: int = 0) -> str:
    body = "\n\n".join(write_article("fi", f"wiki {n}").blocks)
    return (
        f"<page><title>Sivu {n}</title><ns>{namespace}</ns><id>{n + 1}</id><revision><id>{n + 1}</id>"
        f"<model>wikitext</model><format>text/x-wiki</format><text>{body}</text></revision></page>"
    )


def dump_of(pages: Iterable[str]) -> bytes:
    head = "<mediawiki><siteinfo><dbname>fiwiki</dbname></siteinfo>"
    return f"{head}{''.join(pages)}</mediawiki>".encode()


@pytest.fixture
def references(tmp_path: Path) -> dict[str, Path]:
    texts = ["\n".join(write_article("fi", str(n)).blocks) for n in range(30)]
    rows = [json.dumps({"id": str(n), "body": {"text": text}}) for n, text in enumerate(texts)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "plain.txt").write_text("\n".join(texts), encoding="utf-8")
    (tmp_path / "dump.xml.bz2").write_bytes(bz2.compress(dump_of(map(page, range(25)))))
    return {name.partition(".")[0]: tmp_path / name for name in ("rows.jsonl", "plain.txt", "dump.xml.bz2")}


def test_plain_texts_tables_and_dumps_are_references(references: dict[str, Path]) -> None:
    found = {name: list(read_reference(str(path), "fi", "body.text", 60)) for name, path in references.items()}
    assert len(found["rows"]) == 30
    assert len(found["dump"]) == 25
    assert "Sivu 3\n" in found["dump"][3].text
    assert len(found["plain"]) >= 30
    assert {document.language for some in found.values() for document in some} == {"fi"}


def test_a_part_of_a_dump_may_have_no_article(tmp_path: Path) -> None:
    talk = page(0, namespace=1)
    talk = talk.replace(
        "</text>", f"{'x' * (3 << 19)}</text>"
    )  # a part has one MiB at least: this one ends in the second
    path = tmp_path / "dump.xml"
    path.write_bytes(dump_of([talk, *map(page, range(1, 26))]))
    source = Wikipedia(NAME, WikipediaScanConfig(part_mib=1), ArticleReader(WikipediaReadConfig()))
    parts = [list(source.scan(part)) for part in source.parts([(str(path), path.stat().st_size)])]
    assert [sum(isinstance(item, Header) for item in part) for part in parts] == [0, 25]
    assert len(list(read_source(source, str(path), "fi"))) == 25


def test_the_file_is_settings_with_their_evidence(call: Call, references: dict[str, Path], tmp_path: Path) -> None:
    given = ("tune", "--language", "fi", "--reference", references["rows"], "--text-column", "body.text",
             "--share", 0.9, "--set", "clean.gopher.by_language.fi.max_mean_word_chars=5")  # fmt: skip
    said = call(*given, "--output", tmp_path / "fi.yaml")
    assert (said.code, said.err) == (0, "")
    written = (tmp_path / "fi.yaml").read_text(encoding="utf-8")
    assert call(*given).out == written
    assert "# Limits of the language fi, fitted to 30 texts of " in written
    assert f"#   30 of {references['rows']}, SHA-256 " in written
    limit = yaml.safe_load(written)["clean"]["gopher"]["by_language"]["fi"]["max_mean_word_chars"]
    assert "# gopher.mean_word_chars of 30 texts, by quantile 0: " in written
    assert f"English 10, before 5\n        max_mean_word_chars: {limit}\n" in written
    settings = settings_of(find_recipe("common_crawl"), [tmp_path / "fi.yaml"], None)
    assert settings.clean.gopher.of("fi").max_mean_word_chars == limit
    book = call(*given, "--json").json
    assert (book["references"][0]["n_texts"], book["n_texts"]) == (30, 30)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--language", "finnish"], "by_language.finnish: not a language code; expected en, de, zh, ..."),
        (["--language", "fi", "--share", "1"], "share: 1.0 is not allowed; must be > 0, <= 0.9999"),
        (["--language", "fi", "--set", "a=1"], "a: unknown setting; allowed: "),
    ],
)
def test_wrong_words_are_one_line(call: Call, references: dict[str, Path], words: list[str], message: str) -> None:
    said = call("tune", "--reference", references["rows"], "--text-column", "body.text", *words)
    assert said.code == 2
    assert said.err.startswith(f"winnow: {message}")
    assert said.err.count("\n") == 1


def test_references_that_are_none_are_one_line(call: Call, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 ")
    (tmp_path / "few.txt").write_text("Vain yksi lause.")
    (tmp_path / "no.bin").write_bytes(b"\x00\x01\x02" * 50)
    (tmp_path / "talk.xml").write_bytes(dump_of([page(0, namespace=10)]))
    (tmp_path / "cut.xml").write_bytes(dump_of([page(0, namespace=10), page(1)[:90]]))
    for name, message in (
        ("latin.txt", f"{tmp_path}/latin.txt: cannot be read: not UTF-8 (byte 3)"),
        ("few.txt", "the reference has 1 texts to fit to; expected 20 or more"),
        ("no.bin", f"{tmp_path}/no.bin: cannot be read as a reference: "),
        ("talk.xml", f"{tmp_path}/talk.xml: cannot be read as a reference: no text in it"),
        ("cut.xml", f"{tmp_path}/cut.xml: cannot be read as a reference: what can be read ends within a page"),
    ):
        said = call("tune", "--language", "fi", "--reference", tmp_path / name)
        assert said.code == 1
        assert said.err.startswith(f"winnow: {message}")
        assert said.err.count("\n") == 1


def test_only_texts_that_are_identified(call: Call, tmp_path: Path) -> None:
    texts = [one.text for code in ("fi", "de") for one in articles(code, range(22))]
    rows = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts)]
    (tmp_path / "both.jsonl").write_text("\n".join(rows), encoding="utf-8")
    given = ("tune", "--language", "fi", "--reference", tmp_path / "both.jsonl", "--json")
    both = call(*given)
    assert both.json["n_texts"] == 44
    assert both.err == ""  # half of them are: nothing to warn of
    assert call(*given, "--identify").json["n_texts"] == 22
    assert call("tune", "--language", "et", *given[3:]).err == (
        "warning: the language identifier takes 0 of 44 texts to be 'et'; --identify takes those alone\n"
    )


def test_without_the_model_the_language_is_not_checked(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [json.dumps({"id": str(n), "text": one.text}) for n, one in enumerate(articles("fi", range(22)))]
    (tmp_path / "fi.jsonl").write_text("\n".join(rows), encoding="utf-8")
    given = ("tune", "--language", "fi", "--reference", tmp_path / "fi.jsonl", "--json")
    monkeypatch.setattr(command, "LanguageConfig", lambda: LanguageConfig(model_path=str(tmp_path / "none.ftz")))
    without = call(*given)
    assert without.json["n_texts"] == 22
    assert without.err.startswith("warning: the language of the texts is not checked: model file ")
    assert without.err.count("\n") == 1
    assert call(*given, "--identify").code == 2
