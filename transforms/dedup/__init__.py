"""Copies across a corpus: addresses, equal texts, near copies, frequent lines."""
