"""Refuses Python workers that have another state of Winnow than the command that started the job.

Workers of a cluster come from an image or from a pool with a virtual environment of its own. What an older one makes
would be written down as made by the Winnow of the command.
"""

from __future__ import annotations

import functools
import hashlib
import platform
from pathlib import Path

import apache_beam as beam

from schemas.errors import RunError

_PACKAGES = ("schemas", "storage", "transforms", "classifiers", "pipelines")


@functools.cache
def own_state() -> str:
    """Return the versions of Python and Beam and a digest of the source that runs here."""
    digest = hashlib.blake2b(digest_size=6)
    root = Path(__file__).parents[2]
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return f"Python {platform.python_version()}, Beam {beam.version.__version__}, source {digest.hexdigest()}"


def add_worker_check(pipeline: beam.Pipeline) -> None:
    """Let one worker of the job compare what it has with what is here."""
    _ = pipeline | "AskWorker" >> beam.Impulse() | "SameWinnow" >> beam.Map(check_worker, own_state())


def check_worker(_: bytes, wanted: str) -> None:
    """Raise RunError on a worker whose state is not `wanted`."""
    if own_state() != wanted:
        raise RunError(
            f"the Python workers have another Winnow ({own_state()}) than this command ({wanted}): bring the worker"
            " image, or what the worker pool runs on, up to date"
        )
