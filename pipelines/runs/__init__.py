"""A run: its graph and plan, its folder and commits, its tables, the digest of its code."""
