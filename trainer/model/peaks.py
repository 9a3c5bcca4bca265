"""Peak FLOP/s of the hardware: the denominator of MFU."""

from __future__ import annotations

import time

import torch

# TFLOP/s of dense bfloat16, from NVIDIA's data sheets (SXM versions).
SHEETS = {"A100": 312.0, "H100": 989.0, "H200": 989.0, "B200": 2250.0}
SIDE, TIMED = 1024, 5  # of the matrix product that a CPU is timed at


def peak_tflops() -> float:
    """Return the peak of this GPU, 0 for one that is not listed; for a CPU the measured rate of a matrix product.

    The product is of float32, as training on CPUs is, with the threads that torch has; the best of a few counts.
    """
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
        return next((peak for chip, peak in SHEETS.items() if chip in name), 0.0)
    left, right = torch.ones(SIDE, SIDE), torch.ones(SIDE, SIDE)
    seconds = []
    for _ in range(TIMED):
        began = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - began)
    return 2 * SIDE**3 / min(seconds) / 1e12
