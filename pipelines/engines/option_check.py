"""What is wrong with Beam's options, before anything runs: Beam would pass over it, or fail with a stack trace."""

from __future__ import annotations

import argparse
import contextlib
import difflib
from collections.abc import Sequence

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

from schemas.errors import ConfigError

LOCAL = ("direct", "directrunner", "fnapirunner", "bundlebaseddirectrunner")
RUNNERS = ("DirectRunner", "FlinkRunner", "DataflowRunner", "PortableRunner")  # that a run is tested on
_ELSEWHERE = (
    "--num_workers",
    "--max_num_workers",
    "--number_of_worker_harness_threads",
)  # of other runners


def runner_of(args: Sequence[str]) -> str:
    """Return the name of the runner, without its module; '' for the default."""
    return (PipelineOptions(list(args)).view_as(StandardOptions).runner or "").rpartition(".")[2]


def is_local_runner(name: str) -> bool:
    """Return whether the pipelines of a runner run in this process and its children."""
    return not name or name.lower() in LOCAL


def check_options(args: Sequence[str]) -> None:
    """Raise ConfigError for options that no part of Beam knows, values they cannot have, and runners that are none."""
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    for options in sorted(set(PipelineOptions.__subclasses__()), key=lambda cls: cls.__name__):
        adder = getattr(options, "_add_argparse_args", None)
        if adder is not None:
            with contextlib.suppress(argparse.ArgumentError):  # two parts of Beam that share a name mean the same
                adder(parser)
    try:
        with contextlib.redirect_stderr(_Swallow()) as complaint:
            _, unknown = parser.parse_known_args(list(args))
    except SystemExit:
        raise ConfigError(f"Beam options: {complaint.complaint()}") from None
    runner = runner_of(args)
    is_local = is_local_runner(runner)
    _check_runner(runner)
    if not is_local:  # a job server has options of its own; a stray word it has not
        unknown = [
            word for n, word in enumerate(unknown) if word[:2] != "--" and (n == 0 or unknown[n - 1][:2] != "--")
        ]
    if unknown:
        raise ConfigError(f"Beam options: {' '.join(unknown)}: not known to Beam")
    if is_local:
        _check_workers(args)


def _check_runner(runner: str) -> None:
    known = {*LOCAL, *(name.lower() for name in RUNNERS)}
    if runner and runner.lower() not in known:
        close = difflib.get_close_matches(runner.lower(), [name.lower() for name in RUNNERS], n=1, cutoff=0.8)
        meant = next((f"did you mean {name}?" for name in RUNNERS if [name.lower()] == close), "")
        expected = f"expected {', '.join(RUNNERS[:-1])} or {RUNNERS[-1]}"
        raise ConfigError(f"--runner {runner}: Winnow does not run on it; {meant or expected}")


def _check_workers(args: Sequence[str]) -> None:
    wrong = next((word.partition("=")[0] for word in args if word.partition("=")[0] in _ELSEWHERE), None)
    if wrong is not None:
        raise ConfigError(f"Beam options: {wrong}: means nothing on this machine; give --direct_num_workers NUMBER")
    workers = PipelineOptions(list(args)).view_as(DirectOptions).direct_num_workers
    if workers < 0:
        raise ConfigError(f"Beam options: --direct_num_workers {workers}: must be >= 0; 0 is one for each core")


class _Swallow:
    """Collects what a library prints on stderr."""

    def __init__(self) -> None:
        self._text = ""

    def write(self, text: str) -> int:
        self._text += text
        return len(text)

    def flush(self) -> None:
        """Nothing is buffered."""

    def complaint(self) -> str:
        """Return the last line, without the name of the program."""
        return (self._text.strip().splitlines() or ["not understood"])[-1].partition("error: argument ")[2] or "wrong"
