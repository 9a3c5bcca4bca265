"""The command line: `winnow run | plan | ledger | show | config | train-classifier | demo-web`.

Errors that we raise on purpose are one line on stderr and exit code 1; wrong usage is exit code 2.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines import common_crawl, ledger, show
from pipelines.engine import Engine
from pipelines.folder import RunFolder
from pipelines.lock import locked
from pipelines.progress import Progress
from pipelines.runner import VERSION, describe_inputs, plan, refuse_foreign_inputs, run
from schemas import storage
from schemas.errors import ConfigError, RunError, WinnowError
from schemas.inputs import expand
from schemas.settings import merge, overlay, read_yaml, to_commented_yaml, to_plain

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
STOPPED, TERMINATED = 130, 143  # exit codes of Ctrl-C and SIGTERM, as a shell gives them
GO_ON = "winnow: stopped; run the same command again to go on"
_MANY = ("--input", "-i")  # options that take every path up to the next option

Inputs = Annotated[list[str], typer.Option("--input", "-i", help="Files, globs, URLs or @lists of them.")]
Output = Annotated[str, typer.Option("--output", "-o", help="Folder of the run.")]
ConfigFile = Annotated[list[Path] | None, typer.Option("--config", "-c", help="YAML laid over the defaults.")]
Changes = Annotated[list[str] | None, typer.Option("--set", help="One setting, as lines.max_copies=6.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
RunDir = Annotated[str | None, typer.Argument(help="Folder of a run.")]
RunOption = Annotated[str | None, typer.Option("--output", "-o", help="The same, as an option.")]


@app.command("run")
def run_command(
    context: typer.Context, inputs: Inputs, output: Output, config: ConfigFile = None, changes: Changes = None
) -> None:
    """Curate archives into token shards. Beam's own options follow after `--`."""
    console = Console(stderr=False, soft_wrap=True)
    settings = _settings(config, changes)
    recipe = common_crawl.recipe(settings)
    archives = describe_inputs(expand(inputs))
    folder = RunFolder(_absolute(output))
    engine = Engine(context.obj or [], _log_path(folder))
    started = time.monotonic()
    with locked(folder.path):
        folder.open(recipe.name, VERSION, [stage.name for stage in recipe.stages])
        refuse_foreign_inputs(recipe, archives, folder)
        storage.write_atomic(f"{folder.path}/config.yaml", to_commented_yaml(settings).encode())
        with Progress(console) as progress:
            run(recipe, archives, folder, engine, progress)
    console.print(ledger.draw(ledger.ledger(folder)))
    console.print(f"{folder.path}: done in {time.monotonic() - started:.1f} s", highlight=False)


@app.command("plan")
def plan_command(
    inputs: Inputs, output: Output, config: ConfigFile = None, changes: Changes = None, as_json: AsJson = False
) -> None:
    """Say what `run` would do: inputs, stages, and why a stage is or is not redone."""
    recipe = common_crawl.recipe(_settings(config, changes))
    archives = describe_inputs(expand(inputs))
    folder = RunFolder(_absolute(output))
    folder.check_usable(recipe.name, VERSION)
    refuse_foreign_inputs(recipe, archives, folder)
    planned = plan(recipe, archives, folder)
    plain = {
        "inputs": [{"path": entry["path"], "size": entry["size"]} for entry in archives],
        "stages": [
            {"name": step.stage.name, "run": not step.skip, "why": step.why, "key": step.key} for step in planned
        ],
    }
    if as_json:
        _print_json(plain)
        return
    console = Console(soft_wrap=True)
    for entry in archives[:20]:
        console.print(f"{entry['size']:>15,} bytes  {escape(entry['path'])}", highlight=False)
    if len(archives) > 20:
        console.print(f"... and {len(archives) - 20:,} more", highlight=False)
    console.print(f"{sum(entry['size'] for entry in archives):>15,} bytes in {len(archives):,} inputs", highlight=False)
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "", "why"):
        table.add_column(name)
    for step in planned:
        table.add_row(step.stage.name, "skip" if step.skip else "run", step.why)
    console.print(table)


