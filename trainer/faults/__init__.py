"""What a run does about bad steps and hung machines."""
