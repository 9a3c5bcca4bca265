"""Wikipedia's XML dumps: pages-articles as multistream bzip2, as one bzip2 stream, or as plain XML.

source, reader   the source: parts and scan; the texts of selected articles
streams          bzip2 streams of a part, and where they begin
dump             pages cut out of a part, byte for byte
page, site       what a page's XML says; what the dump's head says about its wiki
names            words of many languages: namespaces, disambiguation templates, redirects
wikitext/        markup to plain text with blocks
"""
