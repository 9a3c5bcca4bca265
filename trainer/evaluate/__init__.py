"""Evaluation: perplexity on held-out shards, needles in long contexts, multiple choice."""
