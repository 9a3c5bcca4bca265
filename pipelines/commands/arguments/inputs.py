"""What `--input` names becomes the files of each source; what names none is one line that says what may be meant."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

import storage
from pipelines.runs.dataset import SourceFile
from pipelines.runs.graph import Recipe
from schemas.errors import ConfigError, InputError
from storage.listing.inputs import Unreadable, expand
from storage.listing.own_output import is_hidden

_ONE_SLASH = re.compile(r"\w+:/[^/]")
_SHOWN = 200  # characters of an input in a message: the line of a list may be a whole document


def inputs_of(
    given: Sequence[str], recipe: Recipe, unreadable: Unreadable | None = None, output: str = ""
) -> list[SourceFile]:
    """Return the files of each source: `NAME=PATH`, or `PATH` alone where the recipe has one source.

    A source that is not named has no files in this run. Raises ConfigError for a path of which the source is not clear,
    InputError for one that cannot be read, unless `unreadable` takes it, and for one that holds `output` or lies in it.
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
    found = []
    for name, some in paths.items():
        leaves_out = getattr(recipe.sources[name], "leaves_out", is_hidden)
        files = {file for path in some for file in _expanded(path, list(paths), unreadable, output, leaves_out)}
        found += [SourceFile(name, file) for file in sorted(files)]
    return found


def refuse_outputs(files: Sequence[SourceFile]) -> None:
    """Raise InputError when a run would read what another run has written."""
    for file in files:
        if posixpath.basename(file.path) == "winnow.json":
            folder = posixpath.dirname(file.path)
            raise InputError(f"{folder}: is the output of a run, not a corpus (it has winnow.json); name its files")


def _expanded(
    item: str, sources: Sequence[str], unreadable: Unreadable | None, output: str, leaves_out: Callable[[str], bool]
) -> list[str]:
    """Return the files of one input. InputError, with what may have been meant, when there are none."""
    listing = item.startswith("@")
    path = f"@{storage.with_home(item[1:])}" if listing else storage.with_home(item)
    try:
        return expand([path], "", unreadable, output, leaves_out)
    except (InputError, OSError) as error:
        if isinstance(error, OSError) and is_network_error(error):
            raise _unreachable(item, error) from None
        said = str(error) if isinstance(error, InputError) else f"{error.filename}: {error.strerror}"
        said = said if len(said) <= 2 * _SHOWN else f"{said[:_SHOWN]} ... {said[-_SHOWN:]}"
        if listing and not said.startswith(path[1:]):
            hint = "; a file of data is given without @" if said.startswith(("{", "[", '"')) else ""
            raise InputError(f"{item}: a line of this list: {said}{hint}") from None
        raise InputError(f"{said}{_hint(path, sources)}") from None
    except Exception as error:
        if not is_network_error(error):
            raise
        raise _unreachable(item, error) from None


def _unreachable(item: str, error: Exception) -> InputError:
    return InputError(f"{item}: cannot be read: {' '.join(str(error).split())}; is there a network?")


def _hint(path: str, sources: Sequence[str]) -> str:
    """Return what may have been meant by a path where there is nothing."""
    name, equals, _ = path.partition("=")
    if storage.is_web(path):
        return ""
    if _ONE_SLASH.match(path):
        return f"; did you mean {path.replace(':/', '://', 1)}?"
    if equals and name.isidentifier():
        return f"; a source is named before `=`, and there is {', '.join(sources)}"
    if "," in path:
        return "; several inputs have blanks between them, not commas"
    return ""


def is_network_error(error: BaseException) -> bool:
    """Return whether an error is that of a library which asked a server, and none of ours."""
    return type(error).__module__.partition(".")[0].rstrip("0123456789") in _NETWORK


_NETWORK = frozenset({"httpx", "httpcore", "requests", "urllib3", "aiohttp", "huggingface_hub", "botocore", "google"})
