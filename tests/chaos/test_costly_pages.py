"""Pages that cost more than any page may, through the guarded extractor: each costs its limit, and only itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.costly import COSTLY_PAGES, assert_costs_its_limit, make_extractor
from transforms.extraction.extract import TextExtractor

_LIMIT_S = 10.0


@pytest.fixture(scope="module")
def extractor() -> Iterator[TextExtractor]:
    with make_extractor("winnow", _LIMIT_S) as made:
        yield made


@pytest.mark.parametrize("name", COSTLY_PAGES)
def test_a_page_costs_its_limit_at_most(extractor: TextExtractor, name: str) -> None:
    assert_costs_its_limit(extractor, COSTLY_PAGES[name](), _LIMIT_S)
