"""One file per rule family: pure functions, a config, and for corpus-wide rules one public PTransform."""
