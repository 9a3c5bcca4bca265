from __future__ import annotations

import pytest

from pipelines.engines.dataflow import check_dataflow
from schemas.errors import ConfigError

DATAFLOW = ["--runner=DataflowRunner", "--temp_location=gs://bucket/tmp"]


@pytest.mark.parametrize("args", [[], ["--runner=DirectRunner"], ["--runner=FlinkRunner"]])
def test_other_runners_take_any_path(args: list[str]) -> None:
    check_dataflow(args, ["/data/crawl"])


def test_paths_in_the_cloud_pass() -> None:
    check_dataflow(DATAFLOW, ["gs://bucket/run", "https://data.commoncrawl.org/a.warc.gz"])


@pytest.mark.parametrize(
    ("args", "paths", "message"),
    [
        (DATAFLOW, ["gs://bucket/run", "/models/q.bin"], "/models/q.bin: a local path means nothing to a worker"),
        (["--runner=DataflowRunner"], ["gs://bucket/run"], r"--temp_location \(none\): DataflowRunner needs gs://"),
        (["--runner=DataflowRunner", "--temp_location=/tmp"], [], "--temp_location /tmp: DataflowRunner needs gs://"),
    ],
)
def test_what_a_worker_cannot_reach_is_one_line(args: list[str], paths: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_dataflow(args, paths)
