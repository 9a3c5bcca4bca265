"""Which modules a stage's code consists of, where they lie, and what of it enters the stage's key."""
