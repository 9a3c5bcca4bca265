"""The small web, and a run over it that nothing disturbed, made once for all fault tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.harness import WINNOW, Web, assert_balanced, make_web


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Web:
    return make_web(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="session")
def undisturbed(web: Web) -> Path:
    output = web.root / "undisturbed"
    ended = web.run(output)
    assert ended.code == 0, ended.err
    assert_balanced(output)
    return output


@pytest.fixture
def open_web(web: Web) -> Iterator[Web]:
    """The small web where any user of the machine may read and write."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(web.root / "web", root / "web")
        for config in (web.root / "web" / "demo.yaml", web.root / "quality.yaml"):
            copy = root / config.relative_to(web.root)
            copy.write_text(config.read_text().replace(str(web.root), folder))
        shutil.copy(web.root / "quality.bin", root)
        for path in (root, *root.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
        yield Web(root)


@pytest.fixture
def nobody() -> list[str]:
    """The words that run a command as a user without rights over our files."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a process as another user")
    words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    if subprocess.run([*words, WINNOW, "--help"], capture_output=True, check=False).returncode:
        pytest.skip("the virtual environment lies where no other user can read it, or there is no setpriv")
    return words
