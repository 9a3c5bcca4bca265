"""Bytes to characters, blocks to text, Markdown to plain text, the cleaning of characters."""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)
