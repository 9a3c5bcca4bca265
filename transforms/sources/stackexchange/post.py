"""A row of a dump: what its attributes say, and whether it is to be read.

The first that holds is the reason why a post is left out:

    oversized_post   its XML has more bytes than `max_post_bytes`
    post_type        it is neither question nor answer, but a tag's wiki, an election...; detail is the type's number
    deleted          it has a date of deletion, and `keep_deleted` is off
    no_text          its body is missing or blank
    answer_score     an answer below `min_answer_score`

An answer's header names its question in `parent_id`. Its rank is its numeric score; of equal scores the older answer,
that of the smaller id, comes first (RedPajama-1 sorted scores as strings: 9 came before 100).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Final

from schemas.errors import BadRecord
from schemas.records import Header
from transforms.sources.dates import parse_date
from transforms.sources.items import Broken, Skipped
from transforms.sources.stackexchange.dump import Row
from transforms.sources.stackexchange.settings import PostsConfig
from transforms.sources.stackexchange.site import Site

QUESTION, ANSWER = 1, 2  # PostTypeId

_ID_BITS: Final = 40  # of an id within a rank; scores have the other 23
_ATTRIBUTE: Final = rb"\s++([\w.:-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')"
_ROW: Final = re.compile(rb"<row((?:%s)*+)\s*+(?:/>|>)" % _ATTRIBUTE.replace(b"([", b"(?:[").replace(b"(\\", b"(?:\\"))
_PAIR: Final = re.compile(_ATTRIBUTE)
_ID: Final = re.compile(rb"\sId\s*=\s*[\"'](\d{1,12})[\"']")
_SIMPLE: Final = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#xA;", "\n"), ("&#xD;", "\r"), ("&#x9;", "\t"),
                  ("&apos;", "'"))  # fmt: skip
_OTHER_ENTITY: Final = re.compile(r"&(?!amp;)[#\w]")
_NUMBER: Final = re.compile(r"-?\d{1,12}")


@dataclass(frozen=True, slots=True)
class Post:
    """A row's attributes, by their names; those that it lacks are ''."""

    attributes: dict[str, str]
    size: int  # bytes of the row itself

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")

    def number(self, name: str) -> int | None:
        """Return a whole number, None where there is none."""
        text = self[name].strip()
        return int(text) if _NUMBER.fullmatch(text) else None

    @property
    def id(self) -> int:
        return self.number("Id") or 0

    @property
    def score(self) -> int:
        return self.number("Score") or 0

    @property
    def kind(self) -> int:
        return self.number("PostTypeId") or 0


def parse_row(data: bytes) -> Post:
    """Return the post that the bytes of a row hold. Raises BadRecord when they are no whole row, or have no id.

    References are resolved as far as they have a meaning, those that XML forbids too; bytes that are not UTF-8 become
    U+FFFD.
    """
    found = _ROW.match(data)
    if found is None:
        cause = "truncated_row" if b"/>" not in data[-64:] else "malformed_row"
        raise BadRecord(cause, "its attributes are not well-formed")
    attributes = {
        name.decode("ascii", "replace"): _unescaped((double or single).decode("utf-8", "replace"))
        for name, double, single in _PAIR.findall(found.group(1))
    }
    post = Post(attributes, found.end())
    if not post.id:
        raise BadRecord("malformed_row", "it has no id")
    return post


def _unescaped(value: str) -> str:
    if "&" not in value:
        return value
    for entity, character in _SIMPLE:
        if entity in value:
            value = value.replace(entity, character)
    if "&" not in value:
        return value
    # What is left is `&amp;`, or a reference that is rare here. Both go in one pass: `&amp;lt;` is the text `&lt;`.
    return html.unescape(value) if _OTHER_ENTITY.search(value) else value.replace("&amp;", "&")


def judge(row: Row, number: int, site: Site, config: PostsConfig) -> Header | Skipped | Broken:
    """Return the header of the post in a row, why it is left out, or what is wrong with it."""
    if row.size > config.max_post_bytes:
        return Skipped(
            row=number, offset=row.offset, record_id=_named(row, site), url="", reason="oversized_post",
            value=row.size, limit=config.max_post_bytes,
        )  # fmt: skip
    try:
        post = parse_row(row.data)
        parent = post.number("ParentId")
        if post.kind == ANSWER and not parent:
            raise BadRecord("malformed_row", "an answer that names no question")
    except BadRecord as error:
        return Broken(
            row=number, offset=row.offset, cause=error.cause, detail=error.detail, record_id=_named(row, site)
        )
    record_id, url = f"{site.name}:{post.id}", site.url(post.id, answer=post.kind == ANSWER)
    reason, detail, value = _reason(post, config)
    if reason:
        return Skipped(
            row=number, offset=row.offset, record_id=record_id, url=url, reason=reason, detail=detail, value=value,
            limit=config.min_answer_score if value is not None else None,
        )  # fmt: skip
    active = post["LastActivityDate"] or post["LastEditDate"] or post["CreationDate"]
    changed_at = parse_date(active)
    return Header(
        row=number,
        offset=row.offset,
        length=post.size,
        record_id=record_id,
        url=url,
        fetched_at=changed_at,
        date_unreadable=changed_at is None and bool(active.strip()),
        kind="post",
        media_type="text/html",
        charset="utf-8",
        parent_id=f"{site.name}:{parent}" if post.kind == ANSWER else "",
        rank=rank_of(post),
    )


def rank_of(post: Post) -> int:
    """Return the number by which answers are sorted: the bigger comes first. By score; ties go to the smaller id."""
    limit = (1 << (62 - _ID_BITS)) - 1
    score = max(-limit, min(limit, post.score))
    return (score << _ID_BITS) + (1 << _ID_BITS) - 1 - min(post.id, (1 << _ID_BITS) - 1)


def _reason(post: Post, config: PostsConfig) -> tuple[str, str, float | None]:
    """Return why a post is left out, '' if it is not, a detail and the measured value."""
    if post.kind not in (QUESTION, ANSWER):
        return "post_type", post["PostTypeId"][:12], None
    if post["DeletionDate"] and not config.keep_deleted:
        return "deleted", "", None
    if not post["Body"].strip():
        return "no_text", "", None
    if post.kind == ANSWER and config.min_answer_score is not None and post.score < config.min_answer_score:
        return "answer_score", "", post.score
    return "", "", None


def _named(row: Row, site: Site) -> str:
    """Return the id in the first bytes of a row, '' when it is not there."""
    found = _ID.search(row.data[:4096])
    return f"{site.name}:{found.group(1).decode()}" if found else ""
