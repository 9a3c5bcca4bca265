"""What a tokenize stage's manifest says of its tokenizer: apart from the stage, for stages that tokenize nothing."""

from __future__ import annotations

from pipelines.runs.folder import Manifest
from schemas.shards import TokenizerFacts

FACTS = "tokenizer"  # fact of the manifest: a TokenizerFacts


def facts_of(manifest: Manifest) -> TokenizerFacts:
    """Return what the manifest of a tokenize stage says of its tokenizer."""
    return TokenizerFacts(**manifest.facts[FACTS])
