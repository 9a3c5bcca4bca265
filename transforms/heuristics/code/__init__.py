"""Rules on files of source code; each knows the file's language, which the source stored."""
