"""Some of the mutated files of `make fuzz-records`: a fate for each record, and the same files again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.fuzz.records import FORMATS, RECORDS, mutated_file, read_mutated


@pytest.mark.parametrize("name", FORMATS)
def test_every_record_has_a_fate(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where a file that fails would be left
    fates = sum((read_mutated(name, 1, number) for number in range(4)), Counter[str]())
    assert fates["page"] > RECORDS / 4
    assert fates.keys() - {"page", "skipped"}, "no mutation was met"


def test_a_file_is_a_function_of_its_number() -> None:
    for name in FORMATS:
        assert mutated_file(name, 1, 2) == mutated_file(name, 1, 2)
        assert mutated_file(name, 1, 2) != mutated_file(name, 1, 3)
