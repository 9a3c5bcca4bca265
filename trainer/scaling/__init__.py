"""Scaling laws: what small runs say of large ones, of data mixes, and of a new source (L3 sections 3.1.3 and 3.2.1)."""
