"""Main content of an HTML page by a trained model over its blocks of text.

In the order in which a page goes through (`page.py` calls them):

* `texts/decoding`: the page's bytes as characters (before, by `extract`).
* `parsing/walk`: one walk over the parsed page gives an `outline`: elements, and blocks as arrays. It asks `code`,
  `formulas/`, `marks` (an element's attributes), `raised` (10^6), `pieces` of a sentence (custom elements, what is
  hidden) and `spaces`.
* `declared/texts`: texts that the page says of itself and need not show become blocks, too.
* `choice/page_kind`: article, product, forum, ...: by words of `lexicon`.
* `choice/features`: what the forest is asked about each block, with `parsing/structure`.
* `choice/forest`, `decide`: a probability for each block, then the choice with the highest expected F1.
* `corrections/`: what is put right in that choice, by kind of page; `order` calls them.
* `texts/write`: the chosen blocks as text, cleaned by `hygiene`; `tables` keeps cells in their columns.
* `declared/metadata`: title and date.
* `extracted`: what comes of it.

`extract` is the entry: engines, limits, the guarded process. `choice/model` reads and writes the trained file, which
`classifiers.training.train_extractor` makes. `other_engines` are trafilatura (its `texts/markdown` made plain) and
resiliparse. `compiled` finds the modules in machine code.
"""

from transforms.extraction.compiled import use_compiled

use_compiled(__path__)


def __getattr__(name: str) -> object:
    """Give `main_text`, the one function that a user of the library wants, without loading all of it beforehand."""
    if name != "main_text":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from transforms.extraction.extract import main_text

    return main_text
