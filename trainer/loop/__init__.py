"""The training loop: steps, stages, checkpoints, journal, ranks."""
