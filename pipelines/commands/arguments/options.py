"""What several commands take: options, settings, folders; and JSON for programs."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import storage
from pipelines.recipes.find import DEFAULT, RecipeMaker, find_recipe
from pipelines.runs.dataset import FORMER_ADDRESS, Dataset
from pipelines.runs.folder import RunFolder
from pipelines.runs.plan import VERSION
from schemas.errors import ConfigError, InputError, RunError
from schemas.settings import merge, overlay
from schemas.settings_yaml import read_value, read_yaml
from storage.listing.inputs import SKIP
from storage.network.hub import is_hub

PRESET = "preset:"
STORES = ("gs", "gcs", "s3", "s3a", "memory")  # that a run can be in
INPUT_HELP = "[SOURCE=] files, globs, URLs, @lists of them, or a crawl: cc:latest, cc:CC-MAIN-2026-43, cc:latest/wet."
RecipeOption = Annotated[
    str | None,
    typer.Option("--recipe", "-r", help="A name of `winnow recipes`, or module:function; default: the folder's own."),
]
Inputs = Annotated[list[str], typer.Option("--input", "-i", help=INPUT_HELP)]
Output = Annotated[str, typer.Option("--output", "-o", help="Folder of the run.")]
ConfigFile = Annotated[
    list[str] | None, typer.Option("--config", "-c", help="YAML laid over the defaults; or preset:NAME.")
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


def settings_of(maker: RecipeMaker, files: Sequence[str | Path] | None, changes: list[str] | None) -> Any:
    """Return the settings that files and `--set` make of a recipe's defaults. Raises ConfigError."""
    merged: dict[str, Any] = {}
    for name in map(str, files or []):
        file = str(maker.preset(name.removeprefix(PRESET))) if name.startswith(PRESET) else name
        merged = merge(merged, read_yaml(_text_of(file, maker), file))
    return overlay(maker.settings(), merge(merged, nested(changes)))


def _text_of(file: str, maker: RecipeMaker) -> str:
    """Return the text of a file of settings, local or remote. Raises ConfigError."""
    try:
        return storage.read_bytes(storage.with_home(file)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: cannot be read: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except InputError as error:
        hint = f"; did you mean {PRESET}{file}?" if file in maker.presets else ""
        raise ConfigError(f"{error}{hint}") from None


def nested(changes: list[str] | None) -> dict[str, Any]:
    """Return `--set a.b=1 --set a.c=2` as a nested mapping."""
    merged: dict[str, Any] = {}
    for change in changes or []:
        path, equals, value = change.partition("=")
        names = [name.strip() for name in path.split(".")]
        if not equals or not all(names):
            raise ConfigError(f"--set {change}: expected KEY=VALUE, as lines.max_copies=6")
        within: Any = read_value(value, f"--set {change}")
        for name in reversed(names):
            within = {name: within}
        merged = merge(merged, within)
    return merged


def existing(directory: str | None, output: str | None) -> Dataset:
    """Return the dataset that a command is to look at. Raises RunError when there is none."""
    chosen = directory or output
    if chosen is None:
        raise ConfigError("which run? give its folder")
    return existing_at(chosen)


def existing_at(path: str) -> Dataset:
    """Return the dataset in a folder, or the former result of FOLDER@former. Raises RunError when there is none."""
    base = path.removesuffix(FORMER_ADDRESS)
    is_former = base != path and not storage.exists(f"{absolute(path)}/winnow.json")
    dataset = Dataset(absolute(base if is_former else path), is_former)
    dataset.check(None, VERSION)
    return dataset


def absolute(path: str) -> str:
    """Return the path of an output folder, without a slash at its end. Raises RunError for what none can be."""
    if not path.strip():
        raise ConfigError("the output folder is empty: expected a path after --output")
    if is_hub(path):
        raise ConfigError(
            f"{path}: cannot be a run's folder, as each file would be a commit; winnow export writes there"
        )
    if not storage.is_local(path):
        protocol = path.partition("://")[0]
        if protocol not in STORES:
            what = "a web server" if storage.is_web(path) else f"{protocol}://"
            raise ConfigError(f"{path}: {what} cannot be written to; give a local folder, gs:// or s3://")
        return path.rstrip("/")
    place = storage.local_path(storage.with_home(path)).absolute()
    if place.exists() and not place.is_dir():
        raise RunError(f"{place}: is a file; expected a folder")
    return str(place)


def log_path(folder: str) -> Path:
    """Return where Beam's log of a command goes."""
    name = time.strftime("beam-%Y%m%d-%H%M%S.log", time.gmtime())
    if storage.is_local(folder):
        return Path(folder) / "logs" / name
    return Path(tempfile.gettempdir()) / "winnow-logs" / name


def print_json(plain: Any) -> None:
    """Print `plain` for programs."""
    typer.echo(json.dumps(plain, indent=1, ensure_ascii=False, default=str))
