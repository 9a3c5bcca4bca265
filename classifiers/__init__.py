"""Measures that need a model: language identification, quality; finding model files; training the classifiers."""
