"""Dumps made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest


def post(number: int, kind: int = 1, body: str = "<p>Text.</p>", **attributes: object) -> str:
    values = {
        "Id": number, "PostTypeId": kind, "CreationDate": "2015-01-27T20:09:32.720", "Score": 1, "Body": body,
        "OwnerUserId": 100 + number,
    } | attributes  # fmt: skip
    escaped = (
        f"{name}={quoteattr(str(value), {chr(10): '&#xA;', chr(34): '&quot;'})}" for name, value in values.items()
    )
    return f"  <row {' '.join(escaped)} />\n"


def answer(number: int, question: int, score: int = 0, body: str = "", **attributes: object) -> str:
    return post(number, 2, body or f"<p>Answer {number}.</p>", ParentId=question, Score=score, **attributes)


def dump(*rows: str) -> bytes:
    text = "".join(rows)
    return f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n{text}</posts>'.encode()


@pytest.fixture
def write_dump(tmp_path: Path) -> Callable[..., Path]:
    """Write the Posts.xml of a site: rows, each a `post` or an `answer`."""

    def write(*rows: str, site: str = "coffee.stackexchange.com") -> Path:
        folder = tmp_path / site
        folder.mkdir(exist_ok=True)
        (folder / "Posts.xml").write_bytes(dump(*rows))
        return folder / "Posts.xml"

    return write
