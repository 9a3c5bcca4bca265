"""Entry point of the `winnow` command: keeps what libraries say while they are imported off the terminal."""

from __future__ import annotations

import logging


def main() -> None:
    """Run the command line."""
    logging.getLogger().addHandler(logging.NullHandler())  # Beam warns of clouds that are not installed
    from pipelines import cli

    cli.main()
