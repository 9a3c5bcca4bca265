"""Shuffles of hashes: blocks of fixed-width rows, and the rows kept for later runs."""
