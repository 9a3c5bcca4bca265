"""What `--input` means: paths, globs, folders, lists and crawls as files; a run's own output is not among them."""
