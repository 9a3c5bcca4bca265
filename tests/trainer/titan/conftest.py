"""torchtitan is an extra that no other can stand beside: where it is absent, what needs it is skipped and counted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def engine() -> ModuleType:
    """Return `trainer.titan.engine`."""
    if find_spec("torchtitan") is None:
        pytest.skip("torchtitan is not installed (trainer/titan/requirements.txt, in an environment of its own)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torchtitan's own imports
        import trainer.titan.engine as found
    return found


@pytest.fixture
def eager() -> Iterator[None]:
    """Keep torchtitan's attention from being compiled: minutes on a CPU."""
    import torch

    torch.compiler.set_stance("force_eager")
    yield
    torch.compiler.set_stance("default")
