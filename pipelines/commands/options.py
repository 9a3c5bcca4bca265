"""What several commands take: options, settings, folders; and JSON for programs."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console, RenderableType

import storage
from pipelines.recipes.find import DEFAULT, RecipeMaker, find_recipe
from pipelines.runs.dataset import FORMER_ADDRESS, Dataset, SourceFile
from pipelines.runs.folder import RunFolder
from pipelines.runs.graph import Recipe
from pipelines.runs.plan import VERSION
from schemas.errors import ConfigError, RunError
from schemas.settings import merge, overlay
from schemas.settings_yaml import read_yaml
from storage.hub import is_hub
from storage.inputs import SKIP, Unreadable, expand

PRESET = "preset:"
INPUT_HELP = "[SOURCE=] files, globs, URLs, @lists of them, or a crawl: cc:latest, cc:CC-MAIN-2026-43, cc:latest/wet."
RecipeOption = Annotated[
    str | None,
    typer.Option("--recipe", "-r", help="A name of `winnow recipes`, or module:function; default: the folder's own."),
]
Inputs = Annotated[list[str], typer.Option("--input", "-i", help=INPUT_HELP)]
Output = Annotated[str, typer.Option("--output", "-o", help="Folder of the run.")]
ConfigFile = Annotated[
    list[Path] | None, typer.Option("--config", "-c", help="YAML laid over the defaults; or preset:NAME.")
]
Changes = Annotated[list[str] | None, typer.Option("--set", help="One setting, as lines.max_copies=6.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
RunDir = Annotated[
    str | None, typer.Argument(help="Folder of a run; FOLDER@former is the result that its last rerun replaced.")
]
RunOption = Annotated[str | None, typer.Option("--output", "-o", help="The same, as an option.")]
New = Annotated[
    bool, typer.Option("--new", help="Only inputs that no run of the folder has read, as a run of their own.")
]
SkipUnreadable = Annotated[
    bool, typer.Option(SKIP, help="Leave inputs out that cannot be read; the run records each with its cause.")
]
MaxInputs = Annotated[int | None, typer.Option("--max-inputs", min=1, help="With --new: at most so many, in order.")]


def maker_of(recipe: str | None, folder: str | None = None) -> RecipeMaker:
    """Return the recipe that a command names, else the one that made the folder, else the default."""
    made = RunFolder(folder).recipe() if folder and storage.exists(f"{folder}/winnow.json") else None
    return find_recipe(recipe or made or DEFAULT)


def settings_of(maker: RecipeMaker, files: list[Path] | None, changes: list[str] | None) -> Any:
    """Return the settings that files and `--set` make of a recipe's defaults. Raises ConfigError."""
    merged: dict[str, Any] = {}
    for given in files or []:
        name = str(given)
        file = maker.preset(name.removeprefix(PRESET)) if name.startswith(PRESET) else given
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: cannot be read: {error}") from None
        merged = merge(merged, read_yaml(text, str(file)))
    return overlay(maker.settings(), merge(merged, nested(changes)))


def inputs_of(
    given: Sequence[str], recipe: Recipe, unreadable: Unreadable | None = None, output: str = ""
) -> list[SourceFile]:
    """Return the files of each source: `NAME=PATH`, or `PATH` alone where the recipe has one source.

    A source that is not named has no files in this run. Raises ConfigError for a path of which the source is not
    clear, and what `expand` raises, which `unreadable` and `output` are for.
    """
    paths: dict[str, list[str]] = {name: [] for name in recipe.sources}
    for item in given:
        name, equals, path = item.partition("=")
        if equals and name in paths:
            paths[name].append(path)
        elif len(paths) == 1:
            next(iter(paths.values())).append(item)
        else:
            raise ConfigError(f"--input {item}: whose? give NAME=PATH; the recipe's sources are {', '.join(paths)}")
    return [
        SourceFile(name, path) for name, some in paths.items() if some for path in expand(some, "", unreadable, output)
    ]


def nested(changes: list[str] | None) -> dict[str, Any]:
    """Return `--set a.b=1 --set a.c=2` as a nested mapping."""
    merged: dict[str, Any] = {}
    for change in changes or []:
        path, equals, value = change.partition("=")
        if not equals:
            raise ConfigError(f"--set {change}: expected KEY=VALUE")
        try:
            within: Any = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"--set {change}: the value is not valid YAML") from None
        for name in reversed(path.split(".")):
            within = {name: within}
        merged = merge(merged, within)
    return merged


def existing(directory: str | None, output: str | None) -> Dataset:
    """Return the dataset that a command is to look at. Raises RunError when there is none."""
    chosen = directory or output
    if chosen is None:
        raise RunError("which run? give its folder")
    return existing_at(chosen)


def existing_at(path: str) -> Dataset:
    """Return the dataset in a folder, or the former result of FOLDER@former. Raises RunError when there is none."""
    base = path.removesuffix(FORMER_ADDRESS)
    is_former = base != path and not storage.exists(f"{absolute(path)}/winnow.json")
    dataset = Dataset(absolute(base if is_former else path), is_former)
    dataset.check(None, VERSION)
    return dataset


def absolute(path: str) -> str:
    """Return the path of an output folder, without a slash at its end. Raises RunError for a web address."""
    if storage.is_web(path):
        raise RunError(f"{path}: a web server cannot be written to; give a local folder, gs:// or s3://")
    if is_hub(path):
        raise RunError(f"{path}: cannot be a run's folder, as each file would be a commit; winnow export writes there")
    return str(Path(path).absolute()) if storage.is_local(path) else path.rstrip("/")


def log_path(folder: str) -> Path:
    """Return where Beam's log of a command goes."""
    name = time.strftime("beam-%Y%m%d-%H%M%S.log", time.gmtime())
    if storage.is_local(folder):
        return Path(folder) / "logs" / name
    return Path(tempfile.gettempdir()) / "winnow-logs" / name


def print_json(plain: Any) -> None:
    """Print `plain` for programs."""
    typer.echo(json.dumps(plain, indent=1, ensure_ascii=False, default=str))


def print_report(plain: Any, draw: Callable[[], RenderableType], *, as_json: bool) -> None:
    """Print a report: its plain data for programs, or what `draw` makes of it for a person."""
    if as_json:
        print_json(plain)
    else:
        Console(soft_wrap=True, highlight=False).print(draw())
