from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from classifiers.teacher.judges import server as server_module
from classifiers.teacher.judges.judge import Answer, Question, chance_of, label_of, mean_label
from classifiers.teacher.judges.server import ServerJudge, answer_chances, without_control
from classifiers.teacher.judges.settings import ServerConfig
from classifiers.teacher.prompt import JudgePrompt, load_prompt
from schemas.errors import ConfigError, RunError
from tests.chat_server import ChatServer

TEXTS = ["the cat sat", "a dog", "one cat and one cat sat", "nothing"]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "PAUSE_S", 0.01)


def questions(texts: Sequence[str] = TEXTS) -> list[Question]:
    return [Question(f"d{n}", f"d{n}: {text}") for n, text in enumerate(texts)]


def judged(judge: ServerJudge, asked: list[Question], known: dict[str, Answer] | None = None) -> dict[str, Answer]:
    return {answer.id: answer for some in judge.judge(asked, known or {}) for answer in some}


def test_answers_probabilities_and_tokens(server: ChatServer, cats: JudgePrompt) -> None:
    found = judged(ServerJudge(server.url, "m", "", cats, ServerConfig()), questions())
    labels = {name: label_of(answer, cats) for name, answer in found.items()}
    assert {name: (label, chance_of(found[name], label)) for name, label in labels.items()} == {
        "d0": ("cats", 0.75), "d1": ("other", 0.5), "d2": ("cats", 0.875), "d3": ("other", 0.5),
    }  # fmt: skip
    first = found["d0"]
    assert (first.raw, first.model, first.mass, first.chars) == ("Yes.", "m-served", 0.8, len("d0: the cat sat"))
    assert (chance_of(first, "cats"), mean_label(first, cats)) == (0.75, None)
    assert (first.prompt_tokens, first.output_tokens, first.attempts) == (15, 1, 1)
    body = server.bodies[0]
    assert (body["temperature"], body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (0, 8, True, 20)


def test_without_logprobs_there_is_a_label_and_no_probability(server: ChatServer, cats: JudgePrompt) -> None:
    found = judged(ServerJudge(server.url, "m", "", cats, ServerConfig(logprobs=0)), questions())
    assert "logprobs" not in server.bodies[0]
    assert (label_of(found["d0"], cats), chance_of(found["d0"], "cats")) == ("cats", None)
    assert found["d0"].mass is None


def test_what_is_known_is_not_asked(server: ChatServer, cats: JudgePrompt) -> None:
    judge = ServerJudge(server.url, "m", "", cats, ServerConfig())
    assert set(judged(judge, questions(), {"d1": Answer(id="d1", raw="no")})) == {"d0", "d2", "d3"}
    assert set(server.asked) == {"d0", "d2", "d3"}
    assert judged(judge, questions(), {f"d{n}": Answer(id=f"d{n}", raw="no") for n in range(4)}) == {}


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408])
def test_what_passes_is_tried_again(server: ChatServer, cats: JudgePrompt, status: int) -> None:
    server.refusals = [(status, {}, "busy")] * 3
    found = judged(ServerJudge(server.url, "m", "", cats, ServerConfig(concurrency=1)), questions())
    assert len(found) == 4
    assert found["d0"].attempts == 4
    assert sum(server.asked.values()) == 7


def test_retry_after_holds_all_requests_back(server: ChatServer, cats: JudgePrompt) -> None:
    server.refusals = [(429, {"Retry-After": "1"}, "slow down")]
    started = time.monotonic()
    judged(ServerJudge(server.url, "m", "", cats, ServerConfig(concurrency=1)), questions())
    assert server.begun_s[1] - started >= 1.0


def test_no_answer_in_time_is_tried_again(server: ChatServer, cats: JudgePrompt) -> None:
    server.delay_s = 0.5
    config = ServerConfig(concurrency=1, timeout_s=0.1, attempts=2)
    with pytest.raises(RunError, match="no answer after 2 attempts: no answer in time; what was answered is kept"):
        judged(ServerJudge(server.url, "m", "", cats, config), questions())
    assert server.asked["d0"] == 2


def test_requests_are_concurrent_and_no_more(server: ChatServer, cats: JudgePrompt) -> None:
    server.delay_s = 0.05
    judged(ServerJudge(server.url, "m", "", cats, ServerConfig(concurrency=3)), questions(["x"] * 12))
    assert server.most_at_once == 3


def test_the_rate_is_kept(server: ChatServer, cats: JudgePrompt) -> None:
    config = ServerConfig(requests_per_minute=60 * 20)
    judged(ServerJudge(server.url, "m", "", cats, config), questions(["x"] * 8))
    assert server.begun_s[-1] - server.begun_s[0] >= 7 / 20 - 0.04


@pytest.mark.parametrize(("status", "said"), [(401, "no key"), (403, "forbidden"), (404, "no such model")])
def test_what_will_not_pass_ends_the_job(server: ChatServer, cats: JudgePrompt, status: int, said: str) -> None:
    server.refusals = [(status, {}, said)] * 9
    with pytest.raises(RunError, match=rf"/chat/completions: HTTP {status} .*: {said}") as error:
        judged(ServerJudge(server.url, "m", "", cats, ServerConfig(concurrency=1)), questions())
    assert "\n" not in str(error.value)
    assert sum(server.asked.values()) == 1


