"""The recipes, the only place that knows the order of steps; the stage runner; the command line."""
