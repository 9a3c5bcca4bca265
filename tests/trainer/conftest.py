"""Token shards that the trainer's tests only read."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of small token shards."""
    from tests.trainer.small import write_shards  # it brings torch, which the tests of trainer/data do without

    return write_shards(tmp_path_factory.mktemp("shards"))
