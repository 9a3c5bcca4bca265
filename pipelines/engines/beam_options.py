"""Which options are Beam's: `winnow run` takes them among its own, without `--` before them."""

from __future__ import annotations

import argparse
import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any


def take_beams(words: Sequence[str], own: set[str]) -> tuple[list[str], list[str]]:
    """Split `run` arguments into Winnow's, whose options are `own`, and Beam's, each with its values.

    Beam's names have underscores; dashes work as well. An unknown option stays among Winnow's, which refuse it by name.
    The values of an option are the words up to the next one: `run` has no positional arguments.
    """
    kept: list[str] = []
    taken: list[str] = []
    place = kept
    for word in words:
        if word.startswith("-") and word != "-":
            name, equals, value = word.partition("=")
            beams = _beams_name(name) if word.startswith("--") and name not in own else None
            place = kept if beams is None else taken
            place.append(f"{beams}{equals}{value}" if beams else word)
        else:
            place.append(word)
    return kept, taken


def _beams_name(name: str) -> str | None:
    known = beam_options()
    return next((wanted for wanted in (name, "--" + name[2:].replace("-", "_")) if wanted in known), None)


@functools.cache
def beam_options() -> frozenset[str]:
    """Return the names of all options of Beam's, `--runner` and some 400 others."""
    from apache_beam.options.pipeline_options import PipelineOptions  # a second of imports that few lines need

    names = _Names()
    for options in PipelineOptions.__subclasses__():
        add: Callable[[argparse.ArgumentParser], Any] | None = getattr(options, "_add_argparse_args", None)
        if add is not None:
            add(names)
    return frozenset(names.heard)


class _Names(argparse.ArgumentParser):
    """Hears which options are added; those that two parts of Beam share are heard twice."""

    def __init__(self) -> None:
        self.heard: set[str] = set()
        super().__init__(add_help=False)

    def add_argument(self, *names: Any, **how: Any) -> Any:
        self.heard.update(names)
        with contextlib.suppress(argparse.ArgumentError):
            return super().add_argument(*names, **how)