@app.command("ledger")
def ledger_command(directory: RunDir = None, output: RunOption = None, as_json: AsJson = False) -> None:
    """Show what became of every record, stage by stage."""
    folder = _existing(directory, output)
    book = ledger.ledger(folder)
    if as_json:
        _print_json(book)
    else:
        Console(soft_wrap=True).print(ledger.draw(book))


@app.command("show")
def show_command(
    directory: RunDir = None,
    output: RunOption = None,
    table: Annotated[
        str, typer.Option(help="documents, rejected or failed; default: what the other options ask for.")
    ] = "",
    stage: Annotated[
        str, typer.Option(help="Stage whose table is read; default: the last one for documents, all else.")
    ] = "",
    record_id: Annotated[str, typer.Option("--id", help="Id of a document or record, or how it begins.")] = "",
    reason: Annotated[str, typer.Option(help="Reason of a rejection or cause of a failure.")] = "",
    language: Annotated[str, typer.Option(help="Language code.")] = "",
    url: Annotated[str, typer.Option(help="Part of the address.")] = "",
    sample: Annotated[
        int, typer.Option("--random", help="Show this many, drawn at random by a hash of id and seed.")
    ] = 0,
    seed: Annotated[str, typer.Option(help="Another seed draws another sample.")] = "0",
    limit: Annotated[int, typer.Option(help="Show at most this many; 0 means all.")] = 10,
    chars: Annotated[int, typer.Option(help="Cut texts after this many characters; 0 means whole.")] = 600,
    token: Annotated[str, typer.Option(help="SHARD:ROW:POSITION: where a training token comes from.")] = "",
    as_json: AsJson = False,
) -> None:
    """Look at documents, rejected and failed records, or walk back from a training token."""
    folder = _existing(directory, output)
    chain = folder.committed()
    if token:
        found = [show.trace_token(chain, token)]
    else:
        query = show.Query(
            table=table, stage=stage, record_id=record_id, reason=reason, language=language, url=url, sample=sample,
            seed=seed, limit=limit,
        )  # fmt: skip
        found = show.find(chain, query)
    if as_json:
        _print_json(found)
    else:
        Console(soft_wrap=True).print(show.draw(found, chars))


@app.command("config")
def config_command(config: ConfigFile = None, changes: Changes = None) -> None:
    """Print every setting with its meaning, limits and value, as YAML."""
    typer.echo(to_commented_yaml(_settings(config, changes)), nl=False)


