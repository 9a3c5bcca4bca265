"""Two ranks that save together: none makes the folder while rank 0 removes what was there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, time
from pathlib import Path
import torch
from trainer.loop import checkpoints
from trainer.loop.ranks import joined

folder = Path(sys.argv[1])
plain = checkpoints.remove

def slow(path):
    time.sleep(2.0)
    plain(path)

checkpoints.remove = slow
with joined(60.0) as ranks:
    model = torch.nn.Linear(4, 4)
    saver = checkpoints.Saver(model, torch.optim.SGD(model.parameters(), lr=0.1), ranks)
    ranks.barrier()
    started = time.monotonic()
    saver.begin(folder, checkpoints.State())
    took = time.monotonic() - started
    saver.finish()
    ranks.barrier()
    print(took >= 1.9, checkpoints.read_state(folder) is not None, (folder / "old").exists())
"""


def test_a_rank_waits_until_the_folder_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "step-000000001"
    folder.mkdir()
    (folder / "old").write_text("of an unfinished checkpoint")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)], env={**shared, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=120) for process in ranks]
    assert [out.strip() for out, _ in said] == ["True True False"] * 2, said
