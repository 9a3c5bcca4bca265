"""deploy/cron under the real programs: Debian's cron daemon starts the crontab's line, logrotate turns its log.

The programs are fetched as Debian packages and unpacked, never installed. The daemon runs in name spaces of its own,
with a spool that holds our crontab alone: no job of the machine is started, all that the daemon starts ends with it.
So as not to wait for minutes, its clock (libfaketime) runs four times as fast; what it starts has the true one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.runs.dataset import Dataset

ROOT = Path(__file__).resolve().parents[2]
CRON = ROOT / "deploy" / "cron"
PACKAGES = ("cron", "libfaketime", "logrotate", "libpopt0")
SPEED = 4  # of the daemon's clock: a minute in 15 s
LIMIT_S = 170
NAME_SPACES = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
# What cron reads at fixed places is laid over with what is ours; nothing outside the name space sees it.
START_CRON = """
set -e
mount --bind "$1/spool" /var/spool
mount --bind "$1/run" /run
for dir in cron.d cron.hourly cron.daily cron.weekly cron.monthly; do
    [ ! -d "/etc/$dir" ] || mount --bind "$1/empty" "/etc/$dir"
done
[ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
mount --bind "$1/pam.d" /etc/pam.d
LD_PRELOAD="$2" FAKETIME="+0 x$3" exec "$4" -f -L 15
"""


@dataclass(frozen=True)
class Programs:
    """Unpacked Debian packages."""

    root: Path

    def find(self, name: str) -> Path:
        """Return the one file of a name."""
        (found,) = self.root.rglob(name)
        return found


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The programs of PACKAGES; skips where there are none."""
    for name in ("apt-get", "dpkg-deb"):
        if shutil.which(name) is None:
            pytest.skip(f"no cron daemon: {name} is not here to fetch one")
    debs, root = tmp_path_factory.mktemp("debs"), tmp_path_factory.mktemp("programs")
    (debs / "lists" / "partial").mkdir(parents=True)
    own_lists = ("-o", f"Dir::State::lists={debs}/lists")  # for a machine whose lists are stale or removed
    download = ("download", *PACKAGES)
    tried = [apt(debs, *download)]
    if tried[-1].returncode:
        tried += [apt(debs, *own_lists, "update"), apt(debs, *own_lists, *download)]
    if tried[-1].returncode:
        pytest.skip(f"no cron daemon: apt-get download: {' '.join(tried[-1].stderr.split())[-200:]}")
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
    return Programs(root)


def apt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["apt-get", "--quiet", "--yes", *words], cwd=folder, capture_output=True, text=True, timeout=120
    )


# --- cron


