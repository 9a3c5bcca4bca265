"""The Flink cluster that `make flink-up` started on this machine, for `winnow run --runner FlinkRunner` alone.

Its state file (deploy/flink/cluster.py writes it) holds the ports and the slots; from these come the options that send
a run there. An option that names another place, for Flink, job server or workers, is the user's choice: nothing is
added then. Without a state file, too: FlinkRunner alone is then a Flink inside Beam's job server.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from pipelines.engines.portable import listens
from schemas.errors import RunError

STATE = "state.json"
# An option that says where the job, Flink or the workers are.
PLACES = ("--flink_master", "--job_endpoint", "--environment_type", "--environment_config", "--environment_options",
          "--sdk_container_image")  # fmt: skip


def default_home() -> Path:
    """Return the folder of a local cluster: $XDG_STATE_HOME/winnow/flink, else ~/.local/state/winnow/flink."""
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "state") / "winnow" / "flink"


def cluster_args(ports: Mapping[str, int], slots: int) -> list[str]:
    """Return the options that send a run to a cluster on this machine; `slots` are those of all task managers."""
    return [
        "--runner=FlinkRunner",
        f"--flink_master=localhost:{ports['rest']}",
        f"--job_endpoint=localhost:{ports['job']}",
        "--environment_type=EXTERNAL",
        f"--environment_config=localhost:{ports['pool']}",
        f"--parallelism={slots}",
    ]


def with_local_cluster(args: Sequence[str], home: Path | None = None) -> list[str]:
    """Return Beam's options, with those of the local cluster where `--runner FlinkRunner` comes without a place.

    Raises RunError when there is a state file that cannot be read, or whose cluster does not answer.
    """
    given = [word.partition("=")[0] for word in args]
    runner = PipelineOptions(list(args)).view_as(StandardOptions).runner or ""
    if runner.rpartition(".")[2].lower() != "flinkrunner" or set(given) & set(PLACES):
        return list(args)
    state = (home or default_home()) / STATE
    try:
        plain = json.loads(state.read_text(encoding="utf-8"))
        ports, settings = plain["ports"], plain["settings"]
        found = cluster_args(ports, settings["slots"] * settings["task_managers"])
    except FileNotFoundError:
        return list(args)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{state}: not the state of a cluster ({error}); remove it") from None
    address = f"localhost:{ports['rest']}"
    if not listens(address):
        raise RunError(
            f"{state}: its Flink does not answer at {address}; start it anew with `make flink-up`, take it away with"
            " `make flink-down`, or give --flink_master HOST:PORT or [local]"
        )
    return [*args, *(word for word in found if word.partition("=")[0] not in given)]
