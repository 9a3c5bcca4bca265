"""Perplexity of documents under an n-gram language model of clean text, and buckets by percentile (CCNet)."""
