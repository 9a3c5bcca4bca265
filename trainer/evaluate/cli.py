"""The commands that evaluate a model: `winnow-train eval | sample | plot`."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from schemas.errors import ConfigError

RunDir = Annotated[Path, typer.Argument(help="Folder of a run.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
TokenizerFile = Annotated[str, typer.Option("--tokenizer", help="tokenizer.json of the shards.")]


def eval_command(
    directory: RunDir,
    task: Annotated[list[Path] | None, typer.Option("--task", help="Multiple-choice task, a YAML file.")] = None,
    held_out: Annotated[list[str] | None, typer.Option("--held-out", help="Folder of shards.")] = None,
    length: Annotated[int, typer.Option(min=0, help="Tokens of a sequence; 0: the recipe's longest.")] = 0,
    data: Annotated[list[str] | None, typer.Option("--data", help="Where the run's shards are now.")] = None,
    tokenizer: TokenizerFile = "",
    as_json: AsJson = False,
) -> None:
    """Measure the newest model of a run: perplexity by source, needles found, tasks."""
    from trainer.evaluate.measure import measure

    recipe, folder = _recipe(directory, tokenizer), directory
    evaluation = dataclasses.replace(
        recipe.evaluation,
        tasks=(*recipe.evaluation.tasks, *map(str, task or ())),
    )
    recipe = dataclasses.replace(recipe, evaluation=evaluation, data=tuple(data) if data else recipe.data)
    found = measure(folder, recipe, length or recipe.unit, held_out or ())
    if as_json:
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
    elif found:
        for line in _lines(found):
            typer.echo(line)


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['model']}, sequences of {found['length']:,} tokens"]
    for source, loss in found["loss"].items():
        bits = found["bits_per_byte"].get(source)
        more = "" if bits is None else f", {bits:.4f} bits a byte"
        lines.append(f"{source}: perplexity {math.exp(loss):,.1f} ({loss:.4f} nats a token{more})")
    if found["needle"] is not None:
        lines.append(f"needles found: {found['needle']:.0%}")
    for name, scores in found["tasks"].items():
        lines.append(
            f"{name}: acc {scores['acc']:.1%}, acc_norm {scores['acc_norm']:.1%}, acc_bytes {scores['acc_bytes']:.1%},"
            f" {scores['nll_per_char']:.3f} nats a character, {scores['questions']:,} questions"
        )
        lines += [f"{name}, {domain}: acc {acc:.1%}" for domain, acc in scores["domains"].items()]
    if found["core"] is not None:
        lines.append(f"mean of {len(found['tasks'])} tasks, centered: {found['core']:.3f}")
    return lines


def sample_command(
    directory: RunDir,
    prompt: Annotated[list[str] | None, typer.Option("--prompt", help="Beginning of a text.")] = None,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens of a text at most.")] = 60,
    count: Annotated[int, typer.Option(min=1, help="Texts for each prompt.")] = 3,
    temperature: Annotated[float, typer.Option(min=0.0, help="0: always the likeliest token.")] = 0.7,
    seed: Annotated[int, typer.Option(help="Another seed, other texts.")] = 0,
    tokenizer: TokenizerFile = "",
) -> None:
    """Sample a few lines from the newest model of a run."""
    from transformers import LlamaForCausalLM

    from trainer.evaluate.finished import newest_stage, run_tokenizer
    from trainer.evaluate.sample import sample
    from trainer.evaluate.words import open_words
    from trainer.model.export import quietly

    recipe = _recipe(directory, tokenizer)
    facts = run_tokenizer(directory, recipe)
    words = open_words(recipe, facts, directory)
    with quietly():
        model = LlamaForCausalLM.from_pretrained(newest_stage(directory, causal=True) / "model")
    for text in prompt or [""]:
        start = [facts.bos_id, *words.encode(text)]
        for n in range(count):
            drawn = sample(model, start, tokens, temperature, facts.eos_id, recipe.unit, f"{seed}:{text}:{n}")
            typer.echo("> " + " ".join(words.decode([*start, *drawn]).split()))


def plot_command(directory: RunDir) -> None:
    """Draw loss and learning rate of a run into its curves.png."""
    from trainer.commands.curves import draw_curves

    Console(soft_wrap=True).print(f"{draw_curves(directory)}", highlight=False)


def _recipe(directory: Path, tokenizer: str) -> Any:
    from trainer.evaluate.finished import read_saved_recipe

    recipe = read_saved_recipe(directory)
    if tokenizer and not Path(tokenizer).exists():
        raise ConfigError(f"--tokenizer: {tokenizer} does not exist")
    evaluation = dataclasses.replace(recipe.evaluation, tokenizer=tokenizer or recipe.evaluation.tokenizer)
    return dataclasses.replace(recipe, evaluation=evaluation)
