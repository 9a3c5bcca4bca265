from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from transforms.signals.redpajama_lists import CATEGORIES, DomainCategories, combination_number


@pytest.fixture
def ut1(tmp_path: Path) -> Path:
    lists = {"adult": "a.com\nb.com\n", "gambling": "b.com\nc.com\n", "weapons": "d.com\n"}
    for category, domains in lists.items():
        (tmp_path / category).mkdir()
        (tmp_path / category / "domains").write_text(domains)
    (tmp_path / "violence").mkdir()
    (tmp_path / "violence" / "domains.gz").write_bytes(gzip.compress(b"b.com\n"))
    return tmp_path


def test_combinations_are_numbered_by_size_then_in_order() -> None:
    every = [c for size in range(1, 6) for c in itertools.combinations(range(5), size)]
    assert [combination_number(chosen, 5) for chosen in every] == list(range(31))


def test_a_domain_has_the_number_of_all_its_categories(ut1: Path) -> None:
    found = DomainCategories(str(ut1), ("violence", "gambling", "adult"))
    # adult, gambling, violence; then adult+gambling, adult+violence, gambling+violence; then all three
    assert [found.id_of(f"https://{host}/page?a=1") for host in ("a.com", "c.com", "b.com")] == [0, 1, 6]
    assert found.id_of("https://www.a.com/") is None  # the host itself, not a domain that it lies in
    assert found.id_of("https://d.com/") is None  # of another category
    assert found.id_of("") is None


def test_the_categories_are_those_of_its_configuration(ut1: Path) -> None:
    assert len(CATEGORIES) == 13
    assert DomainCategories(str(ut1)).id_of("http://c.com/") == sorted(CATEGORIES).index("gambling")


def test_what_cannot_be_read_is_one_line(ut1: Path) -> None:
    with pytest.raises(ConfigError, match=r"redpajama.ut1_directory: '.*' has no list; expected <category>/domains"):
        DomainCategories(str(ut1), ("none",))
    with pytest.raises(ConfigError, match=r"redpajama.ut1_categories: must be 16 at most, not 17"):
        DomainCategories(str(ut1), tuple(map(str, range(17))))
    (ut1 / "adult" / "domains").write_text("no domains here\nnor here, at all\n")
    with pytest.raises(ConfigError, match="are no entries"):
        DomainCategories(str(ut1), ("adult",))
