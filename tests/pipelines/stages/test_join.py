"""Questions and their answers through index, join and read: the same texts whatever the parts and the files."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.runs.upstream import Upstream
from pipelines.stages.index import IndexStage, UrlConfig
from pipelines.stages.join import JoinStage
from pipelines.stages.read import ReadStage
from tests.transforms.sources.stackexchange.conftest import answer, dump, post
from transforms.sources.items import Part
from transforms.sources.stackexchange.reader import ThreadReader
from transforms.sources.stackexchange.rules import filter_threads
from transforms.sources.stackexchange.settings import PostsConfig, SitesConfig, ThreadConfig, ThreadRulesConfig
from transforms.sources.stackexchange.source import StackExchange, ThreadJoin

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "stackexchange" / "coffee_Posts.xml"


Read = Callable[..., list[Any]]
ALL_SITES = SitesConfig()


@dataclass(frozen=True)
class Cut(StackExchange):
    """The source with parts of a few rows."""

    part_bytes: int = 1 << 20

    def parts(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        step = self.part_bytes
        return [Part(path, at, min(at + step, size)) for path, size in sorted(files) for at in range(0, size, step)]


@pytest.fixture
def read(dataset: Callable[..., Any]) -> Read:
    """Run the three stages over some files; return what each left."""

    def run(
        paths: Sequence[Path], part_bytes: int = 1 << 20, sites: SitesConfig = ALL_SITES, **rules: Any
    ) -> list[Any]:
        source = Cut("se", PostsConfig(), ThreadReader(ThreadConfig()), part_bytes)
        done = [dataset().archives(IndexStage(source, UrlConfig(one_per_payload=False)), paths)]
        stages = JoinStage(source, ThreadJoin(sites)), ReadStage(source, (filter_threads(ThreadRulesConfig(**rules)),))
        for stage in stages:
            before = Upstream(((done[-1].manifest, done[-1].data),))
            done.append(dataset().run(stage, [], before))
        return done

    return run


def texts(done: list[Any]) -> dict[str, str]:
    return {row["record_id"]: row["text"] for row in done[-1].rows("documents")}


def test_a_thread_is_one_document_whatever_the_parts(read: Read, tmp_path: Path) -> None:
    """Answers come before their question, in other parts and in another file of the site; each has a fate."""
    early = [answer(3, 9, 4), post(4), answer(5, 4, 9), answer(6, 4, 100), answer(7, 77), post(8)]
    late = [post(9, ClosedDate="2020-01-01T00:00:00.000"), answer(10, 9, 5), answer(11, 4, 50), post(12, 4)]
    (tmp_path / "a_Posts.xml").write_bytes(dump(*early))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a_Posts.xml").write_bytes(dump(*late))
    files = [tmp_path / "a_Posts.xml", tmp_path / "b" / "a_Posts.xml"]
    index, join, threads = done = read(files, min_answers=0, keep_closed=True)
    assert texts(done) == {
        "a:4": "Text.\n\nAnswer\n\nAnswer 6.\n\nAnswer\n\nAnswer 11.\n\nAnswer\n\nAnswer 5.",
        "a:8": "Text.",
        "a:9": "Text.\n\nAnswer\n\nAnswer 10.\n\nAnswer\n\nAnswer 3.",
    }
    assert index.manifest.counts.read == 10
    assert join.dropped == sorted(
        [("joined", f"a:{n}", f"a:{head}") for n, head in ((3, 9), (5, 4), (6, 4), (10, 9), (11, 4))]
        + [("parent_missing", "a:7", "a:77")]
    )
    facts = {row["record_id"]: row["stackexchange"] for row in threads.rows("documents")}
    assert facts["a:4"]["answer_ids"] == "6 11 5"
    other = read(files[::-1], 300, min_answers=1)  # a few parts a file
    assert texts(other) == {"a:4": texts(done)["a:4"]}
    assert other[1].dropped == join.dropped
    assert Counter(why for why, _, _ in other[-1].dropped) == {"too_few_answers": 1, "question_closed": 1}
    assert [row["id"] for row in other[-1].rows("documents")] == [
        row["id"] for row in threads.rows("documents") if row["record_id"] == "a:4"
    ]


def test_the_largest_sites(read: Read, tmp_path: Path) -> None:
    for site, n in (("small", 1), ("large", 3), ("meta.large", 9)):
        rows = [row for k in range(n) for row in (post(2 * k + 1), answer(2 * k + 2, 2 * k + 1))]
        (tmp_path / f"{site}_Posts.xml").write_bytes(dump(*rows))
    done = read(sorted(tmp_path.glob("*.xml")), sites=SitesConfig(largest=1))
    assert sorted(texts(done)) == ["large:1", "large:3", "large:5"]
    why = Counter(why for why, _, _ in done[1].dropped)
    assert why == {"meta_site": 18, "site_not_among_largest": 2, "joined": 3}


def test_a_newer_dump_replaces_the_older_state(read: Read, tmp_path: Path) -> None:
    old, new = ({"LastActivityDate": f"20{year}-01-01T00:00:00.000"} for year in (15, 20))
    (tmp_path / "1_a").mkdir()
    (tmp_path / "1_a" / "a_Posts.xml").write_bytes(dump(post(1, **new), answer(2, 1, 5, "<p>New.</p>", **new)))
    (tmp_path / "2_a").mkdir()
    (tmp_path / "2_a" / "a_Posts.xml").write_bytes(
        dump(post(1, **old), answer(2, 1, 1, "<p>Old.</p>", **old), answer(3, 1, 9, "<p>Gone since.</p>", **old))
    )
    done = read([tmp_path / "1_a" / "a_Posts.xml", tmp_path / "2_a" / "a_Posts.xml"])
    assert texts(done) == {"a:1": "Text.\n\nAnswer\n\nGone since.\n\nAnswer\n\nNew."}


@pytest.mark.skipif(not SHARED.exists(), reason="the folder shared/data is not beside the checkout")
def test_a_real_site_against_an_xml_parser(read: Read) -> None:
    """592 posts of coffee.stackexchange.com: every one has a fate, and every question its answers in order."""
    rows = [element.attrib for element in ET.fromstring(SHARED.read_bytes())]
    questions = {row["Id"]: row for row in rows if row["PostTypeId"] == "1"}
    answers = [row for row in rows if row["PostTypeId"] == "2"]
    index, join, threads = read([SHARED], 400_000, min_answers=0, keep_closed=True)
    assert (index.manifest.counts.read, index.manifest.counts.dropped) == (592, {"post_type": 40})
    assert join.manifest.counts.dropped == {"joined": 327}
    facts = [row["stackexchange"] for row in threads.rows("documents")]
    assert {str(fact["question_id"]) for fact in facts} == set(questions)
    for fact in facts:
        own = [row for row in answers if row["ParentId"] == str(fact["question_id"])]
        ordered = sorted(own, key=lambda row: (-int(row["Score"]), int(row["Id"])))
        assert fact["answer_ids"].split() == [row["Id"] for row in ordered]
        question = questions[str(fact["question_id"])]
        assert str(fact["accepted_id"]) == question.get("AcceptedAnswerId", "None")
        assert fact["closed"] == ("ClosedDate" in question)
