"""Token-distribution KL: documents whose tokens are unlike those of the corpus."""
