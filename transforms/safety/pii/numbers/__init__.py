"""Personal numbers: where they can be in a text, the words around them, and accounts, national numbers, telephones."""
