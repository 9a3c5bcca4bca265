"""The second opinion on doubtful pages; comments under articles and posts."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.errors import BadRecord
from tests.transforms.extraction.test_extract import ARTICLE, PROSE, trafilatura_text
from transforms.extraction import extract
from transforms.extraction.extract import (
    ExtractConfig,
    PageText,
    extract_page,
    main_text,
    text_of_page,
)

# ---- the second opinion ---------------------------------------------------------------------------------------------


def test_both_sides_of_the_confidence_limit() -> None:
    ours = extract_page(ARTICLE, "")
    below = text_of_page(ARTICLE, "", "", ExtractConfig(second_opinion_below=ours.confidence, put_title=False))
    assert below == PageText(ours.text, ours.kind, ours.confidence, blocks=ours.blocks, facts=ours.facts)
    above = text_of_page(ARTICLE, "", "", ExtractConfig(second_opinion_below=1.0, put_title=False))
    assert ours.confidence < 1
    second = trafilatura_text(ARTICLE)
    assert above == PageText(second, ours.kind, ours.confidence, is_second=True, facts=ours.facts)


@pytest.mark.parametrize("says", ["", BadRecord("html_unparsable", "trafilatura: ValueError")])
def test_a_second_opinion_that_finds_nothing_is_none(monkeypatch: pytest.MonkeyPatch, says: str | BadRecord) -> None:
    def second(*_args: Any, **_options: Any) -> str:
        if isinstance(says, BadRecord):
            raise says
        return says

    monkeypatch.setattr(extract, "_by_other", second)
    found = text_of_page(ARTICLE, "", "", ExtractConfig(second_opinion_below=1.0, put_title=False))
    assert (found.text, found.is_second) == (main_text(ARTICLE), False)


# ---- comments -------------------------------------------------------------------------------------------------------

REMARK = "I disagree with the second paragraph, because the numbers in it are those of last year."


@pytest.mark.parametrize("engine", ["winnow", "trafilatura"])
def test_comments_under_an_article_are_a_choice(engine: str) -> None:
    section = f'<div id="comments" class="comments"><div class="comment"><p>{REMARK}</p><a>Reply</a></div></div>'
    prose = "".join(f"<p>{n}. {PROSE}</p>" for n in range(8))
    html = f"<html><body><article><h1>Head</h1>{prose}</article>{section}</body></html>".encode()
    texts = {
        choice: text_of_page(html, "", "https://example.org/news/a-b-c", ExtractConfig(engine=engine, comments=choice))
        for choice in ("drop", "keep")
    }
    assert REMARK not in texts["drop"].text
    assert REMARK in texts["keep"].text
    assert engine != "winnow" or "Reply" not in texts["keep"].text
    assert all("7. " + PROSE in found.text for found in texts.values())


def test_comments_under_a_forums_posts() -> None:
    """Those with code stay in any case; the others are a choice where the model leaves them out, as it does these."""
    said = "Commented by georgephillips on September 3, 2014 at 1:52"
    coded = "Commented by <code>root</code> on September 3, 2014 at 1:52"
    section = "".join(f'<p class="comment-meta signature">{text}</p>' for text in (said, coded))
    posts = "".join(f'<div class="post"><p>{n}. {PROSE}</p></div>' for n in range(9))
    html = (
        '<html><head><script type="application/ld+json">{"@type": "QAPage"}</script></head><body class="forum topic">'
        f'<div class="posts thread replies">{posts}<div class="comments">{section}</div></div></body></html>'
    ).encode()
    url = "https://forum.example.org/t/topic/thread/18327314/"
    found = {choice: text_of_page(html, "", url, ExtractConfig(comments=choice)) for choice in ("drop", "keep")}
    assert {each.kind for each in found.values()} == {"forum"}
    assert said not in found["drop"].text
    assert said in found["keep"].text
    assert all("Commented by root on" in each.text for each in found.values())
