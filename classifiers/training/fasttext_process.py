"""fastText's trainer in a process of its own: memory that starts as zeros, a seed, one thread.

fastText 0.9.3 with one thread sets only the first tenth of its input matrix (DenseMatrix::uniformThread) and trains on
whatever the rest of that memory held: other bytes each time, or "Encountered NaN". So it runs in a process whose
allocator hands out zeros; rows that start at zero learn from the first example they are in.

Autotune searches by the clock, so two searches may end with other settings. It therefore only searches here: what it
found is returned, and a model is trained with these settings as with any others, which is reproducible.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO, cast

from schemas.errors import ConfigError

ZEROED_MEMORY = "255"  # glibc fills new memory with the complement of MALLOC_PERTURB_
TUNED = ("lr", "dim", "epoch", "wordNgrams", "minCount", "bucket", "minn", "maxn")  # settings that autotune may change
# Autotune tries up to 10 million rows of up to 1,000 numbers, 40 GB; what does not fit into this it passes over.
MAX_SEARCH_BYTES = 4 << 30

# The model leaves through a pipe: fastText itself does not notice a full disk.
_TRAINER = """
import json, sys
import fasttext
wanted = json.loads(sys.argv[1])
model = fasttext.train_supervised(**wanted["train"])
if wanted["quantize"]:
    model.quantize(**wanted["quantize"])
model.save_model("/dev/stdout")
"""
_SEARCHER = """
import json, resource, sys
import fasttext
wanted = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (wanted["max_bytes"],) * 2)
found = fasttext.train_supervised(**wanted["train"]).f.getArgs()
sys.stdout.write("\\n" + json.dumps({name: getattr(found, name) for name in wanted["names"]}))
"""


def train_to(target: Path, arguments: dict[str, Any], folder: Path, quantize: dict[str, Any] | None = None) -> None:
    """Train with the arguments of `train_supervised` and write the model to `target`; `folder` is for its files.

    Raises ConfigError when fastText refuses.
    """
    with target.open("wb") as model:
        _run(_TRAINER, {"train": arguments, "quantize": quantize}, folder, model)


def search(arguments: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the settings of TUNED that fastText's autotune found."""
    found = folder / "found.json"
    with found.open("wb") as file:
        _run(_SEARCHER, {"train": arguments, "names": TUNED, "max_bytes": MAX_SEARCH_BYTES}, folder, file)
    settings: dict[str, Any] = json.loads(found.read_bytes().splitlines()[-1])  # it prints its progress before
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in settings.items()}


def _run(script: str, wanted: dict[str, Any], folder: Path, output: BinaryIO) -> None:
    environment = {**os.environ, "MALLOC_PERTURB_": ZEROED_MEMORY}
    environment.pop("LD_PRELOAD", None)  # another allocator would not know the variable
    command = [sys.executable, "-c", script, json.dumps(wanted)]
    complaints = folder / "stderr.txt"
    with (
        complaints.open("wb") as stderr,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=stderr) as child,
    ):
        shutil.copyfileobj(cast(BinaryIO, child.stdout), output)
    if child.returncode != 0:
        lines = complaints.read_text(encoding="utf-8", errors="replace").split("\n")
        messages = [line.strip() for line in lines if line.strip()] or [f"exit status {child.returncode}"]
        raise ConfigError(f"fastText cannot train with these settings: {messages[-1]}")
