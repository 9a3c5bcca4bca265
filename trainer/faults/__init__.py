"""Recovery from bad steps and hung machines."""
