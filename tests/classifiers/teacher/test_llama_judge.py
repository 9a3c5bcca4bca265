from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from classifiers.teacher.judges.judge import Answer, Question, chance_of, label_of
from classifiers.teacher.judges.llama import LlamaJudge, answer_tokens
from classifiers.teacher.judges.server import ServerJudge
from classifiers.teacher.judges.settings import LlamaConfig, ServerConfig
from classifiers.teacher.prompt import JudgePrompt
from schemas.errors import ConfigError
from tests.chat_server import ChatServer, Reply

TEXTS = ["", "cat", "a longer text about a dog, and more of it", "über Katzen: 猫", "x" * 90, "a cat", "b cat", "c cat"]


def questions(texts: list[str] = TEXTS) -> list[Question]:
    return [Question(f"d{n}", text) for n, text in enumerate(texts)]


def judged(judge: LlamaJudge | ServerJudge, asked: list[Question], **known: Answer) -> dict[str, Answer]:
    return {answer.id: answer for some in judge.judge(asked, known) for answer in some}


def likeliest(folder: Path) -> Callable[[list[dict[str, str]]], Reply]:
    """Answer a chat as a server would that runs the model, with the plainest code there is."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()

    def reply(messages: list[dict[str, str]]) -> Reply:
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            chances = torch.log_softmax(model(ids).logits[0, -1].double(), dim=-1)
        tokens = [(tokenizer.decode([token]), float(chances[token])) for token in chances.argsort(descending=True)]
        tokens.sort(key=lambda token: token[0] not in "yn")  # they come first, as they would in a model that listens
        return "yes" if dict(tokens)["y"] > dict(tokens)["n"] else "no", tokens

    return reply


def test_probabilities_are_those_of_the_whole_chat(tiny_llama: Path, cats: JudgePrompt) -> None:
    plain = likeliest(tiny_llama)
    found = judged(LlamaJudge(str(tiny_llama), cats, LlamaConfig()), questions())
    assert len({answer.raw for answer in found.values()}) == 2  # or the test could not tell answers apart
    for question in questions():
        raw, tokens = plain(cats.messages(question.text))
        yes, no = math.exp(dict(tokens)["y"]), math.exp(dict(tokens)["n"])
        answer = found[question.id]
        assert answer.raw == raw
        assert answer.chances == pytest.approx({"cats": yes / (yes + no), "other": no / (yes + no)}, abs=2e-6)
        assert answer.mass == pytest.approx(yes + no, abs=2e-6)
        assert chance_of(answer, label_of(answer, cats)) == max(answer.chances.values())  # type: ignore[union-attr]


@pytest.mark.parametrize("change", [{"batch_rows": 1}, {"batch_rows": 3}, {"batch_tokens": 60}, {"threads": 1}])
def test_batches_change_nothing(tiny_llama: Path, cats: JudgePrompt, change: dict[str, int]) -> None:
    whole = judged(LlamaJudge(str(tiny_llama), cats, LlamaConfig()), questions())
    parts = judged(LlamaJudge(str(tiny_llama), cats, LlamaConfig(**change)), questions()[::-1])
    assert whole.keys() == parts.keys()
    for name, answer in whole.items():
        assert parts[name].raw == answer.raw
        assert parts[name].chances == pytest.approx(answer.chances, abs=2e-6)


def test_going_on_gives_the_same_numbers(tiny_llama: Path, cats: JudgePrompt) -> None:
    judge = LlamaJudge(str(tiny_llama), cats, LlamaConfig(batch_rows=3))
    whole = judged(judge, questions())
    some = {name: whole[name] for name in ("d0", "d5", "d6")}
    rest = judged(judge, questions(), **some)
    assert rest.keys() == whole.keys() - some.keys()
    assert {name: answer.chances for name, answer in rest.items()} == {name: whole[name].chances for name in rest}


def test_a_text_is_cut_to_the_window_between_characters(tiny_llama: Path, cats: JudgePrompt) -> None:
    judge = LlamaJudge(str(tiny_llama), cats, LlamaConfig())
    found = judged(judge, [Question("long", "猫" * 500), Question("short", "猫")])
    room = 400 - (found["short"].prompt_tokens - 3)
    assert found["long"].chars == room // 3  # a character has three bytes, a token each
    assert found["long"].prompt_tokens == 400 - room % 3
    cut = judged(judge, [Question("cut", "猫" * (room // 3))])
    assert cut["cut"].chances == found["long"].chances


def test_a_text_cannot_end_its_own_quotation(tiny_llama: Path, cats: JudgePrompt) -> None:
    judge = LlamaJudge(str(tiny_llama), cats, LlamaConfig())
    found = judged(judge, [Question("a", "a<|end|>b"), Question("b", "ab")])
    assert found["a"].prompt_tokens == found["b"].prompt_tokens + len("<|end|>")  # bytes, not one control token


def test_a_server_in_front_of_the_same_model_says_the_same(
    tiny_llama: Path, cats: JudgePrompt, server: ChatServer
) -> None:
    server.reply = likeliest(tiny_llama)
    server.name_of = str

    class Bytes(JudgePrompt):
        """The server's first tokens are bytes here: `y` is how `yes` begins."""

        def label_of(self, answer: str) -> str | None:
            return {"y": "cats", "n": "other"}.get(answer)

    first_bytes = Bytes(**{name: getattr(cats, name) for name in cats.__dataclass_fields__})
    here = judged(LlamaJudge(str(tiny_llama), cats, LlamaConfig()), questions())
    there = judged(ServerJudge(server.url, "m", "", first_bytes, ServerConfig(logprobs=100)), questions())
    assert {name: answer.raw for name, answer in there.items()} == {name: answer.raw for name, answer in here.items()}
    for name, answer in there.items():
        assert answer.chances == pytest.approx(here[name].chances, abs=2e-6)
        assert answer.mass == pytest.approx(here[name].mass, abs=2e-6)


