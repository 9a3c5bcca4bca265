"""Text: one definition of word, line, sentence and script for every rule."""
