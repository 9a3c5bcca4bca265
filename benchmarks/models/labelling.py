"""CPU seconds of a judge of this machine beside a plain transformers loop: the same model, prompts, texts and answers.

    .venv/bin/python -m benchmarks.models.labelling MODEL --input TABLE [--prompt topic] [--texts 16] [--repeats 3]

The loop is what one writes first: the chat template around each text, one forward pass, the softmax over the tokens of
the answers. The difference of the probabilities is printed, too; medians of CPU seconds, one thread.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.machine import facts
from classifiers.teacher.judges.judge import Question
from classifiers.teacher.judges.llama import LlamaJudge, answer_tokens
from classifiers.teacher.judges.settings import LlamaConfig
from classifiers.teacher.prompt import JudgePrompt, load_prompt
from pipelines.labelling.documents import TableDocuments

MAX_CHARS = 4000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--input", required=True, help="JSONL or Parquet with a column `text`")
    arguments.add_argument("--prompt", default="topic")
    arguments.add_argument("--texts", type=int, default=16)
    arguments.add_argument("--repeats", type=int, default=3)
    chosen = arguments.parse_args()
    torch.set_num_threads(1)
    prompt = load_prompt(chosen.prompt)
    documents = TableDocuments((chosen.input,))
    rows = documents.rows(list(documents.candidates(""))[: chosen.texts])
    texts = [row["text"][:MAX_CHARS] for row in rows]
    judge = LlamaJudge(str(chosen.model), prompt, LlamaConfig(threads=1))
    loop = PlainLoop(chosen.model, prompt)
    ways: dict[str, Callable[[], list[list[float]]]] = {
        "judge": lambda: judged(judge, texts, prompt), "plain loop": lambda: [loop.ask(text) for text in texts],
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found = {name: way() for name, way in ways.items()}  # the model is loaded, the prefix computed
    for _ in range(chosen.repeats):
        for name, way in ways.items():
            started = time.process_time()
            way()
            seconds[name].append(time.process_time() - started)
    differences = [
        abs(x - y) for a, b in zip(*found.values(), strict=True) for x, y in zip(a, b, strict=True)
    ]  # fmt: skip
    medians = {name: round(statistics.median(some) / len(texts), 3) for name, some in seconds.items()}
    for name, median in medians.items():
        print(f"{name:<12} {median:8.3f} CPU s a text")
    print(f"ratio {medians['plain loop'] / medians['judge']:.2f}, largest difference {max(differences):.1e}")
    print(json.dumps({
        **facts(), "model": chosen.model.name, "prompt": prompt.name, "texts": len(texts), "cpu_s_a_text": medians,
        "largest_difference": max(differences),
    }))  # fmt: skip


def judged(judge: LlamaJudge, texts: Sequence[str], prompt: JudgePrompt) -> list[list[float]]:
    """Return the probability of each label for each text."""
    questions = [Question(f"{n:06d}", text) for n, text in enumerate(texts)]
    answers = {answer.id: answer for some in judge.judge(questions, {}) for answer in some}
    return [[(answers[one.id].chances or {})[label] for label in prompt.labels] for one in questions]


class PlainLoop:
    """One forward pass over the whole chat of each text."""

    def __init__(self, folder: Path, prompt: JudgePrompt) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self._prompt = prompt
        self._answers, _ = answer_tokens(
            lambda text: self._tokenizer(text, add_special_tokens=False)["input_ids"], prompt.answers
        )

    @torch.inference_mode()
    def ask(self, text: str) -> list[float]:
        chat = self._tokenizer.apply_chat_template(
            self._prompt.messages(text), add_generation_prompt=True, return_tensors="pt"
        )
        logits = self._model(chat["input_ids"], logits_to_keep=1).logits[0, -1].double()
        sums = torch.stack([logits[ids].logsumexp(dim=0) for ids in self._answers])
        found: list[float] = torch.softmax(sums, dim=0).tolist()
        return found


if __name__ == "__main__":
    main()