def test_the_revision_is_that_of_the_files(tiny_llama: Path, cats: JudgePrompt, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tiny_llama.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    first = LlamaJudge(str(tiny_llama), cats, LlamaConfig()).revision
    assert LlamaJudge(str(copy), cats, LlamaConfig()).revision == first
    (copy / "config.json").write_bytes((copy / "config.json").read_bytes() + b"\n")
    assert LlamaJudge(str(copy), cats, LlamaConfig()).revision != first


def test_what_is_no_model_is_one_line(tiny_llama: Path, cats: JudgePrompt, tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(ConfigError, match="model "):
            LlamaJudge(str(path), cats, LlamaConfig())
    (tmp_path / "weights.gguf").write_bytes(b"no weights")
    for path in (tmp_path, tmp_path / "weights.gguf"):
        with pytest.raises(ConfigError, match="model ") as error:
            judged(LlamaJudge(str(path), cats, LlamaConfig()), questions())
        assert "\n" not in str(error.value)


def test_a_device_that_is_not_there_is_one_line(tiny_llama: Path, cats: JudgePrompt) -> None:
    with pytest.raises(ConfigError, match="'gpu' is not allowed; expected auto, cpu, cuda"):
        LlamaJudge(str(tiny_llama), cats, LlamaConfig(device="gpu"))
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="PyTorch finds no GPU here"):
            LlamaJudge(str(tiny_llama), cats, LlamaConfig(device="cuda"))


@pytest.mark.parametrize(
    ("tokens", "found", "lead"),
    [
        ({"yes": [5], "Yes": [6], " yes": [7], "no": [8], "NO": [1, 2]}, [[5, 6, 7], [8]], []),
        ({"yes": [5, 9], "no": [8, 9]}, [[5], [8]], []),  # by the first token
        ({"yes": [3, 5], "no": [3, 8]}, [[5], [8]], [3]),  # SentencePiece's space comes first
        ({"yes": [3, 5], "no": [3, 5, 1]}, None, []),
        ({"yes": [5, 1], "no": [5, 2], " yes": [5]}, [[1], [2]], [5]),
    ],
)
def test_the_tokens_of_answers(tokens: dict[str, list[int]], found: list[list[int]] | None, lead: list[int]) -> None:
    def encode(text: str) -> list[int]:
        return tokens.get(text, [1, 1, 1])

    if found is None:
        with pytest.raises(ConfigError, match="begins with the same token"):
            answer_tokens(encode, ["yes", "no"])
    else:
        assert answer_tokens(encode, ["yes", "no"]) == (found, lead)
