"""Steps that need a model: language, quality."""
