"""The worker image, and its steps carried out without a container engine."""
