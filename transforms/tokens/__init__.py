"""Texts to tokens, tokens to shuffled shards."""
