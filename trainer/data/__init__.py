"""From token shards to batches, as a pure function of recipe, stage, step, rank and world."""
