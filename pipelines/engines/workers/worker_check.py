"""Refuses Python workers that have another state of Winnow, or of the user's modules, than the command of the job.

Workers of a cluster come from an image or from a pool with a virtual environment of its own. What an older one makes
would be written down as made by the Winnow of the command. The same holds for the modules of a user's own rules.
"""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import apache_beam as beam

from pipelines.modules.places import DISTRIBUTION, state_of
from schemas.errors import RunError

_PACKAGES = ("schemas", "storage", "transforms", "classifiers", "pipelines")
NO_MODULES: Mapping[str, str] = MappingProxyType({})
SHOWN = 3  # names in a message


@functools.cache
def own_state() -> str:
    """Return the versions of Python and Beam and a digest of the source that runs here."""
    digest = hashlib.blake2b(digest_size=6)
    root = Path(__file__).parents[2]
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return f"Python {platform.python_version()}, Beam {beam.version.__version__}, source {digest.hexdigest()}"


def add_worker_check(pipeline: beam.Pipeline, user_modules: Mapping[str, str] = NO_MODULES) -> None:
    """Let one worker of the job compare what it has with what is here; `user_modules` as in `CodeIdentity`."""
    same = pipeline | "AskWorker" >> beam.Impulse() | "SameWinnow" >> beam.Map(check_worker, own_state())
    if user_modules:
        _ = same | "SameModules" >> beam.Map(check_user_modules, dict(user_modules))


def check_worker(_: bytes, wanted: str) -> None:
    """Raise RunError on a worker whose state is not `wanted`."""
    if own_state() != wanted:
        raise RunError(
            f"the Python workers have another Winnow ({own_state()}) than this command ({wanted}): bring the worker"
            " image, or what the worker pool runs on, up to date"
        )


def check_user_modules(_: object, wanted: Mapping[str, str]) -> None:
    """Raise RunError on a worker that lacks one of the user's modules or has another state of it; imports none."""
    here = {name: state_of(name) for name in sorted(wanted)}
    lacking = [name for name, state in here.items() if state is None]
    if lacking:
        raise RunError(
            f"the Python workers lack {_some(lacking)}, which this command's recipe runs: install it in the worker"
            " image, or in what the worker pool runs on"
        )
    other = [name for name, state in here.items() if state != wanted[name]]
    if other:
        raise RunError(
            f"the Python workers have another state of {_some(other)} than this command: bring the worker image, or"
            " what the worker pool runs on, up to date"
        )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(name if name.startswith(DISTRIBUTION) else f"module {name}" for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown
