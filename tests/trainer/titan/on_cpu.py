"""Runs a module as torchrun would, with torchtitan on the CPU: `python on_cpu.py -m MODULE ...`.

torchtitan knows no CPU, and torch's flex attention has no backward pass on one. What asks for a GPU is answered here,
and attention takes the mask that flex attention was given. All else is torchtitan's own.
"""

from __future__ import annotations

import runpy
import sys
from types import SimpleNamespace
from typing import Any

import torch


def main() -> None:
    """Run the module that the command line names."""
    sys.argv = sys.argv[2:]
    if sys.argv[0].startswith("torchtitan"):
        _answer_for_a_gpu()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _answer_for_a_gpu() -> None:
    torch._utils._get_available_device_type = lambda: "cpu"
    properties = SimpleNamespace(total_memory=1 << 30, name="cpu")
    answers = {
        "empty_cache": None, "reset_peak_memory_stats": None, "memory_stats": {}, "max_memory_reserved": 0,
        "get_device_name": "cpu", "device_count": 1, "get_device_properties": properties,
    }  # fmt: skip
    for name, value in answers.items():
        setattr(torch.cpu, name, lambda *_, value=value: value)
    torch.compiler.set_stance("force_eager")

    import torchtitan.distributed.utils as distributed
    from torchtitan.models.common.attention import FlexAttention
    from torchtitan.tools import utils

    utils.get_local_device = distributed.get_local_device = lambda: torch.device("cpu")
    distributed.set_pg_timeouts = lambda *_, **__: None
    FlexAttention.compiled_flex_attn = staticmethod(_masked)


def _masked(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    *,
    block_mask: Any,
    scale: float | None,
    enable_gqa: bool,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    at = torch.arange(q.shape[2])
    batch = torch.arange(q.shape[0])[:, None, None]
    mask = block_mask.mask_mod(batch, torch.zeros_like(batch), at[None, :, None], at[None, None, :])
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(q, k, v, attn_mask=mask[:, None], scale=scale, enable_gqa=enable_gqa), None


if __name__ == "__main__":
    main()
