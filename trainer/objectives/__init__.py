"""What a stage minimises: losses as pure functions of a model and a batch."""
