"""Winnow as an installed distribution: its name on package indexes, its version, and the line that installs an extra.

The project on package indexes that is called `winnow` is another one. Every message that tells a person to install
something takes its line from `install_line`.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

NAME = "winnow-corpus"
# Top-level modules that only an extra brings, by the extra that a message names.
EXTRA_OF = {
    "gcsfs": "gcp", "google": "gcp", "s3fs": "s3", "huggingface_hub": "hf", "mypyc": "compiled",
    "lightgbm": "train-extractor", "sklearn": "train-extractor", "jinja2": "train", "matplotlib": "train",
    "safetensors": "train", "scipy": "train", "tensorboard": "train", "torch": "train", "transformers": "train",
}  # fmt: skip
_CHECKOUT = Path(__file__).parents[1] / "pyproject.toml"  # of source that runs without having been installed


def install_line(*extras: str) -> str:
    """Return the command that installs Winnow with some of its extras, quoted for a shell."""
    return f"pip install '{NAME}[{','.join(extras)}]'" if extras else f"pip install {NAME}"


def missing_module(error: ImportError) -> str:
    """Return one line on what to install for an import that failed; '' when no extra brings the module."""
    module = (error.name or "").partition(".")[0]
    extra = EXTRA_OF.get(module)
    return f"no module {module}: {install_line(extra)}" if extra else ""


@functools.cache
def version() -> str:
    """Return Winnow's version, of the installed distribution or else of the checkout."""
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return str(_project()["version"])


@functools.cache
def requirements() -> tuple[str, ...]:
    """Return what Winnow and its extras ask for, each as a line of PEP 508."""
    try:
        return tuple(metadata.requires(NAME) or ())
    except metadata.PackageNotFoundError:
        project = _project()
        extras = project["optional-dependencies"].values()
        return (*project["dependencies"], *(line for lines in extras for line in lines))


def _project() -> dict[str, Any]:
    """Return the table `project` of the checkout. Raises PackageNotFoundError where there is none."""
    if not _CHECKOUT.is_file():
        raise metadata.PackageNotFoundError(NAME)
    table: dict[str, Any] = tomllib.loads(_CHECKOUT.read_text(encoding="utf-8"))["project"]
    return table
