"""What a Flink cluster tells of itself by its REST interface, and the few things it is asked to do."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from schemas.errors import RunError

TIMEOUT_S = 10.0
RUNNING = frozenset({"CREATED", "INITIALIZING", "RUNNING", "RESTARTING", "RECONCILING", "FAILING", "CANCELLING"})


@dataclass(frozen=True)
class ClusterState:
    """Slots and memory of a cluster."""

    version: str
    slots: int
    free_slots: int
    task_managers: int
    network_bytes: int  # of the task manager that has least for each of its slots, times its slots
    slots_of_it: int  # of that task manager


class FlinkRest:
    """A Flink cluster, by the address of its REST interface (`http://host:port`)."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def state(self) -> ClusterState:
        """Return what the cluster has. Raises RunError when it does not answer as Flink does."""
        overview = self._get("/overview")
        managers = self._get("/taskmanagers").get("taskmanagers", [])
        try:
            memory = [(int(one["memoryConfiguration"]["networkMemory"]), int(one["slotsNumber"])) for one in managers]
            network, slots = min(memory, key=lambda pair: pair[0] / max(pair[1], 1), default=(0, 0))
            return ClusterState(
                version=overview["flink-version"],
                slots=overview["slots-total"],
                free_slots=overview["slots-available"],
                task_managers=overview["taskmanagers"],
                network_bytes=network,
                slots_of_it=slots,
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise RunError(f"{self.address} answers, but not as Flink does") from None

    def running(self, prefix: str) -> dict[str, str]:
        """Return the names of the jobs that are not over and whose names begin with `prefix`, by their ids."""
        jobs = self._get("/jobs/overview").get("jobs", [])
        return {job["jid"]: job["name"] for job in jobs if job["name"].startswith(prefix) and job["state"] in RUNNING}

    def restarted_at(self, prefix: str) -> int:
        """Return when a job whose name begins with `prefix` and that is not over was last begun anew, in ms since 1970;
        0 for never."""
        found = [self._get(f"/jobs/{job}").get("timestamps", {}) for job in self.running(prefix)]
        return max((int(stamps.get("RESTARTING", 0)) for stamps in found), default=0)

    def cancel(self, job: str) -> None:
        """Ask for the end of a job."""
        self._call(urllib.request.Request(f"{self.address}/jobs/{job}", method="PATCH"))  # noqa: S310

    def _get(self, path: str) -> dict[str, Any]:
        try:
            found = json.loads(self._call(urllib.request.Request(self.address + path)))  # noqa: S310
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RunError(f"{self.address} answers, but not as Flink does")
        return found

    def _call(self, request: urllib.request.Request) -> bytes:
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  http(s), checked before
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            raise RunError(f"{self.address} answers, but not as Flink does ({error.code} {error.reason})") from None
        except urllib.error.URLError as error:
            cause = getattr(error.reason, "strerror", None) or error.reason
            raise RunError(f"Flink at {self.address} does not answer ({cause})") from None
        except (OSError, http.client.HTTPException) as error:
            raise RunError(f"Flink at {self.address} does not answer ({str(error) or type(error).__name__})") from None