@app.command("train-classifier")
def train_command(
    table: Annotated[str, typer.Option("--input", "-i", help="Labelled texts: JSONL, CSV, TSV or Parquet.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")],
    changes: Changes = None,
    pin: Annotated[Path | None, typer.Option(help="Write a YAML config that pins the model for `run`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train the fastText quality classifier; prints the SHA-256 that the config pins."""
    from classifiers.train_fasttext import TrainConfig, train_classifier

    report = train_classifier(Path(table), output, overlay(TrainConfig(), _nested(changes)))
    plain = to_plain(report)
    if pin is not None:
        pinned = {"quality": {"model_path": str(output.absolute()), "model_sha256": report.sha256}}
        pin.write_text(yaml.safe_dump(pinned, sort_keys=False), encoding="utf-8")
    if as_json:
        _print_json(plain)
    else:
        best = report.at_suggested
        typer.echo(f"{output}: sha256 {report.sha256}")
        if report.at_suggested is not None:
            best = report.at_suggested
            typer.echo(f"held out, at score >= {best.threshold:.3f}: precision {best.precision}, recall {best.recall}")
        typer.echo(f"the whole report is in {output}.json")


@app.command("demo-web")
def demo_web_command(output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")]) -> None:
    """Write the small web with known truth that the demo and the tests run on."""
    from pipelines.demo import make_web
    from pipelines.demo.config import write_config

    truth = make_web(output)
    write_config(output)
    typer.echo(f"{output}: {len(truth.records):,} records")


def _settings(files: list[Path] | None, changes: list[str] | None) -> common_crawl.CommonCrawlConfig:
    merged: dict[str, Any] = {}
    for file in files or []:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: cannot be read: {error}") from None
        merged = merge(merged, read_yaml(text, str(file)))
    return overlay(common_crawl.CommonCrawlConfig(), merge(merged, _nested(changes)))


def _nested(changes: list[str] | None) -> dict[str, Any]:
    """Return `--set a.b=1 --set a.c=2` as a nested mapping."""
    merged: dict[str, Any] = {}
    for change in changes or []:
        path, equals, value = change.partition("=")
        if not equals:
            raise ConfigError(f"--set {change}: expected KEY=VALUE")
        try:
            nested: Any = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"--set {change}: the value is not valid YAML") from None
        for name in reversed(path.split(".")):
            nested = {name: nested}
        merged = merge(merged, nested)
    return merged


def _existing(directory: str | None, output: str | None) -> RunFolder:
    chosen = directory or output
    if chosen is None:
        raise RunError("which run? give its folder")
    folder = RunFolder(_absolute(chosen))
    folder.check(common_crawl.NAME, VERSION)
    return folder


def _absolute(path: str) -> str:
    if path.startswith(("http://", "https://")):
        raise RunError(f"{path}: a web server cannot be written to; give a local folder, gs:// or s3://")
    return str(Path(path).absolute()) if storage.is_local(path) else path.rstrip("/")


def _log_path(folder: RunFolder) -> Path:
    name = time.strftime("beam-%Y%m%d-%H%M%S.log", time.gmtime())
    if storage.is_local(folder.path):
        return Path(folder.path) / "logs" / name
    return Path(tempfile.gettempdir()) / "winnow-logs" / name


def _print_json(plain: Any) -> None:
    typer.echo(json.dumps(plain, indent=1, ensure_ascii=False, default=str))


def spread(argv: list[str]) -> list[str]:
    """Let `--input A B C` stand for `--input A --input B --input C`, as a shell's glob gives it."""
    result: list[str] = []
    option = ""
    for n, word in enumerate(argv):
        if word == "--":
            return result + argv[n:]
        if word.startswith("-") and word != "-":
            name, equals, _ = word.partition("=")
            option = name if name in _MANY else ""
            if equals or not option:
                result.append(word)
        elif option:
            result += [option, word]
        else:
            result.append(word)
    return result


def split_beam(argv: list[str]) -> tuple[list[str], list[str]]:
    """Part what follows `--` on a `run` line, which is Beam's, from ours, where a stray word is refused, not lost."""
    if argv[:1] != ["run"] or "--" not in argv:
        return argv, []
    place = argv.index("--")
    return argv[:place], argv[place + 1 :]


class _TerminatedError(BaseException):
    """SIGTERM; no library's `except Exception` takes it for an error of its own."""


def _stop(signum: int, frame: object) -> None:
    raise _TerminatedError


def main(argv: list[str] | None = None) -> None:
    """Entry point of the `winnow` command."""
    arguments, beam_args = split_beam(spread(sys.argv[1:] if argv is None else argv))
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = app(arguments, prog_name="winnow", standalone_mode=False, obj=beam_args)
        if code == STOPPED:  # how typer tells of Ctrl-C
            typer.echo(GO_ON, err=True)
    except WinnowError as error:
        typer.echo(f"winnow: {error}", err=True)
        raise SystemExit(1) from None
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(GO_ON, err=True)
        raise SystemExit(STOPPED) from None
    except _TerminatedError:
        typer.echo(GO_ON, err=True)
        raise SystemExit(TERMINATED) from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise SystemExit(141) from None
        typer.echo(f"winnow: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        raise SystemExit(1) from None
    except typer.TyperException as error:
        text = error.format_message()
        typer.echo(text if text.startswith("Usage: ") else f"winnow: {text}", err=True)
        raise SystemExit(error.exit_code) from None
    raise SystemExit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
