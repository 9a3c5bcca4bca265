"""The commands of `winnow`, by what they are about; pipelines/cli.py gives them their names."""
