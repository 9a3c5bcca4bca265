"""Several ranks on this machine, by torchrun."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import RunError


def start_ranks(ranks: int, max_restarts: int, arguments: Sequence[str]) -> int:
    """Start `winnow-train ARGUMENTS` once for each rank and wait; return the exit code of a signal, else 0.

    All ranks start anew from the newest checkpoint when one fails, `max_restarts` times. RunError when they fail for
    good; the failing rank has printed the reason.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    given = ["--standalone", f"--nproc-per-node={ranks}", f"--max-restarts={max_restarts}", "-m", "trainer.command"]
    try:
        run(parse_args([*given, *arguments]))  # type: ignore[no-untyped-call]
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        raise RunError(f"{ranks} ranks: rank {rank} failed first, exit code {failure.exitcode}") from None
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0
