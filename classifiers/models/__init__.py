"""Model files: found, checked and opened."""
