"""Published heuristics: Gopher, C4, FineWeb. One file a rule family: measure, decide, Stats, Config."""
