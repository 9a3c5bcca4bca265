"""Peak FLOP/s of the hardware: the denominator of MFU."""

from __future__ import annotations

import time

import torch

# TFLOP/s of dense bfloat16, from NVIDIA's data sheets, by what torch calls the GPU. The first name that fits counts:
# a name alone is the SXM version.
SHEETS = {
    "H100 PCIe": 756.0, "H100 NVL": 835.0, "H200 NVL": 835.0,
    "A100": 312.0, "H100": 989.0, "H200": 989.0, "B200": 2250.0,
}  # fmt: skip
SIDE, TIMED = 1024, 5  # of the matrix product that a CPU is timed at


def peak_tflops() -> float:
    """Return the peak of this GPU, 0 for one that is not listed; for a CPU the measured rate of a matrix product.

    The product is of float32, as training on CPUs is, with the threads that torch has; the best of a few counts.
    """
    if torch.cuda.is_available():
        return sheet_tflops(torch.cuda.get_device_name())
    left, right = torch.ones(SIDE, SIDE), torch.ones(SIDE, SIDE)
    seconds = []
    for _ in range(TIMED):
        began = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - began)
    return 2 * SIDE**3 / min(seconds) / 1e12


def sheet_tflops(name: str) -> float:
    """Return the peak of a GPU by its name; 0 for one that is not listed."""
    return next((peak for chip, peak in SHEETS.items() if chip in name), 0.0)
