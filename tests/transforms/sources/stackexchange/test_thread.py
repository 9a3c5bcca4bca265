"""A question with its answers: order, blocks, facts, and the rule on questions."""

from __future__ import annotations

import pytest

from tests.transforms.sources.stackexchange.conftest import answer, post
from transforms.sources.stackexchange.licence import licence_of
from transforms.sources.stackexchange.post import Post, parse_row
from transforms.sources.stackexchange.rules import ThreadStats, decide
from transforms.sources.stackexchange.settings import SitesConfig, ThreadConfig, ThreadRulesConfig
from transforms.sources.stackexchange.site import Site, site_of
from transforms.sources.stackexchange.source import ThreadJoin
from transforms.sources.stackexchange.thread import Thread, tags_of, thread_of

COFFEE = Site("coffee")


def row(text: str) -> Post:
    return parse_row(text.strip().encode())


def thread(question: str, *answers: str, **settings: bool | int) -> Thread:
    return thread_of(row(question), [row(text) for text in answers], COFFEE, ThreadConfig(**settings))


def test_answers_are_sorted_by_number() -> None:
    """RedPajama-1 sorted scores as strings: "9" came before "100", and "-1" before "0"."""
    scores = {10: 9, 11: 100, 12: -1, 13: 0, 14: 100, 15: -20}
    made = thread(post(1, AcceptedAnswerId=12), *(answer(n, 1, score) for n, score in scores.items()))
    assert made.facts.answer_ids == "11 14 10 13 12 15"  # of equal scores the older one
    assert (made.facts.best_answer_score, made.facts.accepted_id, made.facts.accepted_place) == (100, 12, 5)
    first = thread(
        post(1, AcceptedAnswerId=12), *(answer(n, 1, score) for n, score in scores.items()), accepted_first=True
    )
    assert first.facts.answer_ids == "12 11 14 10 13 15"
    best = thread(post(1, AcceptedAnswerId=12), *(answer(n, 1, score) for n, score in scores.items()), max_answers=2)
    assert (best.facts.answer_ids, best.left_out, best.facts.accepted_id) == ("11 14", 4, None)


def test_the_text_and_its_blocks() -> None:
    """RedPajama-1 lost the lines of code; entities are characters, in code as well."""
    code = "for x in a:\n    if x &lt; 3 &amp;&amp; y:\n\n        print('&amp;lt;')\n"
    made = thread(
        post(1, body=f"<p>How do I <b>loop</b>?</p>\n<pre><code>{code}</code></pre>", Title="Loops &amp; lists",
             AcceptedAnswerId=2),
        answer(2, 1, body="<blockquote><p>How?</p></blockquote><ul><li>So</li><li>or so</li></ul>"),
        answer(3, 1, body="<h2>Other</h2><p>A<br>B</p>"),
    )  # fmt: skip
    pieces = [(kind, made.text[start:end]) for kind, start, end in made.blocks.spans()]
    assert pieces == [
        ("heading", "Loops &amp; lists"),
        ("paragraph", "How do I loop?"),
        ("code", "for x in a:\n    if x < 3 && y:\n\n        print('&lt;')"),
        ("heading", "Accepted answer"),
        ("quotation", "How?"),
        ("list_item", "So"),
        ("list_item", "or so"),
        ("heading", "Answer"),
        ("heading", "Other"),
        ("paragraph", "A\nB"),
    ]
    plain = thread(post(1, Title="T"), answer(2, 1), title=False, answer_headings=False)
    assert plain.text == "Text.\n\nAnswer 2."


def test_facts() -> None:
    made = thread(
        post(1, Tags="<a-b><c>", Title="T", Score=-2, ClosedDate="2016-01-01T00:00:00.000"),
        answer(2, 1, OwnerUserId="", OwnerDisplayName="Jane  Roe", CreationDate="2019-01-01T00:00:00.000"),
        answer(3, 1, OwnerUserId=101),
    )
    facts = made.facts
    assert (facts.site, facts.question_id, facts.score, facts.n_answers, facts.closed) == ("coffee", 1, -2, 2, True)
    assert facts.tags == "a-b c"
    assert facts.licence == "CC BY-SA 3.0; CC BY-SA 4.0"
    assert facts.authors == "https://coffee.stackexchange.com/users/101 Jane_Roe"
    assert thread(post(1)).facts.best_answer_score is None


