"""The small web, and a run over it that nothing disturbed, made once for all fault tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.harness import Web, assert_balanced, make_web


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
def nobody(web: Web) -> list[str]:
    """The words that run a command as a user without rights over our files."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a process as another user")
    folder = web.root
    while folder != folder.parent and "pytest" in str(folder):
        folder.chmod(folder.stat().st_mode | 0o055)  # so that the other user reaches what he may read
        folder = folder.parent
    return ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
