"""Every stage's job through Beam's own translation for Dataflow, without an account; and the template's launcher.

Limits: Dataflow's page "Quotas and limits" and its error messages: a job's request 10 MB, a key of a batch shuffle
1.5 MB, an element 80 MB (Streaming Engine's; batch allows more), side inputs 80 MB where they are cached.
"""

from __future__ import annotations

import importlib.util
import io
import json
import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2

from demo_web import make_web
from demo_web.config import LANGUAGES
from deploy.dataflow import launcher
from pipelines.engines.engine import Engine
from pipelines.recipes import common_crawl
from pipelines.runs.dataset import SourceFile, describe
from pipelines.runs.folder import RunFolder
from pipelines.runs.plan import VERSION
from pipelines.runs.runner import Watcher, run
from pipelines.stages.parts import EachPart, PartWork, part_numbers, runs_of
from schemas.errors import ConfigError, RunError
from schemas.settings import overlay
from storage.listing.inputs import expand
from transforms.shuffle.hash_blocks import partitions_for
from transforms.tokens.shards import PLACE
from transforms.tokens.token_rows import ShardConfig

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "region-docker.pkg.dev/example/winnow/winnow-dataflow@sha256:" + "0" * 64
OPTIONS = [
    "--runner=DataflowRunner", "--project=example-project", "--region=europe-west4", "--job_name=winnow-test",
    "--temp_location=gs://example-bucket/temp", "--staging_location=gs://example-bucket/staging", "--no_auth",
    "--dry_run=True", f"--sdk_container_image={IMAGE}", "--sdk_location=container",
]  # fmt: skip
REQUEST_BYTES = 10_000_000
ELEMENT_BYTES = 80_000_000
SIDE_INPUT_BYTES = 80_000_000
SMALL_GRAPH_BYTES = 1_000_000  # ours: a tenth of what is allowed
PRIMITIVES = {
    "beam:transform:impulse:v1",
    "beam:transform:pardo:v1",
    "beam:transform:group_by_key:v1",
    "beam:transform:flatten:v1",
}
COMBINED = "CombinePerKey/GroupByKey"  # inside a CombineGlobally: its one key is None
SMALL_KEYS = {"beam:coder:varint:v1", "beam:coder:bool:v1"}  # of a few bytes, and deterministic

try:
    HAS_GCP = importlib.util.find_spec("google.cloud.dataflow_v1beta3") is not None
except ModuleNotFoundError:  # not even its parent package
    HAS_GCP = False
pytestmark = pytest.mark.skipif(not HAS_GCP, reason="apache-beam[gcp] is not installed (winnow-corpus[gcp])")


@dataclass
class Job:
    """One translated job."""

    stage: str
    proto: Any
    request: dict[str, Any]
    staged: dict[str, bytes]

    @property
    def pipeline(self) -> Any:
        return beam_runner_api_pb2.Pipeline.FromString(self.staged["pipeline.pb"])

    def primitives(self) -> Iterator[Any]:
        for transform in self.pipeline.components.transforms.values():
            if not transform.subtransforms and transform.spec.urn:
                yield transform

    def pardos(self) -> Iterator[tuple[Any, Any]]:
        for transform in self.primitives():
            if transform.spec.urn == "beam:transform:pardo:v1":
                yield transform, beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)


