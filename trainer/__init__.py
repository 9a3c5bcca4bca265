"""The companion trainer: pre-trains Llama models on token shards, read through `schemas` and `storage` alone."""