@pytest.mark.parametrize(
    ("attributes", "licence"),
    [
        ({"CreationDate": "2011-04-07T23:59:59.999"}, "CC BY-SA 2.5"),
        ({"CreationDate": "2011-04-08T00:00:00.000"}, "CC BY-SA 3.0"),
        ({"CreationDate": "2018-05-01T23:59:59.999"}, "CC BY-SA 3.0"),
        ({"CreationDate": "2018-05-02T00:00:00.000"}, "CC BY-SA 4.0"),
        ({"LastEditDate": "2020-01-01T00:00:00.000"}, "CC BY-SA 4.0"),
        ({"ContentLicense": "CC BY-SA 2.5", "CreationDate": "2020-01-01T00:00:00.000"}, "CC BY-SA 2.5"),
        ({"CreationDate": ""}, ""),
    ],
)
def test_licence_by_date(attributes: dict[str, str], licence: str) -> None:
    assert licence_of(row(post(1, **attributes))) == licence


def test_tags_as_old_and_new_dumps_write_them() -> None:
    assert tags_of("<c++><node.js>") == tags_of("|c++|node.js|") == ["c++", "node.js"]
    assert tags_of("") == []


@pytest.mark.parametrize(
    ("path", "name", "host"),
    [
        ("/d/coffee_Posts.xml", "coffee", "coffee.stackexchange.com"),
        ("/d/coffee.stackexchange.com/Posts.xml", "coffee", "coffee.stackexchange.com"),
        ("/d/stackoverflow.com-Posts/Posts.xml", "stackoverflow.com", "stackoverflow.com"),
        ("/d/stackoverflow.com-Posts.xml", "stackoverflow.com", "stackoverflow.com"),
        ("/d/ru.stackoverflow.com/Posts.xml", "ru.stackoverflow.com", "ru.stackoverflow.com"),
        ("/d/meta.superuser.com/Posts.xml", "meta.superuser.com", "meta.superuser.com"),
        ("/d/mathoverflow/Posts.xml", "mathoverflow.net", "mathoverflow.net"),
        ("s3://bucket/dumps/unix.meta.stackexchange.com/Posts.xml", "unix.meta", "unix.meta.stackexchange.com"),
    ],
)
def test_sites_by_path(path: str, name: str, host: str) -> None:
    assert (site_of(path).name, site_of(path).host) == (name, host)
    assert site_of(path, "askubuntu") == Site("askubuntu.com")
    assert site_of(path).is_meta == ("meta" in name)


def test_the_largest_sites_are_counted() -> None:
    """Two files of one site count together; meta sites take no place; ties go to the name."""
    records = {
        "/a/Posts.xml": 5, "/b_Posts.xml": 9, "/x/c/Posts.xml": 4, "/y/c/Posts.xml": 4, "/d/Posts.xml": 5,
        "/meta.e/Posts.xml": 99,
    }  # fmt: skip
    refused = ThreadJoin(SitesConfig(largest=3)).refused(records)
    assert {path: (drop.reason, drop.value, drop.limit) for path, drop in refused.items()} == {
        "/meta.e/Posts.xml": ("meta_site", None, None),
        "/d/Posts.xml": ("site_not_among_largest", 4, 3),
    }
    assert ThreadJoin(SitesConfig(meta_sites=True)).refused(records) == {}


def test_which_questions_are_kept() -> None:
    def reason(n_answers: int = 1, score: int = 0, closed: bool = False, **limits: int | bool) -> str:
        drop = decide(ThreadStats(n_answers=n_answers, score=score, closed=closed), ThreadRulesConfig(**limits))
        return drop.reason if drop else ""

    assert reason() == ""
    assert reason(0) == "too_few_answers"
    assert reason(0, min_answers=0) == ""
    assert reason(closed=True) == "question_closed"
    assert reason(closed=True, keep_closed=True) == ""
    assert reason(score=-1, min_score=0) == "low_score"
    assert reason(score=0, min_score=0) == ""
