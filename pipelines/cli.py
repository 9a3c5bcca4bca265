"""The command line: `winnow run | plan | ledger | show | compare | whatif | export | config | lists | ...`.

What the commands do is in pipelines/commands. Errors that we raise on purpose are one line on stderr. Exit codes: 0
done, or nothing new; 1 a named error; 2 wrong usage; 3 another run holds the folder; 4 the run kept nothing;
130 and 143 stopped; 141 broken pipe (stdout was closed).
"""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from pipelines.commands.agreement import agreement_command
from pipelines.commands.compare import compare_command
from pipelines.commands.demo_web import demo_web_command
from pipelines.commands.endings.ending import BROKEN_PIPE, TerminatedError, exit_of
from pipelines.commands.evaluate import evaluate_command, evaluate_config
from pipelines.commands.export import export_command
from pipelines.commands.label import label_command, label_config
from pipelines.commands.lists import lists_app
from pipelines.commands.look import config_command, drop_former_command, ledger_command, recipes_command, show_command
from pipelines.commands.run import plan_command, run_command
from pipelines.commands.train import (
    classifier_config,
    command_of,
    perplexity_config,
    train_command,
    train_perplexity_command,
    transformer_config,
)
from pipelines.commands.tune import tune_command
from pipelines.commands.whatif import whatif_command
from pipelines.engines.beam_options import take_beams
from pipelines.reports.outcome import GO_ON, STOPPED
from pipelines.runs.plan import VERSION

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"winnow {VERSION}")
        raise typer.Exit


@app.callback()
def winnow(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """From raw crawls to the tokens a large language model is trained on."""


_TRAIN = command_of(classifier_config, transformer_config, titles=("", " of --kind transformer"))

app.command("run")(run_command)
app.command("plan")(plan_command)
app.command("ledger")(ledger_command)
app.command("show")(show_command)
app.command("compare")(compare_command)
app.command("whatif")(whatif_command)
app.command("tune")(tune_command)
app.command("export")(export_command)
app.command("drop-former")(drop_former_command)
app.command("config")(config_command)
app.command("recipes")(recipes_command)
app.add_typer(lists_app, name="lists")
app.command("train-classifier", cls=_TRAIN)(train_command)
app.command("evaluate-classifier", cls=command_of(evaluate_config))(evaluate_command)
app.command("train-perplexity", cls=command_of(perplexity_config))(train_perplexity_command)
app.command("label", cls=command_of(label_config))(label_command)
app.command("agreement")(agreement_command)
app.command("demo-web")(demo_web_command)

_MANY = ("--input", "-i")  # options that take every path up to the next option


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
    """Split `run` arguments into Winnow's and Beam's: options that only Beam knows, and all that follows `--`.

    A word that is neither is refused, not lost.
    """
    if argv[:1] != ["run"]:
        return argv, []
    place = argv.index("--") if "--" in argv else len(argv)
    ours, beams = take_beams(argv[:place], _options("run"))
    return ours, [*beams, *argv[place + 1 :]]


def _options(command: str) -> set[str]:
    """Return the names of a command's options."""
    group = typer.main.get_group(app)
    return {name for option in group.commands[command].params for name in option.opts} | {"--help"}


def _stop(signum: int, frame: object) -> None:
    raise TerminatedError


def main(argv: list[str] | None = None) -> None:
    """Entry point of the `winnow` command."""
    arguments, beam_args = split_beam(spread(sys.argv[1:] if argv is None else argv))
    signal.signal(signal.SIGTERM, _stop)
    ended: tuple[int, str] | None = None
    try:
        code = app(arguments, prog_name="winnow", standalone_mode=False, obj=beam_args)
        if code == STOPPED:  # how typer tells of Ctrl-C
            typer.echo(f"winnow: {GO_ON}", err=True)
    except BaseException as error:
        ended = exit_of(error)
        if ended is None:
            raise
    # Not within `except`: the error's frames hold open readers, whose threads must not outlive the interpreter.
    if ended is not None:
        code, text = ended
        if code != BROKEN_PIPE:
            typer.echo(text if text.startswith("Usage: ") else f"winnow: {text}", err=True)
    raise SystemExit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
