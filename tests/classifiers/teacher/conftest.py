"""A server that judges by a rule, and a Llama of some thousand random weights with bytes as tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from classifiers.teacher.prompt import JudgePrompt, load_prompt
from tests.chat_server import ChatServer, Reply
from tests.tiny_llama import write_tiny_llama

CATS = """
system: You know cats.
before: "Is this about cats?\\n"
after: "\\nAnswer {answers}."
choices:
- {answer: "yes", label: cats}
- {answer: "no", label: other}
positive: cats
"""


@pytest.fixture(scope="session")
def cats(tmp_path_factory: pytest.TempPathFactory) -> JudgePrompt:
    path = tmp_path_factory.mktemp("prompts") / "cats.yaml"
    path.write_text(CATS, encoding="utf-8")
    return load_prompt(str(path))


def about_cats(messages: list[dict[str, str]]) -> Reply:
    """Say yes to what names a cat, surer the more there are."""
    chance = 1 - 0.5 ** (1 + messages[-1]["content"].count(" cat "))
    is_yes = chance > 0.5
    likeliest = [("yes", math.log(chance * 0.8)), (" no", math.log((1 - chance) * 0.8)), ("I", math.log(0.2))]
    return "Yes." if is_yes else "No.", likeliest


@pytest.fixture
def server() -> Iterator[ChatServer]:
    chat = ChatServer(about_cats)
    chat.name_of = lambda content: content.split("\n")[1].split(":")[0]
    yield chat
    chat.shutdown()
    chat.server_close()


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("tiny-llama"))