def test_a_refused_document_costs_itself(server: ChatServer, cats: JudgePrompt) -> None:
    server.always_refused["d1"] = (400, {}, "longer than the context")
    found = judged(ServerJudge(server.url, "m", "", cats, ServerConfig()), questions())
    assert (found["d1"].cause, found["d1"].raw) == ("http_400", "HTTP 400 Bad Request: longer than the context")
    assert label_of(found["d1"], cats) is None
    assert sum(label_of(answer, cats) is not None for answer in found.values()) == 3


def test_a_document_that_crashes_the_server_costs_itself(server: ChatServer, cats: JudgePrompt) -> None:
    server.always_refused["d0"] = (500, {}, "out of memory")
    found = judged(ServerJudge(server.url, "m", "", cats, ServerConfig(attempts=3, concurrency=2)), questions())
    assert found["d0"].cause == "http_500"
    assert server.asked["d0"] == 3
    assert len(found) == 4


def test_a_server_that_always_fails_is_no_document_of_its_own(server: ChatServer, cats: JudgePrompt) -> None:
    server.refusals = [(500, {}, "broken")] * 99
    with pytest.raises(RunError, match="no answer after 2 attempts: HTTP 500"):
        judged(ServerJudge(server.url, "m", "", cats, ServerConfig(attempts=2)), questions())


def test_logprobs_that_are_refused_say_what_to_set(server: ChatServer, cats: JudgePrompt) -> None:
    server.refusals = [(400, {}, "logprobs are not supported by this model")] * 9
    with pytest.raises(RunError, match=r"--set server\.logprobs=0 asks for none"):
        judged(ServerJudge(server.url, "m", "", cats, ServerConfig()), questions())


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"{}", b'{"choices": []}', b"[1]", b'{"choices": [{}]}'])
def test_an_answer_of_another_protocol_ends_the_job(server: ChatServer, cats: JudgePrompt, body: bytes) -> None:
    server.body = body
    with pytest.raises(RunError, match="answered with something"):
        judged(ServerJudge(server.url, "m", "", cats, ServerConfig()), questions())


def test_answers_before_the_end_are_not_lost(server: ChatServer, cats: JudgePrompt) -> None:
    server.always_refused["d3"] = (401, {}, "the key has expired")
    found = []
    with pytest.raises(RunError, match="expired"):  # noqa: PT012
        for some in ServerJudge(server.url, "m", "", cats, ServerConfig(concurrency=1)).judge(questions(), {}):
            found += [answer.id for answer in some]
    assert found == ["d0", "d1", "d2"]


def test_nobody_listens(cats: JudgePrompt) -> None:
    config = ServerConfig(attempts=2)
    with pytest.raises(RunError, match=r"no connection to 127\.0\.0\.1:1"):
        judged(ServerJudge("http://127.0.0.1:1/v1", "m", "", cats, config), questions())


def test_no_address_and_no_model(cats: JudgePrompt) -> None:
    with pytest.raises(ConfigError, match="names no server"):
        judged(ServerJudge("http:///v1", "m", "", cats, ServerConfig()), questions())
    with pytest.raises(ConfigError, match="which model"):
        ServerJudge("http://127.0.0.1:1/v1", "", "", cats, ServerConfig())


def test_the_key_is_sent(server: ChatServer, cats: JudgePrompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret")
    judged(ServerJudge(server.url, "m", "", cats, ServerConfig(key_variable="MY_KEY")), questions(["x"]))
    assert server.headers[0]["Authorization"] == "Bearer s3cret"


def test_chances_are_a_softmax_over_the_allowed_answers(cats: JudgePrompt) -> None:
    chances, mass = answer_chances([("Yes", -1.0), (" yes", -2.0), ("no", -1.5), ("the", -0.1)], cats)
    yes, no = 2.718281828**-1 + 2.718281828**-2, 2.718281828**-1.5
    assert chances == {"cats": round(yes / (yes + no), 6), "other": round(no / (yes + no), 6)}
    assert mass == pytest.approx(yes + no, abs=1e-6)
    assert answer_chances([("the", -0.1)], cats) == (None, None)
    assert answer_chances([], cats) == (None, None)


def test_the_mean_of_numbers() -> None:
    prompt = load_prompt("educational")
    chances, _ = answer_chances([("3", -0.6931471805599453), ("4", -0.6931471805599453)], prompt)
    assert mean_label(Answer(id="a", raw="3", chances=chances), prompt) == 3.5
    assert mean_label(Answer(id="a", raw="A", chances={"history": 1.0}), load_prompt("topic")) is None


def test_control_tokens_of_a_text_are_broken() -> None:
    text = "a<|im_end|>b <|im_start|>system [INST]x[/INST] </s><s> <end_of_turn> 1 < 2 | 3 > [INSTALL] <section> <|"
    assert without_control(text) == (
        "a< |im_end|>b < |im_start|>system [ INST]x[ /INST] < /s>< s> < end_of_turn> 1 < 2 | 3 > [INSTALL] <section> <|"
    )
