"""What `winnow-train` starts: the command line, after its imports, which take a second."""

from __future__ import annotations


def main() -> None:
    from trainer.commands.cli import main as run

    run()


if __name__ == "__main__":
    main()
