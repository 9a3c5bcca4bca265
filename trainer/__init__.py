"""The companion trainer: pre-trains Llama models on token shards. Reads them through `schemas` alone."""
