"""What `winnow-train` starts: the command line, after its imports, which take a second."""

from __future__ import annotations

import sys

from schemas.distribution import missing_module


def main() -> None:
    try:
        from trainer.commands.cli import main as run

        run()
    except ModuleNotFoundError as error:  # commands import what takes seconds when they need it
        line = missing_module(error)
        if not line:
            raise
        print(f"winnow-train: {line}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
