"""A local Flink cluster: job manager, task managers, Beam's job server and the pool of Python workers."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

import storage
from deploy.flink.packages import HERE, Installed, fetch
from deploy.flink.processes import Started, start, stop
from pipelines.engines.flink_rest import FlinkRest
from pipelines.engines.local_flink import STATE, cluster_args
from pipelines.engines.portable import check_job_server
from pipelines.engines.workers.worker_pool import check_worker_pool
from schemas.errors import ConfigError, RunError

LIMIT_S = 120.0  # until all answer; 12 s on an idle machine
JAVA = range(11, 22)
DEFAULT_PORTS = {"rest": 8081, "rpc": 6123, "job": 8099, "artifact": 8098, "expansion": 8097, "pool": 50000}


@dataclass(frozen=True)
class Settings:
    """What a cluster is asked to be."""

    slots: int = 2
    task_managers: int = 1
    changes: Mapping[str, str] = dataclasses.field(default_factory=dict)  # of flink-conf.yaml


@dataclass(frozen=True)
class Cluster:
    """A cluster that was started: what its state file holds."""

    settings: Settings
    ports: Mapping[str, int]
    processes: tuple[Started, ...]

    @property
    def flink(self) -> str:
        return f"localhost:{self.ports['rest']}"

    @property
    def job_server(self) -> str:
        return f"localhost:{self.ports['job']}"

    @property
    def pool(self) -> str:
        return f"localhost:{self.ports['pool']}"

    @property
    def beam_args(self) -> list[str]:
        """The options that send a run here, with all its slots."""
        return cluster_args(self.ports, self.settings.slots * self.settings.task_managers)


class Home:
    """The folder of a local cluster: state file, settings, logs, scratch."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state = path / STATE

    def cluster(self) -> Cluster | None:
        """Return the cluster that was started here, dead or alive. Raises RunError when the state is not readable."""
        try:
            plain = json.loads(self._state.read_text())
            return Cluster(
                Settings(**plain["settings"]), plain["ports"], tuple(Started(**one) for one in plain["processes"])
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self._state}: not the state of a cluster ({error}); remove it") from None

    def up(
        self, settings: Settings, ports: Mapping[str, int], cache: Path | None, say: Callable[[str], None]
    ) -> Cluster:
        """Return a cluster that answers: the one that is up if it has these settings, else a new one.

        Raises ConfigError or RunError, one line; nothing is left running then.
        """
        before = self.cluster()
        if before is not None:
            if all(process.alive for process in before.processes):
                if before.settings != settings:
                    raise RunError(f"{self.path}: a cluster with other settings is up; stop it first (down)")
                self._wait(before)
                return before
            self.down()
        check_java()
        say("fetching Flink and Beam's job server, if they are not in the cache (400 MB)")
        installed = fetch(cache)
        chosen = choose_ports(ports)
        for name in ("log", "tmp", "conf", "artifacts"):
            shutil.rmtree(self.path / name, ignore_errors=True)
            (self.path / name).mkdir(parents=True)
        write_conf(installed, self.path, settings, chosen)
        say("starting job manager, task managers, job server and worker pool")
        cluster = Cluster(settings, chosen, ())
        try:
            for name, command, keep in commands(installed, self.path, settings, chosen):
                log = self.path / "log" / f"{name}.out"
                started = start(name, command, log, environment(installed, self.path), self.path, keep)
                cluster = dataclasses.replace(cluster, processes=(*cluster.processes, started))
                self._write(cluster)
            self._wait(cluster)
        except BaseException:
            self.down()
            raise
        return cluster

    def down(self) -> bool:
        """Stop all that `up` started; return whether there was anything."""
        cluster = self.cluster()
        if cluster is None:
            return False
        stop(reversed(cluster.processes))
        for name in ("tmp", "artifacts"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        self._state.unlink(missing_ok=True)
        return True

    def _write(self, cluster: Cluster) -> None:
        text = json.dumps(dataclasses.asdict(cluster), indent=1)
        storage.write_atomic(str(self._state), text.encode())

    def _last_line(self, name: str) -> str:
        lines = (self.path / "log" / f"{name}.out").read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "without a word"

    def _wait(self, cluster: Cluster) -> None:
        """Wait until every part answers. RunError names the one that does not, and its log."""
        until = time.monotonic() + LIMIT_S
        for name, check in checks(cluster):
            while True:
                dead = next((process for process in cluster.processes if not process.alive), None)
                try:
                    check()
                    break
                except RunError as error:
                    if dead is not None:
                        raise RunError(f"{dead.name} died: {self._last_line(dead.name)}; see {self.path}/log") from None
                    if time.monotonic() > until:
                        raise RunError(f"{name}: {error} (after {LIMIT_S:.0f} s); see {self.path}/log") from None
                time.sleep(0.3)


def checks(cluster: Cluster) -> list[tuple[str, Callable[[], object]]]:
    """Return a check for each part, which raises RunError while it does not answer."""
    wanted = cluster.settings.slots * cluster.settings.task_managers

    def slots() -> None:
        state = FlinkRest(f"http://{cluster.flink}").state()
        if state.slots < wanted:
            raise RunError(f"{state.slots} of {wanted} slots are there")

    return [
        ("Flink", slots),
        ("job server", lambda: check_job_server(cluster.job_server)),
        ("worker pool", lambda: check_worker_pool(cluster.pool)),
    ]


def java() -> str:
    """Return the `java` that Flink's scripts will use; '' for none."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which(f"{home}/bin/java" if home else "java") or ""


def check_java() -> None:
    """Raise ConfigError when there is no Java or one that Flink 1.19 does not know."""
    program = java()
    if not program:
        raise ConfigError("Flink needs Java 11 or 17, and there is no `java` in JAVA_HOME or on the PATH")
    version = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', version.stderr + version.stdout)
    if found is None or int(found[1]) not in JAVA:
        text = (version.stderr + version.stdout).strip().splitlines()
        raise ConfigError(f"Flink needs Java 11 or 17; {program} says: {text[0] if text else 'nothing'}")


def choose_ports(wanted: Mapping[str, int]) -> dict[str, int]:
    """Return a port for each part: the one that is asked for, else the usual one, else any that is free.

    Raises ConfigError when one that is asked for is taken.
    """
    chosen: dict[str, int] = {}
    for name, usual in DEFAULT_PORTS.items():
        asked = wanted.get(name, 0)
        if asked and not _is_free(asked):
            raise ConfigError(f"port {asked} for {name} is taken")
        taken = {*wanted.values(), *chosen.values()}
        chosen[name] = asked or (usual if _is_free(usual) and usual not in taken else _free_port(taken))
    return chosen


def _is_free(port: int) -> bool:
    with contextlib.ExitStack() as stack:
        for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET, "127.0.0.1")):  # noqa: S104  only tried
            taken = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind((host, port))
            except OSError:
                return False
            taken.close()
    return True


def _free_port(taken: Collection[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def write_conf(installed: Installed, home: Path, settings: Settings, ports: Mapping[str, int]) -> None:
    """Write Flink's settings: those of flink-conf.yaml, the changes, and what only this cluster knows."""
    shutil.copytree(installed.home / "conf", home / "conf", dirs_exist_ok=True)
    (home / "conf" / "config.yaml").unlink(missing_ok=True)  # Flink would read it instead
    values: dict[str, object] = yaml.safe_load((HERE / "flink-conf.yaml").read_text())
    values |= {
        "jobmanager.rpc.address": "localhost",
        "jobmanager.rpc.port": ports["rpc"],
        "jobmanager.bind-host": "localhost",
        "rest.address": "localhost",
        "rest.bind-address": "localhost",
        "rest.port": ports["rest"],
        "taskmanager.host": "localhost",
        "taskmanager.bind-host": "localhost",
        "taskmanager.numberOfTaskSlots": settings.slots,
        "io.tmp.dirs": str(home / "tmp"),
        "env.stdout-err.redirect-to-file": "true",
    }
    lines = [f"{key}: {value}\n" for key, value in {**values, **settings.changes}.items()]
    (home / "conf" / "flink-conf.yaml").write_text("".join(lines))


def environment(installed: Installed, home: Path) -> dict[str, str]:
    """Return the environment of all parts. `python` is this interpreter's: the worker pool starts workers by name."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE.parent.parent), os.environ.get("PYTHONPATH")))),
        "PYTHONSAFEPATH": "1",
        "FLINK_HOME": str(installed.home),
        "FLINK_CONF_DIR": str(home / "conf"),
        "FLINK_LOG_DIR": str(home / "log"),
        "FLINK_PID_DIR": str(home / "tmp"),
        "FLINK_LIB_DIR": str(installed.home / "lib"),
        "FLINK_BIN_DIR": str(installed.home / "bin"),
        "FLINK_OPT_DIR": str(installed.home / "opt"),
        "FLINK_PLUGINS_DIR": str(installed.home / "plugins"),
        "TMPDIR": str(home / "tmp"),
    }


def commands(
    installed: Installed, home: Path, settings: Settings, ports: Mapping[str, int]
) -> list[tuple[str, Sequence[str], bool]]:
    """Return name and command of each part, and whether it is started again when it dies.

    A dead task manager or worker pool is a loss that a job recovers from; with the job manager or the job server the
    job itself is gone.
    """
    scripts = installed.home / "bin"
    job_server = [java(), "-Dorg.slf4j.simpleLogger.showDateTime=true", "-Xmx512m", "-jar", str(installed.job_server)]
    job_server += ["--flink-master", f"http://localhost:{ports['rest']}", "--artifacts-dir", str(home / "artifacts")]
    job_server += ["--job-port", str(ports["job"]), "--artifact-port", str(ports["artifact"])]
    job_server += ["--expansion-port", str(ports["expansion"])]
    pool = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={ports['pool']}"]
    manager = ["bash", str(scripts / "taskmanager.sh"), "start-foreground"]
    return [
        ("jobmanager", ["bash", str(scripts / "jobmanager.sh"), "start-foreground"], False),
        *((f"taskmanager-{number}", manager, True) for number in range(settings.task_managers)),
        ("jobserver", job_server, False),
        ("workerpool", pool, True),
    ]
