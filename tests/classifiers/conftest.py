"""What the tests of this folder share: the language model, found as the program finds it, and small drafts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from classifiers.models.model_files import LID_176, resolve
from schemas.errors import ConfigError
from schemas.records import Document
from tests.classifiers.tiny_roberta import Student, make_student
from transforms.step import Draft

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not (SHARED / "data").is_dir():
        pytest.skip("the folder shared/data is not beside the checkout")
    return SHARED / "data"


@pytest.fixture(scope="session")
def lid_path() -> Path:
    beside = SHARED / "models" / LID_176.name
    if beside.is_file():
        return beside
    try:
        return resolve("", LID_176.sha256, LID_176)
    except ConfigError as error:
        pytest.skip(f"no language model: {error}")


@pytest.fixture(scope="session")
def student(tmp_path_factory: pytest.TempPathFactory) -> Student:
    return make_student(tmp_path_factory.mktemp("student"))


@pytest.fixture(scope="session")
def make_drafts() -> Callable[..., list[Draft]]:
    def make(*texts: str) -> list[Draft]:
        return [Draft(Document(id=f"{n:032x}", text=text)) for n, text in enumerate(texts)]

    return make
