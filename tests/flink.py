"""A local Flink for the tests; where Java, Maven or the registries are not to be had, they are skipped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.flink.cluster import Home, Settings, check_java
from deploy.flink.packages import fetch
from schemas.errors import ConfigError

# Half of the usual memory: the machine of a test run has other work too.
TWO_SLOTS = Settings(slots=2, changes={"taskmanager.memory.task.heap.size": "512m"})


@contextlib.contextmanager
def flink_home(folder: Path) -> Iterator[Home]:
    """Give a home for a cluster, the usual one where $XDG_STATE_HOME is `folder`.

    What was started there is stopped at the end of the block.
    """
    try:
        check_java()
        fetch()
    except ConfigError as missing:
        pytest.skip(f"no Flink: {missing}")
    home = Home(folder / "winnow" / "flink")
    try:
        yield home
    finally:
        home.down()
