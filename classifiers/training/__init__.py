"""Training of classifiers and of the extraction model."""
