"""Words and sentences of the languages of the generated web."""
