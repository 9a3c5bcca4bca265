"""Main content of an HTML page by a trained model over its blocks of text.

In the order in which a page goes through (`page.py` calls them):

    decoding      the page's bytes as characters (before, by `transforms.extract`)
    walk          one walk over the parsed page: an `outline`: elements, blocks as arrays; asks `code` and `formulas/`
    declared      texts that the page says of itself and need not show become blocks, too
    page_kind     article, product, forum, ...: by words of `lexicon`
    structure, features    what the forest is asked about each block
    forest, decide         a probability for each block, then the choice with the highest expected F1
    corrections/  what is put right in that choice, by kind of page; `order` calls them
    write         the chosen blocks as text, cleaned by `hygiene`
    metadata      title and date
    extracted     what comes of it

`model` reads and writes the trained file, which `classifiers.train_extractor` makes. `other_engines` are trafilatura
(its `markdown` made plain) and resiliparse. `names` and `shown` are small tools of several of these; `compiled` finds
them in machine code.
"""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)
