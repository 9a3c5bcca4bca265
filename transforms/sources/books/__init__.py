"""Books of Project Gutenberg, and others: a file of plain text or HTML is a book.

source, reader   the source: parts and scan; the texts of selected books
settings         what is left out, what is taken away
head             what the head of an edition says: title, author, number, language, licence, dates
markers          where the book begins and ends in its file: the wordings of fifty years
plain, page      plain text to blocks, lines joined; HTML to blocks
matter           what around a book is not of the book: credits, transcriber's notes, small print
"""
