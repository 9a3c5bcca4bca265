"""The whole extractor on pages nobody would write: a text or a named error, always the same, within its limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.costly import COSTLY_PAGES, assert_costs_its_limit, make_extractor
from tests.fuzz.pages import check_page, check_parts, check_text, check_whole, page_of
from transforms.extraction.extract import TextExtractor

_ENGINE = "winnow"


@given(st.binary(max_size=300))
@example(b"")
@example(b"<")
@example(b"\xff\xfe<\x00p\x00>\x00a\x00")
@example(b"<plaintext>\x00")
@example(b"<?php x ?><p>a <?b>b</p><pre><?c d?>e</pre>")
@example(b"<!DOCTYPE html><frameset>")
@settings(deadline=None)
def test_any_bytes_give_a_text_or_a_named_error(html: bytes) -> None:
    check_text(html, _ENGINE)


@given(st.binary(max_size=240))
@settings(deadline=None, max_examples=150)
def test_what_no_reader_sees_is_no_text(choices: bytes) -> None:
    check_page(choices, _ENGINE)


@given(st.binary(max_size=240))
@settings(deadline=None, max_examples=150)
def test_no_block_holds_what_no_reader_sees(choices: bytes) -> None:
    check_whole(choices)


@given(st.binary(max_size=240))
@settings(deadline=None, max_examples=150)
def test_any_element_may_be_asked_what_it_is(choices: bytes) -> None:
    check_parts(page_of(choices))


_LIMIT_S = 2.0


@pytest.fixture(scope="module")
def extractor() -> Iterator[TextExtractor]:
    with make_extractor(_ENGINE, _LIMIT_S) as made:
        yield made


@pytest.mark.parametrize("name", ["div", "attributes", "one_word"])
def test_a_page_costs_its_limit_at_most(extractor: TextExtractor, name: str) -> None:
    """Three of the pages that `make chaos` tries."""
    assert_costs_its_limit(extractor, COSTLY_PAGES[name](), _LIMIT_S)
