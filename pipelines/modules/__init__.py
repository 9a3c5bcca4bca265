"""Which modules a stage's code consists of, where they lie, and what of it stands in the stage's key."""
