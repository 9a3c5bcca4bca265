from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.teacher.prompt import JudgePrompt, known_prompts, load_prompt
from schemas.errors import ConfigError

# Another wording is another measure: who changes a prompt raises its version and adds a line here.
DIGESTS = {
    ("code", 1): "12edecc2ca1d871687085e12fb2a9e88",
    ("educational", 1): "9cdc1b4c0fbaefa289a39ca9430de417",
    ("format", 1): "950044a5c97b583ee7754d23136e895e",
    ("mathematics", 1): "90adf8825a8b92cde6e4f72a64c4bb5d",
    ("quality", 1): "a9e8b27377c73adec30ca3d2510edf9c",
    ("stem", 1): "50f577c7cedf77e7544ede485b888ca9",
    ("topic", 1): "5d5de0088600a7ca22d1bc0143f1ebf1",
}

OWN = """
before: "Is this about cats?\\n"
after: "\\nAnswer: {answers}."
choices:
- {answer: "yes", label: cats}
- {answer: "no", label: other}
"""


def own(tmp_path: Path, text: str) -> str:
    path = tmp_path / "cats.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_wording_of_a_version_never_changes() -> None:
    prompts = [load_prompt(name) for name in known_prompts()]
    assert {(prompt.name, prompt.version): prompt.digest for prompt in prompts} == DIGESTS


@pytest.mark.parametrize("name", known_prompts())
def test_a_prompt_of_ours_shows_its_choices_and_says_where_it_comes_from(name: str) -> None:
    prompt = load_prompt(name)
    chat = prompt.messages("THE TEXT")
    assert [message["role"] for message in chat] == ["system", "user"]
    asked = chat[1]["content"]
    assert asked.count("THE TEXT") == 1
    assert "{" not in asked
    assert prompt.about
    assert "arXiv:" in prompt.source
    assert all(prompt.parse(answer) == label for answer, label in zip(prompt.answers, prompt.labels, strict=True))


def test_topics_and_formats_are_24_each_and_defined() -> None:
    for name in ("topic", "format"):
        prompt = load_prompt(name)
        assert "".join(prompt.answers) == "ABCDEFGHIJKLMNOPQRSTUVWX"
        before = prompt.around()[0]
        assert all(f"\n{choice.answer}: " in before and choice.meaning in before for choice in prompt.choices)


def test_braces_of_a_text_are_left_alone() -> None:
    assert "f{answers}{choices}" in load_prompt("quality").messages("f{answers}{choices}")[1]["content"]


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("yes", "good"), ("Yes.", "good"), ("  YES\n", "good"), ("Yes!", "good"), ("**Yes**", "good"),
        ("Answer: no", "poor"),
        ("The answer is: No, it is a list.", "poor"), ("no - a shop", "poor"), ("\"no\"", "poor"),
        ("<think>yes, or rather</think>\nno", "poor"), ("Yes\nbecause it tells something", "good"),
        ("", None), ("maybe", None), ("yesterday", None), ("nothing", None), ("I would say yes", None),
        ("It meets them", None), ("yes and no", None), ("no one knows", None), ("0", None),
    ],
)  # fmt: skip
def test_a_word_is_read_strictly(raw: str, label: str | None) -> None:
    assert load_prompt("quality").parse(raw) == label


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("3", "3"), (" 4.", "4"), ("Educational score: 5", "5"), ("**Score:** 2", "2"), ("3/5", "3"), ("(1)", "1"),
        ("Final score is 0\nno lesson", "0"),
        ("6", None), ("12", None), ("3.5", None), ("2,5", None), ("2-3", None), ("three", None), ("-1", None),
        ("3 points", None), ("I give it 3", None),
    ],
)  # fmt: skip
def test_a_number_is_read_strictly(raw: str, label: str | None) -> None:
    assert load_prompt("educational").parse(raw) == label


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("A", "adult_content"), ("Q: language and literature", "language_and_literature"), ("Topic: U.", "mathematics"),
        ("A text about cats", None), ("a", None), ("Y", None), ("History", None), ("I think N", None),
    ],
)  # fmt: skip
def test_a_letter_is_read_strictly(raw: str, label: str | None) -> None:
    assert load_prompt("topic").parse(raw) == label


def test_a_prompt_of_ones_own(tmp_path: Path) -> None:
    prompt = load_prompt(own(tmp_path, OWN))
    assert (prompt.name, prompt.labels) == ("cats", ("cats", "other"))
    assert prompt.messages("Tom")[-1]["content"] == "Is this about cats?\nTom\nAnswer: yes or no."


def test_what_cannot_change_an_answer_is_not_in_the_digest() -> None:
    first = load_prompt("quality")
    plain = {"system": first.system, "before": first.before, "after": first.after, "choices": first.choices}
    assert JudgePrompt(name="other", about="x", **plain).digest == first.digest
    assert JudgePrompt(**{**plain, "after": first.after + "!"}).digest != first.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("cats}", "two words}"), "a label must be one word"),
        (('"no"', '"Yes"'), "comes twice"),
        (("label: other", "label: cats"), "a label comes twice"),
        (('- {answer: "no", label: other}\n', ""), "two or more"),
        (("choices:", "positive: dogs\nchoices:"), "positive: is not one of the labels"),
        (("before:", "befor:"), "befor: unknown setting; did you mean"),
    ],
)
def test_a_wrong_prompt_is_one_line(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = own(tmp_path, OWN.replace(*change))
    with pytest.raises(ConfigError, match=message) as error:
        load_prompt(path)
    assert "\n" not in str(error.value)


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ConfigError, match="known: code, educational, format, mathematics, quality, stem, topic"):
        load_prompt("qualty")