@pytest.fixture
def can_unshare() -> None:
    """Skip where a process may have no name spaces of its own."""
    if os.geteuid() != 0:
        pytest.skip("a cron daemon starts jobs as other users: only root may run one")
    tried = subprocess.run([*NAME_SPACES, "mount", "--bind", "/tmp", "/run"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no cron daemon without name spaces of its own: {tried.stderr.strip()}")


@dataclass(frozen=True)
class Told:
    """What the runs under cron left: the lines of the hook, the metrics, the log."""

    folder: Path

    def ends(self) -> list[dict[str, Any]]:
        """Return how each run ended, in order."""
        path = self.folder / "told.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def codes(self) -> list[tuple[int, str]]:
        return [(end["exit_code"], end["outcome"]) for end in self.ends()]

    def wait(self, done: Callable[[], bool], until: float, daemon: subprocess.Popen[bytes]) -> None:
        """Wait until `done`; fail with the log when `until` comes first."""
        while not done():
            assert daemon.poll() is None, self.everything()
            assert time.monotonic() < until, self.everything()
            time.sleep(0.2)

    def everything(self) -> str:
        """Return what a person wants to see of a failure."""
        logs = [path.read_text() for path in (self.folder / "cron.log", self.folder / "nightly.log") if path.exists()]
        return "\n---\n".join([*logs, str(self.ends())])


@contextlib.contextmanager
def cron_daemon(programs: Programs, folder: Path, crontab: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Debian's cron with one crontab, root's, and nothing else."""
    scratch = folder / "cron"
    for name in ("spool/cron/crontabs", "run", "empty", "pam.d"):
        (scratch / name).mkdir(parents=True)
    rules = "".join(f"{kind} required pam_permit.so\n" for kind in ("auth", "account", "session"))
    for service in ("cron", "other"):
        (scratch / "pam.d" / service).write_text(rules)
    table = scratch / "spool" / "cron" / "crontabs" / "root"
    table.write_text(crontab)
    table.chmod(0o600)
    words = [scratch, programs.find("libfaketime.so.1"), SPEED, programs.find("sbin/cron")]
    with (folder / "cron.log").open("wb") as log:
        daemon = subprocess.Popen(
            [*NAME_SPACES, "sh", "-c", START_CRON, "sh", *map(str, words)], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield daemon
        finally:
            daemon.kill()  # unshare; the kernel then kills all that is in its name space
            daemon.wait()


def adapted(folder: Path, crawl: Path, config: Path) -> str:
    """Return the crontab with our places, its run started each minute and twice at that."""
    put_winnow(folder / "bin")
    values = {
        "PATH": f"{folder}/bin:/usr/local/bin:/usr/bin:/bin",
        "MAILTO": '""',  # else a machine that can mail would
        "INPUT": str(crawl),
        "DATASET": str(folder / "data"),
        "CONFIG": str(config),
        "METRICS": str(folder / "textfile" / "winnow.prom"),
        "NOTIFY": f"""sh -c 'cat >> {folder}/told.jsonl; echo >> {folder}/told.jsonl'""",
        "LOG": str(folder / "nightly.log"),
    }
    lines = []
    for line in (CRON / "crontab").read_text().splitlines():
        name = line.partition("=")[0]
        if name in values:
            lines.append(f"{name}={values.pop(name)}")
        elif "winnow run" in line and not line.startswith("#"):
            lines += [re.sub(r"^17 2 ", "* * ", line)] * 2
        else:
            lines.append(line)
    assert not values
    return "\n".join(lines) + "\n"


def put_winnow(folder: Path) -> None:
    """Write the `winnow` of this checkout; of our environment it takes where models are, and nothing else."""
    folder.mkdir(parents=True)
    kept = " ".join(f"{name}='{os.environ[name]}'" for name in ("HOME", "XDG_CACHE_HOME") if name in os.environ)
    start = "from pipelines.command import main; main()"
    (folder / "winnow").write_text(
        f"#!/bin/sh\nexec env {kept} PYTHONPATH='{ROOT}' '{sys.executable}' -c '{start}' \"$@\"\n"
    )
    (folder / "winnow").chmod(0o755)


def process_outside(inside: int, command: str) -> int:
    """Return the id that a process of the daemon's name space has in ours."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            ids = re.search(r"^NSpid:\s+(\d+)\s+(\d+)$", status.read_text(), re.MULTILINE)
            if ids and int(ids[2]) == inside and command in (status.parent / "cmdline").read_text():
                return int(ids[1])
    raise AssertionError(f"no process {inside}")


@pytest.mark.slow
def test_cron_runs_it(
    programs: Programs, can_unshare: None, winnow: Any, small_web: Any, small_run: Any, tmp_path: Path
) -> None:
    """Two at once, one killed, the next goes on, those after it find nothing to do; all told, counted and the same."""
    told, data = Told(tmp_path), tmp_path / "data"
    config = tmp_path / "winnow.yaml"  # the crontab names one file
    config.write_text(winnow("config", *small_web.options))
    until = time.monotonic() + LIMIT_S
    with cron_daemon(programs, tmp_path, adapted(tmp_path, small_web.crawl, config)) as daemon:
        told.wait(lambda: (3, "held") in told.codes() and (data / "web" / "extract").exists(), until, daemon)
        held = next(end for end in told.ends() if end["exit_code"] == 3)
        holder = re.search(r"another run .*process (\d+) on ", held["message"])
        assert holder, held
        os.kill(process_outside(int(holder[1]), str(data)), signal.SIGKILL)
        told.wait(lambda: (0, "done") in told.codes(), until, daemon)
        told.wait(lambda: (0, "nothing_new") in told.codes(), until, daemon)
    check_ends(told, data)
    check_metrics(tmp_path / "textfile" / "winnow.prom", told, data)
    assert [run.path for run in Dataset(str(data)).runs()] == [str(data)]
    assert shards_of(data) == small_run.shards()


def check_ends(told: Told, data: Path) -> None:
    """Check what the hook got: the killed run could tell nothing, every other one told how it ended."""
    ends, order = told.ends(), [kind for _, kind in told.codes()]
    assert set(order) == {"held", "done", "nothing_new"}, told.everything()
    assert order.count("done") == 1
    assert order.index("held") < order.index("done") < order.index("nothing_new")
    done = ends[order.index("done")]
    assert (done["output"], done["run"]) == (str(data), str(data))
    assert done["new_inputs"] > 0
    log = (told.folder / "nightly.log").read_text()
    assert "Traceback" not in log
    assert log.count("another run is going on here") >= order.count("held")
    assert "nothing new" in log


def check_metrics(file: Path, told: Told, data: Path) -> None:
    """Check that the metrics are those of the last run, over the dataset as it is."""
    samples = {
        (sample.name, *(sample.labels.get(name, "") for name in ("outcome", "stage", "fate", "reason"))): sample
        for family in text_string_to_metric_families(file.read_text())
        for sample in family.samples
    }
    runs = {kind: samples["winnow_runs_total", kind, "", "", ""].value for kind in ("done", "held", "error", "stopped")}
    kinds = [kind for _, kind in told.codes()]
    assert runs["done"] == 1
    assert runs["held"] in (kinds.count("held"), kinds.count("held") + 1)  # it is counted, then told
    assert (runs["error"], runs["stopped"]) == (0, 0)
    assert {sample.labels["dataset"] for sample in samples.values()} == {str(data)}
    for manifest, _ in Dataset(str(data)).runs()[0].committed():
        kept = samples["winnow_pages", "", manifest.stage, "kept", ""]
        assert kept.value == manifest.counts.kept


def shards_of(data: Path) -> dict[str, str]:
    """Return SHA-256 by path of the shards of the first run."""
    manifest = next(found for found, _ in Dataset(str(data)).runs()[0].committed() if found.stage == "shards")
    return {shard["path"]: shard["sha256"] for shard in manifest.facts["shards"]}


# --- logrotate


def test_logrotate_turns_the_log(programs: Programs, tmp_path: Path) -> None:
    logs = tmp_path / "log"
    logs.mkdir(mode=0o755)
    user, group = (subprocess.check_output(["id", option], text=True).strip() for option in ("-un", "-gn"))
    text = (CRON / "logrotate").read_text().replace("/var/log/winnow", str(logs))
    (tmp_path / "conf").write_text(re.sub(r"\bwinnow winnow\b", f"{user} {group}", text))
    (tmp_path / "conf").chmod(0o644)
    library = programs.find("libpopt.so.0").parent

    def rotate() -> None:
        subprocess.run(
            [programs.find("sbin/logrotate"), "--force", "--state", tmp_path / "state", tmp_path / "conf"],
            check=True, capture_output=True, env={**os.environ, "LD_LIBRARY_PATH": str(library)},
        )  # fmt: skip

    with (logs / "nightly.log").open("a") as running:
        running.write("first\n")
        running.flush()
        rotate()
        running.write("still first\n")  # a run that was going on
    assert (logs / "nightly.log").read_text() == ""
    assert (logs / "nightly.log").stat().st_mode & 0o777 == 0o640
    assert (logs / "nightly.log.1").read_text() == "first\nstill first\n"
    (logs / "nightly.log").write_text("second\n")
    rotate()
    assert sorted(path.name for path in logs.iterdir()) == ["nightly.log", "nightly.log.1", "nightly.log.2.gz"]
