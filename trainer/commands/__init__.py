"""The commands of `winnow-train`, and the progress of a run on a terminal."""
