"""What the Flex Template starts: builds the driver job, in whose only element a worker runs `winnow run`.

A launch of a template makes one job, and its program must return once the graph is built. A Winnow run is a chain of
jobs, each built from what the one before it wrote. So the template's job is a driver: one element, one small worker,
and on it the same command a person would type, which submits the stages to Dataflow one after the other and commits
them. Dataflow tries a failed element four times; each try goes on where the last one was, as every rerun does.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, SetupOptions, WorkerOptions

import storage
from schemas.errors import ConfigError, RunError

TAIL_LINES = 20  # of what the command printed, in the error of a failed driver


@dataclass(frozen=True, kw_only=True)
class Order:
    """The parameters of a launch (deploy/dataflow/metadata.json)."""

    inputs: tuple[str, ...]
    output: str
    config: str = ""  # gs:// address of a YAML file
    settings: tuple[str, ...] = ()  # KEY=VALUE
    skip_unreadable: bool = False
    stage_options: tuple[str, ...] = ()  # Beam options of the stages' jobs


def read_order(argv: Sequence[str]) -> tuple[Order, list[str]]:
    """Part our parameters from Beam's options. Raises ConfigError naming a parameter that cannot be right."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--config", default="")
    parser.add_argument("--settings", default="")
    parser.add_argument("--skip_unreadable", default="false", choices=("true", "false"), type=str.lower)
    parser.add_argument("--stage_options", default="")
    known, beam_args = parser.parse_known_args(list(argv))
    order = Order(
        inputs=tuple(filter(None, (word.strip() for word in known.input.split(",")))),
        output=known.output,
        config=known.config,
        settings=tuple(filter(None, (word.strip() for word in known.settings.split(";")))),
        skip_unreadable=known.skip_unreadable == "true",
        stage_options=tuple(shlex.split(known.stage_options)),
    )
    for name, paths in (("input", order.inputs), ("output", (order.output,)), ("config", (order.config,))):
        for path in paths:
            if path and storage.is_local(path.removeprefix("@")):
                raise ConfigError(f"--{name}={path}: a local path means nothing to a worker of Dataflow; give gs://")
    if not order.inputs:
        raise ConfigError("--input: no path given")
    return order, beam_args


def stage_arguments(order: Order, options: PipelineOptions) -> list[str]:
    """Return the Beam options of the stages' jobs: where the driver itself runs, then those of the order."""
    cloud, worker = options.view_as(GoogleCloudOptions), options.view_as(WorkerOptions)
    inherited = {
        "project": cloud.project,
        "region": cloud.region,
        "temp_location": cloud.temp_location,
        "staging_location": cloud.staging_location,
        "service_account_email": cloud.service_account_email,
        "dataflow_kms_key": cloud.dataflow_kms_key,
        "sdk_container_image": worker.sdk_container_image,
        "network": worker.network,
        "subnetwork": worker.subnetwork,
    }
    given = {word.partition("=")[0] for word in order.stage_options}
    words = [f"--{name}={value}" for name, value in inherited.items() if value and f"--{name}" not in given]
    if worker.use_public_ips is False:
        words.append("--no_use_public_ips")
    return ["--runner=DataflowRunner", "--sdk_location=container", *words, *order.stage_options]


def command_of(order: Order, stage_args: Sequence[str], config: str) -> list[str]:
    """Return the command line that the driver runs; `config` is where its configuration lies on the worker."""
    words = ["run"]
    for path in order.inputs:
        words += ["--input", path]
    words += ["--output", order.output]
    if config:
        words += ["--config", config]
    for change in order.settings:
        words += ["--set", change]
    if order.skip_unreadable:
        words.append("--skip-unreadable")
    return [*words, "--", *stage_args]


class Drive(beam.DoFn):
    """Runs the command of an order on the worker and passes its output on to the job's log.

    In: one element of any kind. Out: the exit code, 0. Raises RunError with the last lines when the command fails, so
    that the runner tries again. Retry: goes on where the last try was.
    """

    def __init__(self, order: Order, stage_args: Sequence[str]) -> None:
        self._order, self._stage_args = order, tuple(stage_args)

    def process(self, element: bytes) -> Iterable[int]:
        with tempfile.TemporaryDirectory() as folder:
            config = ""
            if self._order.config:
                path = Path(folder) / "config.yaml"
                path.write_bytes(storage.read_bytes(self._order.config))
                config = str(path)
            yield run_winnow(command_of(self._order, self._stage_args, config))


def run_winnow(words: Sequence[str]) -> int:
    """Run the `winnow` of this environment and log every line it prints. Raises RunError when it fails."""
    command = [str(Path(sys.executable).with_name("winnow")), *words]
    log = logging.getLogger(__name__)
    log.info("running: %s", shlex.join(command))
    tail: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            log.info("%s", line.rstrip())
            tail = [*tail, line.rstrip()][-TAIL_LINES:]
    if process.returncode:
        raise RunError(f"winnow run ended with exit code {process.returncode}: {' | '.join(tail)}")
    return process.returncode


def build(pipeline: beam.Pipeline, order: Order, stage_args: Sequence[str]) -> None:
    """Build the driver's graph."""
    _ = pipeline | "Order" >> beam.Impulse() | "Drive" >> beam.ParDo(Drive(order, stage_args)).with_output_types(int)


def main(argv: Sequence[str] | None = None) -> None:
    """Build the driver job and hand it to the runner; does not wait for its end, as the launcher demands."""
    order, beam_args = read_order(sys.argv[1:] if argv is None else argv)
    options = PipelineOptions(beam_args)
    options.view_as(SetupOptions).save_main_session = False
    pipeline = beam.Pipeline(options=options)
    build(pipeline, order, stage_arguments(order, options))
    pipeline.run()


if __name__ == "__main__":
    from deploy.dataflow import launcher  # so that workers find Drive by a name that is not __main__

    logging.getLogger().setLevel(logging.INFO)
    launcher.main()
