"""A question with its answers as one text: title, question, answers, each a run of blocks as its author laid it out.

Source: Llama 1, section 2.1 (28 largest sites, HTML removed, answers sorted by score from highest to lowest). HTML
becomes text by the pieces of the page extractor: code stays as it is, in blocks of code; lists, quotations, headings
and tables are blocks as on a page. RedPajama-1 lost the line ends of code and sorted scores as strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from schemas.blocks import Blocks
from schemas.errors import BadRecord
from transforms.extraction.extracted import Block
from transforms.extraction.formulas.tex import tex_dialect
from transforms.extraction.parsing.walk import outline
from transforms.extraction.texts.hygiene import clean_text
from transforms.extraction.texts.write import blocks_to_write, text_of
from transforms.sources.stackexchange.licence import licence_of
from transforms.sources.stackexchange.post import Post, rank_of
from transforms.sources.stackexchange.settings import ThreadConfig
from transforms.sources.stackexchange.site import Site

ANSWER_HEADING, ACCEPTED_HEADING = "Answer", "Accepted answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackExchangeFacts:
    """What is known of a question and its answers besides their text; lists are separated by blanks."""

    site: str  # coffee, stackoverflow.com
    question_id: int
    title: str
    tags: str
    score: int  # of the question
    n_answers: int  # in the text
    best_answer_score: int | None
    accepted_id: int | None  # the accepted answer, where it is in the text
    accepted_place: int | None  # its place among the answers, 1 is the first
    answer_ids: str  # in the order of the text
    closed: bool
    created: str  # as the dump has it, UTC
    licence: str  # of all posts in the text, each once: CC BY-SA 3.0; CC BY-SA 4.0
    authors: str  # addresses of the users, or names of those without an account; each once, in the order of the text


@dataclass(frozen=True)
class Thread:
    """One document."""

    text: str
    blocks: Blocks
    facts: StackExchangeFacts
    left_out: int  # answers beyond `max_answers`


def thread_of(question: Post, answers: Iterable[Post], site: Site, config: ThreadConfig) -> Thread:
    """Return a question with its answers, in the order that `config` asks for. BadRecord for unparsable HTML."""
    accepted = question.number("AcceptedAnswerId")
    ordered = sorted(answers, key=lambda post: (config.accepted_first and post.id != accepted, -rank_of(post)))
    shown = ordered[: config.max_answers] if config.max_answers else ordered
    written: list[Block] = []
    title = clean_text(question["Title"]).strip()
    if config.title and title:
        written.append(Block("heading", title))
    written += blocks_of_html(question["Body"])
    for post in shown:
        body = blocks_of_html(post["Body"])
        if config.answer_headings and body:
            written.append(Block("heading", ACCEPTED_HEADING if post.id == accepted else ANSWER_HEADING))
        written += body
    text, blocks = text_of(written)
    return Thread(text, blocks, _facts(question, shown, site, title), len(ordered) - len(shown))


def blocks_of_html(source: str) -> list[Block]:
    """Return the blocks of the HTML that a post consists of. BadRecord when it cannot be parsed."""
    try:
        page = outline(LexborHTMLParser(source.encode("utf-8", "replace")))
        return blocks_to_write(page, range(len(page.texts)), tex_dialect(source))
    except (SelectolaxError, RecursionError) as error:
        raise BadRecord("html_unparsable", type(error).__name__) from None


def _facts(question: Post, answers: Sequence[Post], site: Site, title: str) -> StackExchangeFacts:
    accepted = question.number("AcceptedAnswerId")
    ids = [post.id for post in answers]
    posts = [question, *answers]
    return StackExchangeFacts(
        site=site.name,
        question_id=question.id,
        title=title,
        tags=" ".join(tags_of(question["Tags"])),
        score=question.score,
        n_answers=len(answers),
        best_answer_score=max((post.score for post in answers), default=None),
        accepted_id=accepted if accepted in ids else None,
        accepted_place=ids.index(accepted) + 1 if accepted in ids else None,
        answer_ids=" ".join(map(str, ids)),
        closed=bool(question["ClosedDate"]),
        created=question["CreationDate"],
        licence="; ".join(sorted({licence for post in posts if (licence := licence_of(post))})),
        authors=" ".join(dict.fromkeys(author for post in posts if (author := author_of(post, site)))),
    )


def tags_of(text: str) -> list[str]:
    """Return the tags that dumps write as `<a><b>`, or as `|a|b|` since 2024."""
    return text.replace("><", " ").replace("<", " ").replace(">", " ").replace("|", " ").split()


def author_of(post: Post, site: Site) -> str:
    """Return to whom a post is attributed: the address of the user, or a name; '' when the dump does not tell."""
    user = post.number("OwnerUserId")
    return site.user_url(user) if user else "_".join(post["OwnerDisplayName"].split())
