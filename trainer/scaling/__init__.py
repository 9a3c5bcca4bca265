"""Scaling laws: forecasts from small runs for large ones, data mixes and a new source (L3 sections 3.1.3 and 3.2.1)."""
