"""`winnow lists` and `winnow lists fetch`: public lists for the rules that need some."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

import storage
from pipelines.commands.arguments.options import AsJson, print_json
from pipelines.lists.catalogue import CATALOGUE, PublicList, find_lists
from pipelines.lists.fetch import FetchedList, fetch, is_intact, read_records, write_settings
from pipelines.reports.drawing import counted
from schemas.errors import ConfigError

DIRECTORY = "lists"
Folder = Annotated[str, typer.Option("--output", "-o", help="Folder of the lists.")]

lists_app = typer.Typer(rich_markup_mode=None)


@lists_app.callback(invoke_without_command=True)
def lists_command(context: typer.Context, output: Folder = DIRECTORY, as_json: AsJson = False) -> None:
    """Show the public lists there are, and which of them lie in a folder; `fetch` brings them."""
    if context.invoked_subcommand is not None:
        if output != DIRECTORY or as_json:
            raise typer.BadParameter("give the options of `fetch` after it")
        return
    folder = _local(output)
    records = read_records(folder)
    if as_json:
        print_json([_plain(entry, records.get(entry.name), folder) for entry in CATALOGUE])
        return
    for entry in CATALOGUE:
        typer.echo(_described(entry, records.get(entry.name), folder))


@lists_app.command("fetch")
def fetch_command(
    names: Annotated[list[str] | None, typer.Argument(help="Lists, as `winnow lists` names them.")] = None,
    output: Folder = DIRECTORY,
    origin: Annotated[
        str, typer.Option("--from", help="Take the one list named from this file, folder or address instead.")
    ] = "",
    sha256: Annotated[str, typer.Option("--sha256", help="What the SHA-256 of --from must be.")] = "",
    at: Annotated[
        str, typer.Option(help="Where workers find the folder, for the config: gs:// or s3://, where you copy it to.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Fetch public lists and write a config that names them: `winnow run --config DIR/lists.yaml`."""
    folder, entries = _local(output), find_lists(names)
    if origin and len(names or []) != 1:
        raise ConfigError("--from: of which list? name one of them")
    if sha256 and not origin:
        raise ConfigError("--sha256: it goes with --from; what is fetched without it is pinned")
    for entry in entries:
        record, new = fetch(entry, folder, origin, sha256)
        settings = write_settings(folder, at)  # after each: the next may fail
        if as_json:
            print_json({**dataclasses.asdict(record), "new": new})
        else:
            typer.echo(_told(record, new, folder))
    if not as_json:
        typer.echo(f"use it: winnow run --config {settings}")


def _local(output: str) -> Path:
    if not storage.is_local(output):
        raise ConfigError(f"{output}: lists are fetched into a local folder; copy it there, and fetch with --at")
    return storage.local_path(storage.with_home(output))


def _told(record: FetchedList, new: bool, folder: Path) -> str:
    whose = "as pinned" if record.pinned else "not pinned"
    state = "" if new else " (there already)"
    return (
        f"{record.name}: {counted(record.lines, 'line')} in {folder / record.name}{state}, "
        f"from {record.origin}, SHA-256 {record.sha256}, {whose}"
    )


def _state(record: FetchedList | None, folder: Path) -> str:
    if record is None:
        return "not fetched"
    if not is_intact(record, folder):
        return "changed or incomplete: fetch it again"
    return "as pinned" if record.pinned else f"from {record.origin}, SHA-256 {record.sha256}"


def _described(entry: PublicList, record: FetchedList | None, folder: Path) -> str:
    size = f"{entry.size_bytes / 1e6:.1f} MB" if entry.size_bytes >= 1e6 else f"{entry.size_bytes / 1e3:.0f} kB"
    lines = (
        f"{entry.name:<10} {entry.what}; for {entry.setting}",
        f"provenance {entry.provenance}; {entry.licence}",
        f"size       {size} to fetch, {entry.lines:,} lines",
        f"SHA-256    {entry.file.sha256}",
        f"{folder / entry.name}: {_state(record, folder)}",
    )
    return "\n  ".join(lines)


def _plain(entry: PublicList, record: FetchedList | None, folder: Path) -> dict[str, Any]:
    return {
        **{name: getattr(entry, name) for name in ("name", "what", "provenance", "licence", "setting", "by_default")},
        "file": entry.file.name,
        "url": entry.file.url,
        "sha256": entry.file.sha256,
        "size_bytes": entry.size_bytes,
        "lines": entry.lines,
        "state": _state(record, folder),
    }
