"""What other settings would do to a run, from what it stored."""
