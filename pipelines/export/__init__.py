"""Takes the curated text, the tokens and the tokenizer of a dataset to where others read them: `winnow export`."""
