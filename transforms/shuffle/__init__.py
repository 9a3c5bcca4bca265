"""How hashes travel between documents: blocks of fixed-width rows, and the rows kept for later runs."""
