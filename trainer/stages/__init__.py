"""The stages of a run: their graph, keys and inputs, what data they read, and where in it they begin."""
