"""A judge behind a server that speaks OpenAI's protocol: vLLM, llama.cpp, SGLang, a paid service.

Requests go out concurrently and no faster than the rate allows. An answer 429 or 5xx, a broken connection and a
time-out are tried again after a doubled pause, or the one that Retry-After names; then the others wait as long. A
refusal that is the document's own (400, 413, 422: too long, filtered) is an answer without a label, and so is a 500 or
a time-out each time while other documents are answered. Any other refusal (401, 403, 404) ends the job. Where the
server gives log-probabilities, the probability of an answer is the softmax over the allowed answers among the
likeliest first tokens.

Control tokens in a text (`<|im_end|>`, `[INST]`) get a space, because a server may read them in what it is sent: a page
must not end its own quotation.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from classifiers.teacher.judges.judge import DIGITS, Answer, Question
from classifiers.teacher.judges.settings import ServerConfig
from classifiers.teacher.prompt import JudgePrompt
from schemas.errors import ConfigError, InputError, RunError
from storage.network.remote import LONGEST_PAUSE_S, PAUSE_S, FinalAnswerError, StatusError
from storage.network.web_post import RefusedError, json_session, post_json

OWN_REFUSALS = (400, 413, 422)  # of a document: too long, or filtered
_CONTROL = re.compile(r"<(?=\|[^|<>\n]{1,60}\|>|/?s>|(?:start|end)_of_turn>|bos>|eos>)|\[(?=/?INST\]|/?SYS\])")


@dataclass
class _Pace:
    """When the next request may begin: the rate, and a pause that a server asked all of us for."""

    gap_s: float
    next_s: float = 0.0  # time.monotonic()

    async def wait(self) -> None:
        while True:
            now = time.monotonic()
            if now >= self.next_s:
                self.next_s = max(now, self.next_s) + self.gap_s
                return
            await asyncio.sleep(self.next_s - now)

    def pause(self, seconds: float) -> None:
        self.next_s = max(self.next_s, time.monotonic() + seconds)


@dataclass
class _Work:
    """What is shared by the requests of a job."""

    waiting: deque[Question]
    pace: _Pace
    n_answered: int = 0
    answered: asyncio.Queue[Answer | BaseException | None] = field(default_factory=asyncio.Queue)


class ServerJudge:
    """A model that a server runs; `address` is its base, as `http://localhost:8000/v1`."""

    def __init__(self, address: str, model: str, revision: str, prompt: JudgePrompt, config: ServerConfig) -> None:
        if not model:
            raise ConfigError(f"--server {address}: which model? give its name there with --model")
        self.model, self.revision = model, revision
        self._address = f"{address.rstrip('/')}/chat/completions"
        self._prompt, self._config = prompt, config
        self._pause_s = PAUSE_S

    def judge(self, questions: Sequence[Question], known: Mapping[str, Answer]) -> Iterator[list[Answer]]:
        """Yield answers as they come. RunError when the server cannot be used or does not answer any more."""
        waiting = deque(question for question in questions if question.id not in known)
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            work = _Work(
                waiting, _Pace(60 / self._config.requests_per_minute if self._config.requests_per_minute else 0)
            )
            everything = loop.create_task(self._run(work))
            try:
                while (answers := loop.run_until_complete(_next(work.answered))) is not None:
                    yield answers
            finally:
                everything.cancel()
                loop.run_until_complete(asyncio.gather(everything, return_exceptions=True))

    async def _run(self, work: _Work) -> None:
        key = os.environ.get(self._config.key_variable, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        n = min(self._config.concurrency, max(1, len(work.waiting)))
        try:
            async with json_session(headers, n) as session, asyncio.TaskGroup() as group:
                for _ in range(n):
                    group.create_task(self._worker(session, work))
        except BaseExceptionGroup as errors:
            work.answered.put_nowait(errors.exceptions[0])
        else:
            work.answered.put_nowait(None)

    async def _worker(self, session: aiohttp.ClientSession, work: _Work) -> None:
        while work.waiting:
            work.answered.put_nowait(await self._ask(session, work.waiting.popleft(), work))

    async def _ask(self, session: aiohttp.ClientSession, question: Question, work: _Work) -> Answer:
        body, n_before = self._body(question.text), work.n_answered
        for attempt in range(1, self._config.attempts + 1):
            await work.pace.wait()
            started = time.monotonic()
            try:
                plain = await post_json(session, self._address, body, self._config.timeout_s)
                answer = self._read(question, plain)
            except InputError as error:
                raise ConfigError(f"--server {self._address}: {error}") from None
            except OSError as error:  # TimeoutError is one
                refused = self._refusal(question, error, attempt, work.n_answered > n_before)
                if refused is not None:
                    return refused
                asked_s = min(getattr(error, "retry_after_s", 0.0), LONGEST_PAUSE_S)
                pause_s = max(asked_s, min(self._pause_s * 2 ** (attempt - 1), LONGEST_PAUSE_S))
                if isinstance(error, StatusError) and (error.status == 429 or asked_s):
                    work.pace.pause(pause_s)
                else:
                    await asyncio.sleep(pause_s)
            else:
                work.n_answered += 1
                seconds = round(time.monotonic() - started, 4)
                return Answer(**{**answer, "seconds": seconds, "attempts": attempt})
        raise AssertionError("unreachable")

    def _refusal(self, question: Question, error: OSError, attempt: int, others: bool) -> Answer | None:
        """Return the answer that a refusal of this document is; None when it is to be asked about again.

        `others` says whether other documents were answered meanwhile. RunError when the server refuses every document,
        or does not answer any more.
        """
        said = " ".join(str(error).split()) or "no answer in time"
        status = error.status if isinstance(error, StatusError) else 0
        is_own = status in OWN_REFUSALS and not _is_about_logprobs(error)
        is_last = attempt == self._config.attempts
        if is_own or (is_last and others and (status == 500 or isinstance(error, TimeoutError))):
            cause = f"http_{status}" if status else "no_answer_in_time"
            return Answer(id=question.id, raw=said, cause=cause, model=self.model, attempts=attempt)
        if isinstance(error, FinalAnswerError) or (isinstance(error, StatusError) and error.is_final):
            hint = "; --set server.logprobs=0 asks for none" if _is_about_logprobs(error) else ""
            raise RunError(f"{self._address}: {said}{hint}")
        if is_last:
            raise RunError(
                f"{self._address}: no answer after {attempt} attempts: {said}; what was answered is kept, run the same"
                f" command again"
            )
        return None

    def _body(self, text: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model, "messages": self._prompt.messages(without_control(text)), "temperature": 0,
            "max_tokens": self._config.max_output_tokens, "stream": False,
        }  # fmt: skip
        if self._config.logprobs:
            body |= {"logprobs": True, "top_logprobs": self._config.logprobs}
        return body

    def _read(self, question: Question, plain: Any) -> dict[str, Any]:
        """Return the fields of an answer. FinalAnswerError when it is not of the protocol."""
        try:
            choice = plain["choices"][0]
            raw = choice["message"].get("content") or ""
            usage = plain.get("usage") or {}
            chances, mass = answer_chances(_first_tokens(choice), self._prompt)
            return {
                "id": question.id, "raw": str(raw), "chances": chances, "mass": mass, "chars": len(question.text),
                "model": str(plain.get("model") or self.model),
                "prompt_tokens": int(usage.get("prompt_tokens") or 0),
                "output_tokens": int(usage.get("completion_tokens") or 0),
            }  # fmt: skip
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            raise FinalAnswerError(f"answered with something else than a chat completion ({error!r})") from None


async def _next(answered: asyncio.Queue[Answer | BaseException | None]) -> list[Answer] | None:
    """Return what was answered since the last time, at least one; None at the end. Raises what ended the job."""
    found = [await answered.get()]
    while not answered.empty():
        found.append(answered.get_nowait())
    answers = [one for one in found if isinstance(one, Answer)]
    if answers:
        for one in found:
            if not isinstance(one, Answer):
                answered.put_nowait(one)  # the end comes after the answers before it
        return answers
    if isinstance(found[0], BaseException):
        raise found[0]
    return None


def without_control(text: str) -> str:
    """Return a text in which nothing is a control token of a known chat template."""
    return _CONTROL.sub(lambda found: f"{found[0]} ", text)


def answer_chances(
    tokens: Sequence[tuple[str, float]], prompt: JudgePrompt
) -> tuple[dict[str, float] | None, float | None]:
    """Return the softmax over the allowed answers, by label, and their whole probability.

    `tokens` are the likeliest first tokens with their log-probabilities. An answer that is none of them has 0. (None,
    None) where no token is an allowed answer.
    """
    sums = dict.fromkeys(prompt.labels, 0.0)
    for token, logprob in tokens:
        label = prompt.label_of(token)
        if label is not None:
            sums[label] += math.exp(logprob)
    mass = sum(sums.values())
    if not mass > 0:
        return None, None
    return {label: round(chance / mass, DIGITS) for label, chance in sums.items()}, round(min(mass, 1.0), DIGITS)


def _first_tokens(choice: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return the likeliest tokens of the first place that is not white space; none where the server tells none."""
    places = (choice.get("logprobs") or {}).get("content") or []
    place = next((one for one in places if str(one.get("token", "")).strip()), None)
    if place is None:
        return []
    return [(str(one["token"]), float(one["logprob"])) for one in place.get("top_logprobs") or [place]]


def _is_about_logprobs(error: OSError) -> bool:
    return isinstance(error, RefusedError) and error.status in OWN_REFUSALS and "logprob" in error.said
