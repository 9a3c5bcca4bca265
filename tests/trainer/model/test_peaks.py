from __future__ import annotations

import pytest

from trainer.model.peaks import sheet_tflops


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989.0), ("NVIDIA H100 PCIe", 756.0), ("NVIDIA H100 NVL", 835.0),
        ("NVIDIA H200", 989.0), ("NVIDIA H200 NVL", 835.0), ("NVIDIA A100-SXM4-80GB", 312.0),
        ("NVIDIA A100 80GB PCIe", 312.0), ("NVIDIA B200", 2250.0), ("NVIDIA GeForce RTX 4090", 0.0),
    ],
)  # fmt: skip
def test_peaks_of_the_data_sheets(name: str, peak: float) -> None:
    assert sheet_tflops(name) == peak
