"""Entry point of `python -m deploy.flink`: keeps off the terminal what Beam says on import."""

from __future__ import annotations

import logging

if __name__ == "__main__":
    logging.getLogger().addHandler(logging.NullHandler())  # it warns of clouds that are not installed
    from deploy.flink.command import main

    main()
