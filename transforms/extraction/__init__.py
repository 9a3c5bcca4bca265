"""Main content of an HTML page by a trained model over its blocks of text: one walk, arrays, two small forests."""
