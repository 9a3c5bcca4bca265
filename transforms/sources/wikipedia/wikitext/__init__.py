"""Wikitext to plain text with blocks, in passes (`markup.plain_text` calls them).

extensions   comments and extension tags: footnotes out, code and formulas kept as they are
brackets     templates and links, from the inside out; `templates` and `links` say what each shows
tables       dropped, or a line a row
inline       bold, external links, HTML tags, entities, what removal left behind
article      lines to blocks
marks        signs that stand for markup between two passes
"""
