"""Limits of a language from a reference text: reading it, fitting, and the settings with their evidence."""
