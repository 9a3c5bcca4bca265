"""What a benchmark says of where it ran, and how it runs the `winnow` command."""

from __future__ import annotations

import datetime
import os
import platform
import re
import resource
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WEB_PAGES = ROOT.parent / "shared" / "data" / "warc" / "web-pages.warc.gz"
WINNOW = Path(sys.executable).with_name("winnow")
PACKAGES = ("winnow-corpus", "apache-beam", "trafilatura", "resiliparse", "isal", "numpy", "pyarrow", "tokenizers")


def facts() -> dict[str, Any]:
    """Return date, commit, machine and versions for a benchmark's JSON line."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit(),
        "machine": machine(),
        "load": round(os.getloadavg()[0], 1),
        "versions": {name: version(name) for name in PACKAGES},
    }


def children_cpu_s() -> float:
    """Return the CPU seconds of all ended child processes, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def run_command(archive: Path, folder: Path, changes: Iterable[str] = (), beam: Iterable[str] = ()) -> list[str]:
    """Return the command line of `winnow run`."""
    settings = [word for change in changes for word in ("--set", change)]
    return [str(WINNOW), "run", "--input", str(archive), "--output", str(folder), *settings, "--", *beam]


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process and return what it printed; when it failed, show that and stop."""
    printed = process.communicate()[0]
    if process.returncode != 0:
        sys.exit(f"{process.args!r}: exit status {process.returncode}\n{printed[-4000:]}")
    return printed


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


def commit() -> str:
    """Return the commit of this checkout, `-dirty` if files differ from it."""
    command = ["git", "--no-optional-locks", "-C", str(ROOT), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def machine() -> str:
    """Return the processor, the number of cores and the memory."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = cpu[1] if cpu else platform.machine()
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"
