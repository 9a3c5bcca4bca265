"""`winnow label`: a teacher judges a sample of documents, and a table of labels is written."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

import storage
from pipelines.commands.arguments.options import AsJson, Changes, absolute, existing_at, nested, print_json
from pipelines.commands.look import OneRun
from schemas.errors import ConfigError
from schemas.settings import overlay
from storage.listing.inputs import expand


def label_config() -> Any:
    """Return the defaults of `label`."""
    from pipelines.labelling.settings import LabelConfig

    return LabelConfig()


def label_command(
    directory: Annotated[str | None, typer.Argument(help="Folder of a finished run.")] = None,
    tables: Annotated[
        list[str] | None, typer.Option("--input", "-i", help="Tables of texts (JSONL, Parquet) instead of a run.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="New local folder for the labels.")] = "",
    prompt: Annotated[
        str,
        typer.Option(
            "--prompt", "-p", help="quality, educational, mathematics, stem, code, topic, format; or a YAML file."
        ),
    ] = "quality",
    model: Annotated[
        str, typer.Option("--model", "-m", help="Folder or GGUF file of the teacher; with --server its name there.")
    ] = "",
    server: Annotated[str, typer.Option(help="Base of an OpenAI-compatible server: http://localhost:8000/v1.")] = "",
    revision: Annotated[str, typer.Option(help="With --server: what tells this state of the model from another.")] = "",
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Documents that are judged.")] = 300,
    stage: Annotated[str, typer.Option(help="Stage of the run whose texts are judged; default: the last.")] = "",
    text_column: Annotated[str, typer.Option(help="Column of the text in tables.")] = "text",
    run: OneRun = None,
    changes: Changes = None,
    as_json: AsJson = False,
) -> None:
    """Let a teacher judge a sample of documents: a table of labels that students are trained on."""
    from classifiers.teacher.prompt import load_prompt
    from pipelines.labelling.documents import Documents, StageDocuments, TableDocuments
    from pipelines.labelling.job import LabelJob, label, spent

    if not to:
        raise ConfigError("labels where? give a new folder with --to")
    target = absolute(to)
    if not storage.is_local(target):
        raise ConfigError(f"--to {to}: answers are put on record one by one, which needs a local folder")
    if bool(directory) == bool(tables):
        raise ConfigError("label what? give the folder of a run, or tables with --input")
    config = overlay(label_config(), nested(changes))
    documents: Documents
    if directory:
        documents = StageDocuments.of(existing_at(directory), stage, run)
        _check_score(documents, config.sample.score)
    else:
        if stage or run is not None:
            raise ConfigError("--stage and --run go with the folder of a run, not with --input")
        paths = [path for name in tables or () for path in expand([storage.with_home(name)])]
        documents = TableDocuments(tuple(paths), text_column)
    asked = load_prompt(prompt)
    judge, asked_with = _judge(model, server, revision, asked, config)
    job = LabelJob(
        documents=documents, prompt=asked, judge=judge, count=count, sample=config.sample, asked_with=asked_with
    )
    manifest, is_new = label(job, target, _tell)
    used = spent(target)
    used["cost"] = config.server.cost(int(used["prompt_tokens"]), int(used["output_tokens"]))
    if as_json:
        print_json({**manifest, "path": target, "is_new": is_new, "spent": used})
    else:
        typer.echo(_told(target, manifest, used, is_new))


def _check_score(documents: Any, score: str) -> None:
    """Raise ConfigError for a score that was asked for and that no document has."""
    from classifiers.teacher.sample import SampleConfig

    if score and score != SampleConfig().score and not documents.has_score(score):
        raise ConfigError(f"sample.score: no document has the measure {score!r}; expected STEP.MEASURE")


def _judge(model: str, server: str, revision: str, prompt: Any, config: Any) -> tuple[Any, dict[str, Any]]:
    """Return who judges, and the settings that may change an answer."""
    if server:
        from classifiers.teacher.judges.server import ServerJudge

        asked_with = {
            "server": True, "max_output_tokens": config.server.max_output_tokens, "logprobs": config.server.logprobs
        }  # fmt: skip
        return ServerJudge(server, model, revision, prompt, config.server), asked_with
    if not model:
        raise ConfigError("who judges? give a model's folder or GGUF file with --model, or a --server and its --model")
    if revision:
        raise ConfigError("--revision goes with --server; a model of this machine has the hash of its files")
    from classifiers.teacher.judges.llama import LlamaJudge

    judge = LlamaJudge(model, prompt, config.llama)
    return judge, {"server": False, "dtype": judge.dtype}


def _tell(done: int, of: int) -> None:
    """Show on a terminal how far the job is."""
    if sys.stderr.isatty():
        typer.echo(f"\rjudged {done:,} of {of:,}", err=True, nl=done == of)


def _told(path: str, manifest: dict[str, Any], used: dict[str, float], is_new: bool) -> str:
    counts = manifest["counts"]
    labels = ", ".join(f"{label} {n:,}" for label, n in counts["by_label"].items())
    without = "".join(f", {n:,} {cause}" for cause, n in counts["unlabelled"].items())
    cost = f", cost {used['cost']:,.2f}" if used["cost"] else ""
    return (
        f"{path}: {counts['labelled']:,} labelled ({labels}){without}{'' if is_new else ' (there already)'}\n"
        f"{used['prompt_tokens']:,.0f} tokens read, {used['output_tokens']:,.0f} written{cost},"
        f" {used['seconds']:,.1f} s of judging"
    )
