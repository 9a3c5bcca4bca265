"""The worker image without a container engine: its very steps in a clean root, then its harness with a real run.

Ten minutes and 8 GB of disk. WINNOW_CLEAN_ROOT=DIR keeps the roots there, and takes a DIR/debian that is there already.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.image import clean_root

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("debootstrap", "unshare", "chroot", "ip", "cp")
CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE")  # of a machine that reaches its registries by certificates of its own
RUN = """
set -eu
cd /home/winnow
winnow demo-web --output web
"$@" --worker_pool > pool.log 2>&1 &
for n in $(seq 60); do python /opt/winnow/healthcheck.py 2> /dev/null && break; sleep 1; done
python /opt/winnow/healthcheck.py
curate() { winnow run --input web/crawl --config web/demo.yaml --set quality.min_score=null "$@"; }
curate --output here
curate --output pool -- --runner PortableRunner --job_endpoint embed \
    --environment_type EXTERNAL --environment_config localhost:50000
for run in here pool; do (cd "$run"/shards/*/ && sha256sum */*.parquet > "/home/winnow/$run.sums"); done
grep -q 'Starting worker' pool.log
test -s here.sums && cmp here.sums pool.sums
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the roots, each stage carried out."""
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    missing = [tool for tool in TOOLS if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    kept = os.environ.get("WINNOW_CLEAN_ROOT")
    folder = Path(kept).absolute() if kept else tmp_path_factory.mktemp("roots")
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "deploy.image.clean_root", "--debootstrap", "--work", str(folder)]
    environment = dict(os.environ)
    for name in CERTIFICATES:
        if os.environ.get(name):
            lent = folder / f"{name.lower()}.crt"
            shutil.copyfile(os.environ[name], lent)
            environment[name] = str(lent)
            command += ["--host-file", str(lent), "--host-env", name]
    with (folder / "steps.log").open("wb") as log:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, timeout=3000, check=False)
    assert done.returncode == 0, (folder / "steps.log").read_text(encoding="utf-8", errors="replace")[-3000:]
    # An engine writes it: Beam's services call each other by the machine's name.
    names = f"127.0.0.1 localhost {socket.gethostname()} {socket.getfqdn()}\n"
    (folder / "worker" / "etc" / "hosts").write_text(names, encoding="ascii")
    return folder


def in_worker(work: Path, argv: Sequence[str], timeout_s: float) -> str:
    """Run a command in the worker's root as its user, with its environment and nothing else; return what it printed."""
    facts = json.loads((work / "worker.json").read_text(encoding="utf-8"))
    command = clean_root.enter(work / "worker", argv, facts["env"], facts["user"], facts["cwd"], alone=True)
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_the_worker_is_not_root_and_has_no_compiler(work: Path) -> None:
    assert in_worker(work, ["id", "-u"], 60) == "10001\n"
    assert in_worker(work, ["/bin/sh", "-c", "command -v g++ cc go || true"], 60) == ""


def test_the_model_is_found_without_a_network(work: Path) -> None:
    program = "from classifiers.models.model_files import LID_176, resolve; print(resolve('', LID_176.sha256, LID_176))"
    assert in_worker(work, ["python", "-c", program], 120) == "/opt/models/winnow/lid.176.ftz\n"


def test_the_extraction_is_compiled(work: Path) -> None:
    program = "from transforms.extraction import page; print(page.__file__)"
    assert in_worker(work, ["python", "-c", program], 120).endswith(".so\n")


def test_fasttext_is_built_for_any_machine(work: Path) -> None:
    """Its setup.py names -march=native, which another line of it undoes: no AVX, so it runs on any x86-64."""
    (module,) = (work / "builder/opt/winnow/lib/python3.11/site-packages").glob("fasttext_pybind*.so")
    inside = f"/{module.relative_to(work / 'builder')}"
    command = clean_root.enter(work / "builder", ["objdump", "--disassemble", inside], {}, "", "/")
    code = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
    assert re.search(r"\bmulss\b", code)
    assert not re.search(r"\bv(mul|add|mov|fmadd)\w*\s|%[yz]mm", code)


def test_a_run_on_its_worker_pool_gives_the_same_bytes(work: Path) -> None:
    facts = json.loads((work / "worker.json").read_text(encoding="utf-8"))
    in_worker(work, ["/bin/sh", "-c", RUN, "sh", *json.loads(facts["noted"]["ENTRYPOINT"])], 1500)
