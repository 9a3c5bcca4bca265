"""Judge prompts: what a teacher is asked about a text, the answers it may give, and how an answer is read.

A prompt is a YAML file, in `prompts/` or a user's own. Its `digest` covers all that can change an answer; a label table
names prompt, version and digest, so that labels of two wordings are never taken for the same measure.

An answer is read strictly: it must begin with one of the allowed answers, after at most a lead such as "Answer:", and
the sentence must end there. Anything else is malformed: it is counted and kept, never guessed at.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError
from schemas.identity import content_id
from schemas.settings import overlay, setting, to_plain, validate
from schemas.settings_yaml import read_yaml

PROMPTS = Path(__file__).parent / "prompts"
_LABEL = re.compile(r"\S+")
_THOUGHT = re.compile(r"\s*<think>.*?</think>", re.DOTALL)  # of models that reason aloud first
_LEAD = r"(?:(?:the|my|final|main|educational|total)\s+)*(?:answer|score|rating|points|subject|topic|form|format)"
_END = r"(?!\w|[.,]\d|\s*[-–]\s*\d)(?=\s*(?:$|[.,:;!)\]*_\"'’”/。]|[-–—]|\n))"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer that is allowed."""

    answer: str = setting("", "what the teacher writes: a word, a number or a letter")
    label: str = setting("", "what the label table calls it: one word")
    meaning: str = setting("", "definition, shown in the prompt where it says {choices}")


@dataclass(frozen=True, kw_only=True)
class JudgePrompt:
    """What is asked about a text. `{choices}` in `before` and `{answers}` in `after` are filled in from the choices."""

    name: str = setting("", "name of the prompt")
    version: int = setting(1, "version of its wording", ge=1)
    about: str = setting("", "what is judged, in a few words")
    source: str = setting("", "where it comes from")
    system: str = setting("", "system message")
    before: str = setting("", "what comes before the text; the same for every text, so it is computed once")
    after: str = setting("", "what comes after the text")
    choices: tuple[Choice, ...] = setting((), "the allowed answers")
    positive: str = setting("", "label whose probability is the score of a binary prompt; '': none")

    def __post_init__(self) -> None:
        validate(self)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the choices."""
        return tuple(choice.label for choice in self.choices)

    @property
    def answers(self) -> tuple[str, ...]:
        return tuple(choice.answer for choice in self.choices)

    @property
    def is_numeric(self) -> bool:
        """Whether the labels are whole numbers, so that a mean of them means something."""
        return all(label.isdecimal() for label in self.labels)

    @property
    def digest(self) -> str:
        """The hash of all that can change an answer or its label, 32 hex digits."""
        plain = to_plain(self)
        heeded = {name: plain[name] for name in ("system", "before", "after", "choices")}
        return content_id(json.dumps(heeded, sort_keys=True, ensure_ascii=False))

    def around(self) -> tuple[str, str]:
        """Return what the user's message has before and after the text."""
        listed = "\n".join(f"{choice.answer}: {_spoken(choice)}" for choice in self.choices)
        before = self.before.replace("{choices}", listed)
        return before.strip("\n") + "\n", self.after.rstrip().replace("{answers}", _spelled(self.answers))

    def messages(self, text: str) -> list[dict[str, str]]:
        """Return the chat that asks about a text."""
        before, after = self.around()
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": f"{before}{text}{after}"}]

    def parse(self, raw: str) -> str | None:
        """Return the label of a raw answer; None when it is malformed."""
        found = _pattern(self.answers).match(_THOUGHT.sub("", raw, count=1))
        return self.label_of(found["answer"]) if found else None

    def label_of(self, answer: str) -> str | None:
        """Return the label of an answer alone, white space around it ignored; None when it is not allowed."""
        asked = _folded(answer.strip())
        return next((choice.label for choice in self.choices if _folded(choice.answer) == asked), None)


def known_prompts() -> list[str]:
    """Return the names of the prompts that come with Winnow."""
    return sorted(path.stem for path in PROMPTS.glob("*.yaml"))


def load_prompt(name: str) -> JudgePrompt:
    """Return a prompt of ours by its name, or a user's own by the path of its YAML file. Raises ConfigError."""
    path = PROMPTS / f"{name}.yaml" if name in known_prompts() else Path(name).expanduser()
    if path.suffix not in (".yaml", ".yml"):
        raise ConfigError(f"prompt {name}: there is none of this name; known: {', '.join(known_prompts())}, or a .yaml")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"prompt {path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    prompt = overlay(JudgePrompt(name=path.stem), read_yaml(text, str(path)), f"{path}: ")
    _check(prompt, path)
    return prompt


def _check(prompt: JudgePrompt, path: Path) -> None:
    folded = [_folded(answer) for answer in prompt.answers]
    wrong: Sequence[tuple[Any, str]] = (
        (len(prompt.choices) < 2, "choices: two or more are needed"),
        (not all(prompt.answers) or len(set(folded)) < len(folded), "choices: an answer is empty or comes twice"),
        (not all(map(_LABEL.fullmatch, prompt.labels)), "choices: a label must be one word"),
        (len(set(prompt.labels)) < len(prompt.labels), "choices: a label comes twice"),
        (bool(prompt.positive) and prompt.positive not in prompt.labels, "positive: is not one of the labels"),
        (not prompt.before.strip() and not prompt.after.strip(), "before and after: nothing is asked"),
    )
    for is_wrong, message in wrong:
        if is_wrong:
            raise ConfigError(f"prompt {path}: {message}")


def _folded(answer: str) -> str:
    """Return an answer as it is compared: a word in any case, a letter as it is, as `a` begins many sentences."""
    return answer if len(answer) == 1 else answer.casefold()


@functools.lru_cache(maxsize=64)
def _pattern(answers: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(answers, key=len, reverse=True)
    spelled = "|".join(f"(?i:{re.escape(a)})" if len(a) > 1 else re.escape(a) for a in longest_first)
    return re.compile(rf"[\s*_\"'“‘#(\[`]*(?:(?i:{_LEAD})[\s*_]*(?:is|:|=)[\s*_:\"'(\[]*)?(?P<answer>{spelled}){_END}")


def _spoken(choice: Choice) -> str:
    name = choice.label.replace("_", " ")
    return f"{name} ({choice.meaning})" if choice.meaning else name


def _spelled(answers: Sequence[str]) -> str:
    return f"{', '.join(answers[:-1])} or {answers[-1]}"
