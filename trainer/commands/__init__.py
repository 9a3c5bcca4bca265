"""The commands of `winnow-train`, and what a person sees of a run."""
