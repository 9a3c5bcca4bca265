"""`winnow export`: curated text, tokens and the tokenizer in the formats that others read."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipelines.commands.arguments.options import AsJson, RunDir, RunOption, absolute, existing, print_json
from pipelines.export.export import FORMATS, Exported, ExportOptions, check_options, export
from pipelines.export.text import ROWS, WEIGHT
from schemas.errors import ConfigError
from storage.network.hub import is_hub


def export_command(
    directory: RunDir = None,
    output: RunOption = None,
    to: Annotated[str, typer.Option("--to", help="New folder, or hf://datasets/OWNER/NAME, that is written.")] = "",
    kind: Annotated[str, typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}.")] = "parquet",
    copies: Annotated[
        str,
        typer.Option(help="Text: a document that the mix takes several times is several `rows`, or has a `weight`."),
    ] = ROWS,
    columns: Annotated[
        str, typer.Option(help="Text: columns of the documents, with commas between; default: all there are.")
    ] = "",
    file_tokens: Annotated[
        int, typer.Option(min=0, help="Tokens of a file, at most; 0: 200 million of text, 1,000 million as tokens.")
    ] = 0,
    run: Annotated[
        int | None, typer.Option("--run", help="One run of a dataset: 0 is the first, 1 runs/000001; default: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the documents that are in the shards, or their tokens, in a format that others read."""
    if not to:
        raise ConfigError("export where? give a new folder with --to")
    if copies not in (ROWS, WEIGHT):
        raise ConfigError(f"--copies {copies}: not allowed; expected {ROWS} or {WEIGHT}")
    chosen = tuple(dict.fromkeys(filter(None, map(str.strip, columns.split(",")))))
    options = ExportOptions(kind=kind, copies=copies, columns=chosen, file_tokens=file_tokens, run=run)
    check_options(options)
    target = to.rstrip("/") if is_hub(to) else absolute(to)
    dataset = existing(directory, output)
    if f"{dataset.path}/".startswith(f"{target}/") or f"{target}/".startswith(f"{dataset.path}/"):
        raise ConfigError(f"{target}: lies in the run's folder, or that in it; give a folder elsewhere")
    exported = export(dataset, target, options, _tell)
    if as_json:
        print_json({**vars(exported), "format": kind})
    else:
        typer.echo(_told(exported))


def _tell(done: int, files: int) -> None:
    """Show on a terminal how far the export is."""
    if sys.stderr.isatty():
        typer.echo(f"\rfile {done + 1} of {files}", err=True, nl=done + 1 == files)


def _told(exported: Exported) -> str:
    names = ("documents", "copies", "rows", "tokens")
    counts = ", ".join(f"{exported.counts[name]:,} {name}" for name in names if name in exported.counts)
    state = "" if exported.is_new else " (there already)"
    size = f"{exported.files:,} files, {exported.size_bytes / 1e6:,.1f} MB"
    return f"{exported.path}: {', '.join(filter(None, (counts, size)))}{state}"
