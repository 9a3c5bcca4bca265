"""A user's modules where workers are: found by the processes of this machine, compared on any other."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pytest

from pipelines.engines.engine import Engine
from pipelines.engines.workers import worker_check
from pipelines.modules.places import ModuleFile, state_of
from schemas.errors import RunError

ROOT = Path(__file__).parents[3]
EMBEDDED = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK"]

OTHER_STATE = r"^the Python workers have another state of module user_rules than this command"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on sys.path with a module of the user's."""
    (tmp_path / "user_rules.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return tmp_path


def test_a_worker_with_the_same_modules_passes_and_imports_none_of_them(folder: Path) -> None:
    state = state_of("user_rules")
    assert state == ModuleFile("user_rules", folder / "user_rules.py").digest
    worker_check.check_user_modules(b"", {"user_rules": state})
    assert "user_rules" not in sys.modules


def test_a_worker_without_a_module_or_distribution_is_refused(folder: Path) -> None:
    with pytest.raises(RunError, match=r"^the Python workers lack module no_such\.rules, which .*: install it in the"):
        worker_check.check_user_modules(b"", {"no_such.rules": "00", "user_rules": "00"})
    with pytest.raises(RunError, match="lack distribution no-such, which"):
        worker_check.check_user_modules(b"", {"distribution no-such": "1.0"})
    with pytest.raises(RunError, match="lack module a0, module a1, module a2 and 2 more, which"):
        worker_check.check_user_modules(b"", {f"a{n}": "" for n in range(5)})


def test_a_worker_with_another_state_of_a_module_is_refused(folder: Path) -> None:
    state = state_of("user_rules") or ""
    (folder / "user_rules.py").write_text("# edited\n")
    with pytest.raises(RunError, match=OTHER_STATE):
        worker_check.check_user_modules(b"", {"user_rules": state})
    with pytest.raises(RunError, match="another state of distribution numpy than"):
        worker_check.check_user_modules(b"", {"distribution numpy": "0.1"})


def test_modules_are_compared_before_the_first_stage(folder: Path) -> None:
    target = folder / "out"
    engine = Engine(EMBEDDED, folder / "log")
    engine.user_modules = {"user_rules": "another"}
    with pytest.raises(RunError, match=OTHER_STATE):
        engine.run("clean", lambda p: p | beam.Create(["a"]) | beam.Map(target.write_text), 1.0)
    assert not target.exists()
    engine.user_modules = {"user_rules": state_of("user_rules") or ""}
    engine.run("clean", lambda p: p | beam.Create(["a"]) | beam.Map(target.write_text), 1.0)
    assert target.read_text() == "a"


RULES = """
import os

def tell(folder):
    with open(os.path.join(folder, str(os.getpid())), "w") as file:
        file.write(__file__)
"""
COMMAND = """
import sys
from pathlib import Path
import apache_beam as beam
from pipelines.engines.engine import Engine

assert __name__ == "__main__"
sys.path.insert(0, "")
import user_rules_here

engine = Engine(["--direct_num_workers=2", "--direct_running_mode=multi_processing"], Path(sys.argv[1]) / "log")
told = Path(sys.argv[1]) / "told"
engine.run("clean", lambda p: p | beam.Create([str(told)]) | beam.Map(user_rules_here.tell), 1.0)
print(*[int(path.name) != __import__("os").getpid() for path in told.iterdir()])
"""


def test_worker_processes_find_a_module_of_the_working_folder(tmp_path: Path) -> None:
    here = tmp_path / "here"
    (tmp_path / "told").mkdir()
    here.mkdir()
    (here / "user_rules_here.py").write_text(RULES)
    command = [sys.executable, "-P", "-c", COMMAND, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True"]  # one call, in another process
