from __future__ import annotations

import subprocess
import sys


def test_the_command_line_starts_without_what_takes_seconds() -> None:
    code = "import sys, trainer.scaling.cli; print([m for m in ('torch', 'scipy', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
