"""A judge in this process: a causal language model (Llama's architecture) through transformers.

Nothing is generated: the model reads prompt and text once, and the answer is the softmax over the tokens with which
the allowed answers begin. What is the same for every text, the chat up to the text, is computed once, and its keys and
values are shared by all batches. Texts of like length share a batch, padded behind; as no token sees what follows it,
padding changes nothing but the rounding of sums, and probabilities are stored to six digits.

The text is tokenized by itself and without control tokens: a page that holds `<|im_end|>` cannot end its own quotation.
A text that would not fit the model's window is cut at a token, and the label table holds what was judged.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils import logging

from classifiers.teacher.judges.judge import DIGITS, Answer, Question
from classifiers.teacher.judges.settings import LlamaConfig
from classifiers.teacher.prompt import JudgePrompt
from schemas.errors import ConfigError
from schemas.identity import content_id
from storage.pinned_files import file_sha256

_TEXT = "\x1eTEXT\x1e"  # no template writes a record separator
GGUF = ".gguf"
# Padding as a share of a batch: one long text behind ten short ones doubles the work. A CPU gains little by batches.
_MAX_PADDING, _MAX_PADDING_CPU = 0.2, 0.05


class _Row(NamedTuple):
    """A question as tokens."""

    id: str
    tokens: list[int]  # of the text, cut to the window
    chars: int


class LlamaJudge:
    """A model of a local folder of Hugging Face's layout, or a GGUF file."""

    def __init__(self, path: str, prompt: JudgePrompt, config: LlamaConfig) -> None:
        """The model is loaded when it is first asked. ConfigError when there are no files."""
        self._place = Path(path).expanduser()
        self._prompt, self._config = prompt, config
        self.model = self._place.name
        self.revision = _revision(self._place)
        self._device = _device(config.device)
        self._is_open = False

    @property
    def dtype(self) -> str:
        """The type of the weights and of all that is computed, which may change the last digits of a probability."""
        if self._config.dtype != "auto":
            return self._config.dtype
        return "float32" if self._device.type == "cpu" else "bfloat16"

    def _open(self) -> None:
        if self._config.threads:
            torch.set_num_threads(self._config.threads)
        self._tokenizer, self._model = _load(self._place, getattr(torch, self.dtype))
        self._model.to(self._device).eval()
        before, after = self._chat()
        self._before = self._encode(before)
        answers, lead = answer_tokens(self._encode, self._prompt.answers)
        self._after = [*self._encode(after), *lead]
        self._answers = [torch.tensor(ids, device=self._device) for ids in answers]
        self._window = int(getattr(self._model.config, "max_position_embeddings", 0) or 1 << 30)
        if self._room < 1:
            raise ConfigError(
                f"model {self._place}: prompt {self._prompt.name} has {len(self._before) + len(self._after)} tokens,"
                f" which leave no room for a text in its window of {self._window}"
            )
        self._shared: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._is_open = True

    @property
    def _room(self) -> int:
        return self._window - len(self._before) - len(self._after)

    def judge(self, questions: Sequence[Question], known: Mapping[str, Answer]) -> Iterator[list[Answer]]:
        """Yield the answers batch by batch. Batches are cut over all questions, known or not, so that an interrupted
        job gives the same numbers as one that was not."""
        if all(question.id in known for question in questions):
            return
        if not self._is_open:
            self._open()
        rows = sorted((self._row(one) for one in questions), key=lambda row: (len(row.tokens), row.id))
        for batch in self._batches(rows):
            if any(row.id not in known for row in batch):
                yield [answer for answer in self._ask(batch) if answer.id not in known]

    def _row(self, question: Question) -> _Row:
        found = self._tokenizer(
            question.text, add_special_tokens=False, return_offsets_mapping=True, split_special_tokens=True
        )
        tokens, offsets = found["input_ids"], found["offset_mapping"]
        if len(tokens) <= self._room:
            return _Row(question.id, tokens, len(question.text))
        end = self._room
        while end > 0 and offsets[end][0] < offsets[end - 1][1]:  # a character of several tokens is not cut
            end -= 1
        return _Row(question.id, tokens[:end], offsets[end - 1][1] if end else 0)

    def _batches(self, rows: Sequence[_Row]) -> Iterator[list[_Row]]:
        """Yield rows that are sorted by length in batches, the last of each the longest."""
        batch: list[_Row] = []
        own = 0  # tokens of the batch without padding
        most = _MAX_PADDING_CPU if self._device.type == "cpu" else _MAX_PADDING
        for row in rows:
            width = len(row.tokens) + len(self._after)
            padded = width * (len(batch) + 1)
            is_full = len(batch) >= self._config.batch_rows or padded > self._config.batch_tokens
            if batch and (is_full or padded > (own + width) / (1 - most)):
                yield batch
                batch, own = [], 0
            batch.append(row)
            own += width
        if batch:
            yield batch

    @torch.inference_mode()
    def _ask(self, batch: Sequence[_Row]) -> list[Answer]:
        started = time.perf_counter()
        width = len(batch[-1].tokens) + len(self._after)
        rows = [[*row.tokens, *self._after] for row in batch]
        padded = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=self._device)
        hidden = self._model.get_decoder()(
            input_ids=padded, past_key_values=self._cache(len(batch)), use_cache=True
        ).last_hidden_state
        last = torch.tensor([len(row) - 1 for row in rows], device=self._device)
        logits = self._model.get_output_embeddings()(hidden[torch.arange(len(rows), device=self._device), last])
        chances = torch.log_softmax(logits.double(), dim=-1)
        by_answer = torch.stack([chances[:, ids].logsumexp(dim=-1) for ids in self._answers], dim=1)
        mass, shares = by_answer.exp().sum(dim=1).tolist(), torch.softmax(by_answer, dim=1).tolist()
        seconds = (time.perf_counter() - started) / len(batch)
        return [
            self._answer(row, some, all_of_them, seconds)
            for row, some, all_of_them in zip(batch, shares, mass, strict=True)
        ]

    def _answer(self, row: _Row, shares: Sequence[float], mass: float, seconds: float) -> Answer:
        rounded = [round(share, DIGITS) for share in shares]
        best = max(range(len(rounded)), key=lambda n: (rounded[n], -n))  # of equal ones the first of the prompt
        return Answer(
            id=row.id, raw=self._prompt.answers[best], chances=dict(zip(self._prompt.labels, rounded, strict=True)),
            mass=round(mass, DIGITS), chars=row.chars, model=self.model, seconds=round(seconds, 4),
            prompt_tokens=len(self._before) + len(row.tokens) + len(self._after),
        )  # fmt: skip

    def _cache(self, rows: int) -> DynamicCache:
        """Return the keys and values of what comes before every text, for so many rows."""
        if not self._shared:
            before = torch.tensor([self._before], device=self._device)
            found = self._model.get_decoder()(input_ids=before, use_cache=True).past_key_values
            self._shared = [(layer.keys, layer.values) for layer in found.layers]
        cache = DynamicCache()
        for n, (keys, values) in enumerate(self._shared):
            cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), n)
        return cache

    def _chat(self) -> tuple[str, str]:
        """Return the chat before and after a text, up to where the answer begins."""
        messages = self._prompt.messages(_TEXT)
        if self._tokenizer.chat_template is None:  # a base model goes on writing
            whole = "\n\n".join([*(message["content"] for message in messages), "Answer:"])
            whole = f"{self._tokenizer.bos_token or ''}{whole}"
        else:
            whole = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        before, found, after = whole.partition(_TEXT)
        if not found or not before:
            raise ConfigError(f"model {self.model}: its chat template does not repeat what the user says")
        return before, after

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids


def answer_tokens(encode: Any, answers: Sequence[str]) -> tuple[list[list[int]], list[int]]:
    """Return the tokens that each answer may begin with, and the tokens that all of them begin with.

    An answer counts in any case and after a space, as far as a spelling is one token. Where no spelling is one token it
    is the first that tells it from the others. ConfigError where none does.
    """
    plain = [encode(answer) for answer in answers]
    lead = 0  # SentencePiece writes every number as a space and a digit
    while all(len(ids) > lead + 1 for ids in plain) and len({ids[lead] for ids in plain}) == 1:
        lead += 1
    found = []
    for answer, ids in zip(answers, plain, strict=True):
        cases = {answer} if len(answer) == 1 else {answer, answer.capitalize(), answer.upper()}
        spelled = [encode(f"{space}{case}") for space in ("", " ") for case in sorted(cases)] if not lead else []
        found.append(sorted({some[0] for some in spelled if len(some) == 1} or {ids[lead]}))
    taken = [token for ids in found for token in ids]
    for answer, ids in zip(answers, found, strict=True):
        if any(taken.count(token) > 1 for token in ids):
            raise ConfigError(f"the answer {answer!r} begins with the same token as another one in this model's tokens")
    return found, plain[0][:lead]


def _device(name: str) -> torch.device:
    """Return a device. ConfigError when there is none of this name, or no GPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"llama.device: {name!r} is not allowed; expected auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"llama.device: {name!r} is not allowed; PyTorch finds no GPU here")
    return device


def _load(place: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    """Return tokenizer and model of a folder or a GGUF file. Raises ConfigError."""
    folder, gguf = (place.parent, {"gguf_file": place.name}) if place.suffix == GGUF else (place, {})
    was_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, **gguf)
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=dtype, **gguf)
    except ImportError as error:
        hint = "; GGUF needs: pip install gguf accelerate" if gguf else ""
        raise ConfigError(f"model {place}: {' '.join(str(error).split())[:200]}{hint}") from None
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"model {place}: cannot be loaded: {' '.join(str(error).split())[:300]}") from None
    finally:
        if was_on:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    if not tokenizer.is_fast:
        raise ConfigError(f"model {place}: has no tokenizer.json, so the place of a token in a text is not known")
    return tokenizer, model


def _revision(place: Path) -> str:
    """Return a hash of a model's files. Raises ConfigError where there are none."""
    try:
        if place.is_file():
            return file_sha256(place)
        files = sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
        if not files:
            raise ConfigError(f"model {place}: the folder has no files")
        return content_id(*(part for path in files for part in (path.name, file_sha256(path))))
    except OSError as error:
        raise ConfigError(f"model {place}: cannot be read: {error.strerror}") from None
