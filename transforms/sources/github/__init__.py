"""GitHub: files of repositories in folders, archives and tables.

containers.entries_of    a part -> its files; nothing is unpacked to a disk
entries.judge            a file's name and first bytes -> its header, or why it is left out
licences                 which licence a file has, and what says so
reader                   a file -> text, language, licence
rules                    only permitted licences are kept
"""
