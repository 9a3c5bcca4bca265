"""Beam's log goes to the file of the run, whatever stands in for stderr in this process."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from pipelines.engines.quiet import quiet


def test_all_of_it_is_in_the_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = io.StringIO()  # as rich puts something of its own there
    monkeypatch.setattr(sys, "stderr", elsewhere)
    with quiet(tmp_path / "logs" / "beam.log"):
        logging.getLogger("apache_beam").warning("from the log: é \udcff")
        warnings.warn("from a warning", stacklevel=1)
        os.write(2, b"from a library\n")
        subprocess.run([sys.executable, "-c", "import sys; print('from a child', file=sys.stderr)"], check=True)
    text = (tmp_path / "logs" / "beam.log").read_text(encoding="utf-8")
    for source in ("log: é \\udcff", "warning", "library", "child"):
        assert f"from a {source}" in text or f"from the {source}" in text
    assert elsewhere.getvalue() == ""
    assert capfd.readouterr() == ("", "")
