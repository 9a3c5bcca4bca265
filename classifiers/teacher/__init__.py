"""A Llama judges a sample of documents: prompts, sample, judges, the table of labels, and how far judges agree."""
