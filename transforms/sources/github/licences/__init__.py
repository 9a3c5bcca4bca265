"""Licences of source files: texts, SPDX expressions, and where in a repository they are said."""
