"""Wikipedia's XML dumps: pages-articles as multistream bzip2, as one bzip2 stream, or as plain XML.

source.Wikipedia   the source: parts, scan; reader.ArticleReader reads the articles
streams            bzip2 streams of a part, and where they begin
dump               pages cut out of a part, byte for byte
page, site         what a page's XML says; what the dump's head says about its wiki
markup             wikitext -> text and blocks, by extensions, brackets, templates, links, tables, inline and article
names              words of many languages: namespaces, disambiguation templates, redirects
"""