def translate(stage: str, build: Callable[[beam.Pipeline], Any], more: list[str] | None = None) -> Job:
    """Return the job that DataflowRunner would ask the service to make; nothing leaves this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from apache_beam.runners.dataflow.internal.apiclient import DataflowApplicationClient

        staged: dict[str, bytes] = {}

        class Kept(DataflowApplicationClient):
            def stage_file(
                self, folder: str, name: str, stream: io.BytesIO, mime_type: str = "", total_size: int | None = None
            ) -> None:
                staged[name] = stream.read()

        options = PipelineOptions([*OPTIONS, *(more or [])], save_main_session=False)
        pipeline = beam.Pipeline(options=options)
        build(pipeline)
        job = pipeline.run().job
        Kept(options).create_job_description(job)
        return Job(stage, job.proto, json.loads(job.json()), staged)


@dataclass
class _Translated:
    jobs: list[Job] = field(default_factory=list)


class TranslatingEngine(Engine):
    """Translates each pipeline for Dataflow, then runs it in this process, so that the next stage has its input."""

    def __init__(self, log_path: Path, found: _Translated) -> None:
        super().__init__(["--direct_num_workers=1", "--direct_running_mode=in_memory"], log_path)
        self._found = found

    def run(self, name: str, build: Callable[[beam.Pipeline], Any], work_s: float) -> None:
        self._found.jobs.append(translate(name, build))
        super().run(name, build, work_s)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    """The jobs of all stages over a small web."""
    folder = tmp_path_factory.mktemp("dataflow")
    make_web(folder / "web", pages=300, large_body_bytes=10_000)
    settings = {"language": {"keep": LANGUAGES}, "tokenizer": {"vocab_size": 400}, "shards": {"row_tokens": 512}}
    recipe = common_crawl.recipe(overlay(common_crawl.CommonCrawlConfig(), settings))
    plain = [path for path in (folder / "web" / "crawl").iterdir() if ".warc" not in path.name]  # no pages to parse
    archives = describe([SourceFile("common_crawl", path) for path in expand([str(path) for path in plain])])
    found = _Translated()
    data = RunFolder(str(folder / "run"))
    data.open(recipe.name, VERSION, [node.id for node in recipe.nodes])
    run(recipe, archives, data, TranslatingEngine(folder / "beam.log", found), Watcher())
    return found.jobs


def test_every_stage_has_a_job(jobs: list[Job]) -> None:
    assert [job.stage for job in jobs] == [
        "web/index", "web/extract", "web/clean", "dedup", "dedup", "dedup", "tokenize", "tokenize", "mix", "mix",
        "shards",
    ]  # fmt: skip


def test_steps_have_names_of_their_own_and_are_known(jobs: list[Job]) -> None:
    for job in jobs:
        names = [transform.unique_name for transform in job.pipeline.components.transforms.values()]
        assert len(names) == len(set(names)), job.stage
        assert all(name.isascii() for name in names)
        assert {transform.spec.urn for transform in job.primitives()} <= PRIMITIVES, job.stage


def test_jobs_are_small(jobs: list[Job]) -> None:
    for job in jobs:
        sizes = (len(job.staged["pipeline.pb"]), len(json.dumps(job.request)))
        assert max(sizes) < SMALL_GRAPH_BYTES < REQUEST_BYTES, (job.stage, sizes)


def test_workers_run_the_image_and_install_nothing(jobs: list[Job]) -> None:
    for job in jobs:
        pool = job.request["environment"]["workerPools"][0]
        assert [image["containerImage"] for image in pool["sdkHarnessContainerImages"]] == [IMAGE], job.stage
        assert job.staged.keys() <= {"pipeline.pb", "submission_environment_dependencies.txt"}, job.stage


def test_keys_are_small_and_their_coders_deterministic(jobs: list[Job]) -> None:
    for job in jobs:
        parts = job.pipeline.components
        for transform in job.primitives():
            grouped = transform.spec.urn == "beam:transform:group_by_key:v1"
            if not grouped or transform.unique_name.endswith(COMBINED):
                continue
            (collection,) = transform.inputs.values()
            pair = parts.coders[parts.pcollections[collection].coder_id]
            assert pair.spec.urn == "beam:coder:kv:v1", transform.unique_name
            assert _key_urns(parts, pair.component_coder_ids[0]) <= SMALL_KEYS, transform.unique_name


def _key_urns(parts: Any, coder_id: str) -> set[str]:
    """Return the URNs of a key's coder, a tuple's taken apart."""
    coder = parts.coders[coder_id]
    if coder.component_coder_ids:
        return {urn for part in coder.component_coder_ids for urn in _key_urns(parts, part)}
    return {coder.spec.urn}


def test_the_only_side_input_is_the_table_of_totals(jobs: list[Job]) -> None:
    used = {
        (job.stage, transform.unique_name.rpartition("/")[2] or transform.unique_name)
        for job in jobs
        for transform, payload in job.pardos()
        if payload.side_inputs
    }
    assert {stage for stage, _ in used} <= {"shards", "dedup"}, used
    partitions = partitions_for(10**9, PLACE.itemsize)
    rows = [(2**40, 2**40, 2**40)] * partitions  # of a thousand million documents of three sources
    assert len(pickle.dumps(rows)) < SIDE_INPUT_BYTES


def test_an_element_holds_at_most_a_shard() -> None:
    assert ShardConfig().shard_tokens * 4 < ELEMENT_BYTES


class _NoWork(PartWork):
    def run(self, part: int, verdicts: dict[str, list[bytes]]) -> Iterator[bytes]:
        yield b""


@pytest.mark.parametrize("parts", [range(1), range(1_000_000)])
def test_the_number_of_parts_does_not_grow_the_graph(parts: range) -> None:
    job = translate("many", lambda pipeline: part_numbers(pipeline, parts) | "Parts" >> EachPart(_NoWork()))
    assert len(job.staged["pipeline.pb"]) < 20_000


@pytest.mark.parametrize(
    ("parts", "runs"),
    [([], ()), ([3], (range(3, 4),)), ([0, 1, 2, 5, 7, 8], (range(3), range(5, 6), range(7, 9)))],
)
def test_parts_are_told_as_ranges(parts: list[int], runs: tuple[range, ...]) -> None:
    assert runs_of(parts) == runs
    assert [part for run in runs for part in run] == parts


def test_resource_hints_reach_the_workers() -> None:
    hint = "accelerator=type:nvidia-l4;count:1;install-nvidia-driver"
    job = translate(
        "gpu", lambda pipeline: part_numbers(pipeline, range(1)) | EachPart(_NoWork()),
        [f"--resource_hint={hint}", "--dataflow_service_option=enable_prime", "--resource_hint=min_ram=16GB"],
    )  # fmt: skip
    found = {
        (urn, bytes(value))
        for environment in job.pipeline.components.environments.values()
        for urn, value in environment.resource_hints.items()
    }
    assert found == {
        ("beam:resources:accelerator:v1", b"type:nvidia-l4;count:1;install-nvidia-driver"),
        ("beam:resources:min_ram_bytes:v1", b"16000000000"),
    }


PARAMETERS = ["--input=gs://a/x.warc.gz, @gs://a/paths.gz", "--output=gs://b/run", "--settings=lines.max_copies=7"]


def test_launcher_makes_the_command_a_person_would_type() -> None:
    order, rest = launcher.read_order([*PARAMETERS, "--stage_options=--max_num_workers=9 --region=us-east1", *OPTIONS])
    assert rest == OPTIONS
    stage_args = launcher.stage_arguments(order, PipelineOptions(rest))
    assert stage_args == [
        "--runner=DataflowRunner", "--sdk_location=container", "--project=example-project",
        "--temp_location=gs://example-bucket/temp", "--staging_location=gs://example-bucket/staging",
        f"--sdk_container_image={IMAGE}", "--max_num_workers=9", "--region=us-east1",
    ]  # fmt: skip
    assert launcher.command_of(order, ["--x"], "/c.yaml") == [
        "run", "--input", "gs://a/x.warc.gz", "--input", "@gs://a/paths.gz", "--output", "gs://b/run",
        "--config", "/c.yaml", "--set", "lines.max_copies=7", "--", "--x",
    ]  # fmt: skip


@pytest.mark.parametrize(("given", "passed"), [("true", True), ("True", True), ("false", False)])
def test_launcher_passes_on_that_unreadable_inputs_are_skipped(given: str, passed: bool) -> None:
    order, _ = launcher.read_order([*PARAMETERS, f"--skip_unreadable={given}"])
    assert ("--skip-unreadable" in launcher.command_of(order, [], "")) is passed


@pytest.mark.parametrize(
    "wrong", ["--input=/data/x.warc.gz", "--input=@list.txt", "--output=runs/x", "--config=c.yaml"]
)
def test_launcher_refuses_local_paths(wrong: str) -> None:
    with pytest.raises(ConfigError, match="a local path means nothing to a worker of Dataflow"):
        launcher.read_order([*PARAMETERS, wrong])


def test_launcher_refuses_no_input() -> None:
    with pytest.raises(ConfigError, match="no path given"):
        launcher.read_order(["--input= , ", "--output=gs://b/run"])


def test_driver_is_one_small_job() -> None:
    order, _ = launcher.read_order(PARAMETERS)
    job = translate("driver", lambda pipeline: launcher.build(pipeline, order, OPTIONS))
    assert len(job.staged["pipeline.pb"]) < 20_000
    assert [payload.do_fn.urn for _, payload in job.pardos()] == ["beam:dofn:pickled_python_info:v1"]


def test_driver_passes_on_what_the_command_says() -> None:
    assert launcher.run_winnow(["config"]) == 0
    with pytest.raises(RunError, match=r"winnow run ended with exit code 1: .*nowhere"):
        launcher.run_winnow(["ledger", "/nowhere"])


def test_metadata_declares_the_launchers_parameters() -> None:
    metadata = json.loads((ROOT / "deploy/dataflow/metadata.json").read_text(encoding="utf-8"))
    declared = {entry["name"]: not entry.get("isOptional", False) for entry in metadata["parameters"]}
    assert declared == {
        "input": True, "output": True, "config": False, "settings": False, "skip_unreadable": False,
        "stage_options": False,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from google.cloud.dataflow_v1beta3.types import ContainerSpec
        from google.protobuf import json_format

    plain = {"image": IMAGE, "metadata": _snake_free(metadata), "sdkInfo": {"language": "PYTHON"}}
    spec = json_format.ParseDict(plain, ContainerSpec.pb(ContainerSpec()))
    assert len(spec.metadata.parameters) == len(declared)


def _snake_free(metadata: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the service reads but the published message does not name."""
    return {name: value for name, value in metadata.items() if name != "streaming"}
