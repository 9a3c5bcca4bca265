"""What consent texts, error pages, parked domains, empty searches and sign-in forms say, by language: junk.py's table.

The same expressions fit texts about these things, so that each is asked for where only the page itself says it:

reader      a sentence that speaks to the reader, or in which the site speaks of itself
consent     searched in a sentence of `reader`: the site's cookies and partners, the reader's consent and choices
buttons     the whole of a sentence: what a consent dialogue has on its buttons
error       the whole of a sentence in the first lines: an error, a check of the visitor, a missing script
parked      the same: a domain for sale, or that awaits its site
no_results  the same: a search that found nothing
advice      searched in a sentence: what such pages, and forms, say to the reader besides
labels      of a form; a line that has nothing else is a part of the form

Sentences are in lower case. Scripts without spaces have no word boundaries. All phrases are ours, written down from the
pages of consent tools, servers, content management systems and registrars in each language.
"""

from __future__ import annotations

from dataclasses import dataclass

Alternatives = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Alternatives of expressions, in one language."""

    script: str = "Latn"
    signs: Alternatives = ("cookie",)  # one of them is in every consent text: the cheap test before the dear one
    reader: str
    consent: Alternatives
    buttons: Alternatives
    error: Alternatives
    parked: Alternatives
    no_results: Alternatives
    advice: Alternatives
    password: Alternatives  # one of them is in every form
    labels: Alternatives
