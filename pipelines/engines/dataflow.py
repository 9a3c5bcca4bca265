"""What a run on Dataflow needs that can be checked before anything is submitted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, StandardOptions

import storage
from schemas.errors import ConfigError


def check_dataflow(beam_args: Sequence[str], paths: Iterable[str]) -> None:
    """Raise ConfigError when the job is for Dataflow and a worker there could not reach one of `paths`.

    A local path would fail on the workers only, a missing bucket for temporary files after minutes of retries.
    """
    options = PipelineOptions(list(beam_args))
    runner = (options.view_as(StandardOptions).runner or "").rpartition(".")[2].lower()
    if runner != "dataflowrunner":
        return
    for path in paths:
        if storage.is_local(path):
            raise ConfigError(f"{path}: a local path means nothing to a worker of Dataflow; give gs://")
    place = options.view_as(GoogleCloudOptions).temp_location or ""
    if not place.startswith("gs://"):
        raise ConfigError(f"--temp_location {place or '(none)'}: DataflowRunner needs gs://BUCKET/...")
